package session

import (
	"slices"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/shard"
)

// blocked is a command that waits at a server of a list, and its receiver. When its keys have moved it is ended there. If the server has
// run nothing of it, it goes to where they are.
type blocked struct {
	s      *Session
	spec   *command.Spec
	raw    []byte
	tag    uint64
	server int
	conn   *pool.Conn // that it was sent over
	next   int64      // when the server is asked again to end it, ns
	moving bool       // the server is asked to end it
	told   bool       // its client is told if it is ended: another client has asked for that
}

// waitingAt is the command that waits over connections of a client's own; nil: none that is followed when keys move.
func waitingAt(p *pin) *blocked {
	w, _ := p.waiting.(*blocked)
	return w
}

// moves are the commands of an upstream that wait at servers which their keys have left.
type moves struct{ list []*blocked }

// blockingFeature is what the core calls.
var blockingFeature = Feature{
	LoopTick: endFarewells,
	Tick:     (*Env).endMoves,
	FollowPinned: func(s *Session, moved bool) {
		if w := waitingAt(s.pin); moved && s.pin.blocks && w != nil {
			w.follow(s.env.Map)
		}
	},
	Closing: func(s *Session) {
		if s.pin != nil && s.pin.blocks && (!drains(s.reason) || !s.sayFarewell()) {
			s.unpin(false) // nobody waits for what may never come
		}
	},
}

// send sends it to its server.
func (w *blocked) send() *pool.Failure {
	conn, f := w.s.blockingConn(w.server)
	if f != nil {
		return f
	}
	w.s.pin.waiting, w.conn = w, conn
	return w.s.enqueueBlocking(conn, w.raw, w, 0, w.spec)
}

// follow has it ended at its server if its keys are elsewhere in m.
func (w *blocked) follow(m *shard.Map) {
	if w.s.env.Rules.of(w.spec).carrier != 0 {
		return // its reply may hold the words of a client, which could say that nothing ran
	}
	server, ok := w.place()
	if ok && m.Random() && m.Server(w.server).Addr != "" {
		server = w.server // any will do
	}
	if w.moving || ok && server == w.server && m.Server(server).Addr != "" {
		return
	}
	w.moving = true
	w.ask()
	all, _ := w.s.env.moves.(*moves)
	if all == nil {
		all = &moves{}
		w.s.env.moves = all
	}
	all.list = append(all.list, w)
}

// place is the server of its keys; !ok: they are at several.
func (w *blocked) place() (server int, ok bool) {
	e := w.s.env
	req, ok := parseAgain(w.raw)
	if !ok || e.single() {
		return e.home(), ok
	}
	return e.shardOf(w.spec, req.Args)
}

// ask asks the server to end it.
func (w *blocked) ask() {
	e := w.s.env
	w.next = e.Pool.Now + askAgain
	p := w.s.pin
	if p == nil || w.conn.ServerID() == 0 || e.paused() { // see unblock
		return
	}
	p.soiled = true // the word may come when the client has gone on
	if w.conn.Waits() {
		w.conn.Unblock("ERROR")
	}
}

// endMoves asks again where the first time has overtaken the command.
func (e *Env) endMoves() {
	all, _ := e.moves.(*moves)
	if all == nil {
		return
	}
	all.list = slices.DeleteFunc(all.list, func(w *blocked) bool {
		if !w.moving || w.s.state != open || w.s.pin == nil || waitingAt(w.s.pin) != w {
			return true
		}
		if e.Pool.Now >= w.next {
			w.ask()
		}
		return false
	})
}

// Reply is pool.Receiver.
func (w *blocked) Reply(_ uint64, b []byte, p pool.Piece) {
	if w.moving && !w.told && p == pool.Whole && string(b) == unblockedWords {
		w.moving = false
		w.s.env.later = append(w.s.env.later, w)
		return
	}
	w.s.Reply(w.tag, b, p)
}

// Client is pool.Receiver.
func (w *blocked) Client() pool.Client { return w.s }

// Place is pool.Receiver.
func (w *blocked) Place(uint64) uint64 { return w.tag }

// Fail is pool.Receiver.
func (w *blocked) Fail(_ uint64, f *pool.Failure) { w.s.Fail(w.tag, f) }

// again is deferred: it goes to where its keys are.
func (w *blocked) again(e *Env) {
	s := w.s
	if s.state != open {
		s.undone(w.tag)
		return
	}
	server, ok := w.place()
	if !ok {
		e.scratch = parser.AppendError(e.scratch[:0], errCrossSlot)
		s.Reply(w.tag, e.scratch, pool.Whole)
		return
	}
	w.server = server
	if p := s.pin; p != nil && !p.watches && !p.dirty {
		s.unpin(false)
	}
	if f := w.send(); f != nil {
		s.Fail(w.tag, f)
	}
}
