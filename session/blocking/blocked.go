package blocking

import (
	"slices"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/texts"
	"ringmaster/shard"
)

// blocked is a command that waits at a server of a list, and its receiver. When its keys have moved it is ended there. If the server has
// run nothing of it, it goes to where they are.
type blocked struct {
	s      *session.Session
	spec   *command.Spec
	raw    []byte
	tag    uint64
	server int
	conn   *pool.Conn // that it was sent over
	next   int64      // when the server is asked again to end it, ns
	Moving bool       // the server is asked to end it
	Told   bool       // its client is told if it is ended: another client has asked for that
}

// WaitingAt is the command that waits over connections of a client's own; nil: none that is followed when keys move.
func WaitingAt(p *session.Pin) *blocked {
	w, _ := p.Waiting.(*blocked)
	return w
}

// moves are the commands of an upstream that wait at servers which their keys have left.
type moves struct{ list []*blocked }

// Feature is what the core calls.
var Feature = session.Feature{
	LoopTick: endFarewells,
	Tick:     endMoves,
	FollowPinned: func(s *session.Session, moved bool) {
		if w := WaitingAt(s.Pin); moved && s.Pin.Blocks && w != nil {
			w.follow(s.Door.Map)
		}
	},
	Closing: func(s *session.Session) {
		if s.Pin != nil && s.Pin.Blocks && (!session.Drains(s.Reason) || !sayFarewell(s)) {
			s.Unpin(false) // nobody waits for what may never come
		}
	},
}

// send sends it to its server.
func (w *blocked) send() *pool.Failure {
	conn, f := blockingConn(w.s, w.server)
	if f != nil {
		return f
	}
	w.s.Pin.Waiting, w.conn = w, conn
	return w.s.Door.EnqueueBlocking(conn, w.raw, w, 0, w.spec)
}

// follow has it ended at its server if its keys are elsewhere in m.
func (w *blocked) follow(m *shard.Map) {
	if w.s.Door.Rules.For(w.spec).Carrier != 0 {
		return // its reply may hold the words of a client, which could say that nothing ran
	}
	server, ok := w.place()
	if ok && m.Random() && m.Server(w.server).Addr != "" {
		server = w.server // any will do
	}
	if w.Moving || ok && server == w.server && m.Server(server).Addr != "" {
		return
	}
	w.Moving = true
	w.ask()
	all, _ := w.s.Door.Moves.(*moves)
	if all == nil {
		all = &moves{}
		w.s.Door.Moves = all
	}
	all.list = append(all.list, w)
}

// place is the server of its keys; !ok: they are at several.
func (w *blocked) place() (server int, ok bool) {
	e := w.s.Door
	req, ok := parser.Reparse(w.raw)
	if !ok || e.Single() {
		return e.Home(), ok
	}
	return e.ShardOf(w.spec, req.Args)
}

// ask asks the server to end it.
func (w *blocked) ask() {
	e := w.s.Door
	w.next = e.Pool.Now + askAgain
	p := w.s.Pin
	if p == nil || w.conn.ServerID() == 0 || e.Paused() { // see unblock
		return
	}
	p.Soiled = true // the word may come when the client has gone on
	if w.conn.Waits() {
		w.conn.Unblock("ERROR")
	}
}

// endMoves asks again where the first time has overtaken the command.
func endMoves(e *session.Env) {
	all, _ := e.Moves.(*moves)
	if all == nil {
		return
	}
	all.list = slices.DeleteFunc(all.list, func(w *blocked) bool {
		if !w.Moving || w.s.State != session.Open || w.s.Pin == nil || WaitingAt(w.s.Pin) != w {
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
	if w.Moving && !w.Told && p == pool.Whole && string(b) == unblockedWords {
		w.Moving = false
		w.s.Door.Later = append(w.s.Door.Later, w.again)
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

// again sends it, at a tick, to where its keys are.
func (w *blocked) again(e *session.Env) {
	s := w.s
	if s.State != session.Open {
		s.Undone(w.tag)
		return
	}
	server, ok := w.place()
	if !ok {
		e.Scratch = parser.AppendError(e.Scratch[:0], texts.CrossSlot)
		s.Reply(w.tag, e.Scratch, pool.Whole)
		return
	}
	w.server = server
	if p := s.Pin; p != nil && !p.Watches && !p.Dirty {
		s.Unpin(false)
	}
	if f := w.send(); f != nil {
		s.Fail(w.tag, f)
	}
}
