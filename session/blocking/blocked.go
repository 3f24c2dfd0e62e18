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

// blocked is a command that waits at a server of a list, and its receiver. If its keys move, the server is asked to end it. If the server has
// run nothing of it, it is sent to the keys' new server.
type blocked struct {
	s      *session.Session
	spec   *command.Spec
	raw    []byte
	tag    uint64
	server int
	conn   *pool.Conn // that it was sent over
	next   int64      // when the server is asked once more to end it, ns
	moving bool       // the server has been asked to end it
	told   bool       // another client has asked for the same with CLIENT UNBLOCK, so the client gets the reply
}

// waiting returns the command that waits over the connections of p; nil: none that moves with its keys.
func waiting(p *session.Pin) *blocked {
	w, _ := p.Waiting.(*blocked)
	return w
}

// NoteUnblock notes that CLIENT UNBLOCK ends what the client waits for, and not that its keys have moved. Loop-only.
func NoteUnblock(s *session.Session) {
	if w := waiting(s.Pin); w != nil && w.moving {
		w.told = true // the first of the two has ended it
	}
}

// moves are the commands of an upstream that wait at servers that their keys have left.
type moves struct{ list []*blocked }

// Feature is what the core calls.
var Feature = session.Feature{
	LoopTick: endFarewells,
	Tick:     endMoves,
	FollowPinned: func(s *session.Session, moved bool) {
		if w := waiting(s.Pin); moved && s.Pin.Blocks && w != nil {
			w.adoptMap(s.Door.Map)
		}
	},
	Closing: func(s *session.Session) {
		if s.Pin != nil && s.Pin.Blocks && (!session.Drains(s.Reason) || !sayFarewell(s)) {
			s.Unpin(false) // the reply may never come
		}
	},
}

// send sends the command to its server.
func (w *blocked) send() *pool.Failure {
	conn, f := blockingConn(w.s, w.server)
	if f != nil {
		return f
	}
	w.s.Pin.Waiting, w.conn = w, conn
	return w.s.Door.EnqueueBlocking(conn, w.raw, w, 0, w.spec)
}

// adoptMap has the server end the command if m says that its keys are elsewhere.
func (w *blocked) adoptMap(m *shard.Map) {
	if w.s.Door.Rules.For(w.spec).Carrier != 0 {
		return // its reply may be a client's words, which could say falsely that nothing ran
	}
	server, ok := w.locate()
	if ok && m.Random() && m.Server(w.server).Addr != "" {
		server = w.server // any will do
	}
	if w.moving || ok && server == w.server && m.Server(server).Addr != "" {
		return
	}
	w.moving = true
	w.end()
	all, _ := w.s.Door.Moves.(*moves)
	if all == nil {
		all = &moves{}
		w.s.Door.Moves = all
	}
	all.list = append(all.list, w)
}

// locate returns the server of its keys; !ok: they are at several.
func (w *blocked) locate() (server int, ok bool) {
	e := w.s.Door
	req, ok := parser.Reparse(w.raw)
	if !ok || e.Single() {
		return e.Home(), ok
	}
	return e.ShardOf(w.spec, req.Args)
}

// end asks the server to end the command.
func (w *blocked) end() {
	e := w.s.Door
	w.next = e.Pool.Now + unblockInterval
	p := w.s.Pin
	if p == nil || w.conn.ServerID() == 0 || e.Paused() { // see unblock
		return
	}
	p.Soiled = true // the server may end a later command
	if w.conn.Waits() {
		w.conn.Unblock("ERROR")
	}
}

// endMoves asks once more, because the first time may have overtaken the command.
func endMoves(e *session.Env) {
	all, _ := e.Moves.(*moves)
	if all == nil {
		return
	}
	all.list = slices.DeleteFunc(all.list, func(w *blocked) bool {
		if !w.moving || w.s.State != session.Open || w.s.Pin == nil || waiting(w.s.Pin) != w {
			return true
		}
		if e.Pool.Now >= w.next {
			w.end()
		}
		return false
	})
}

// Reply is pool.Receiver.
func (w *blocked) Reply(_ uint64, b []byte, p pool.Piece) {
	if w.moving && !w.told && p == pool.Whole && string(b) == unblockedWords {
		w.moving = false
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

// again is called at a tick: it sends the command to the server of its keys.
func (w *blocked) again(e *session.Env) {
	s := w.s
	if s.State != session.Open {
		s.Undone(w.tag)
		return
	}
	server, ok := w.locate()
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
