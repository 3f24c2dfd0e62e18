package gather

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
)

// aside is a request that must not stand behind others, over a connection lent for it alone: SCRIPT KILL would
// else wait for the script that it is to end.
type aside struct {
	conn *pool.Conn
	recv pool.Receiver
	tag  uint64
}

// asideTo sends raw to server for recv.
func asideTo(s *session.Session, server int, raw []byte, recv pool.Receiver, tag uint64) {
	a := &aside{recv: recv, tag: tag}
	// Database 0, for a server that is busy takes no SELECT.
	conn, f := s.Door.Pool.Lend(server, pool.Key{Proto: int(s.Protocol)}, a)
	if f == nil {
		a.conn = conn
		f = conn.Enqueue(&pool.Request{Raw: raw, Recv: a, Manner: pool.Here})
	}
	if f != nil {
		recv.Fail(tag, f)
		if a.conn != nil {
			a.conn.Return(true)
		}
	}
}

// Reply is pool.Receiver.
func (a *aside) Reply(_ uint64, b []byte, p pool.Piece) {
	a.recv.Reply(a.tag, b, p)
	if p&pool.Last != 0 {
		a.conn.Return(true)
	}
}

// Client is pool.Receiver and pool.Owner.
func (a *aside) Client() pool.Client { return a.recv.Client() }

// Place is pool.Receiver.
func (a *aside) Place(uint64) uint64 { return a.recv.Place(a.tag) }

// Fail is pool.Receiver. A late reply may still come, so the connection is of no use to others.
func (a *aside) Fail(_ uint64, f *pool.Failure) {
	a.recv.Fail(a.tag, f)
	a.conn.Return(false)
}

// Pushed and OwnLost are pool.Owner: there is nothing to hear, and Fail has told of the loss.
func (a *aside) Pushed([]byte, pool.Piece)         {}
func (a *aside) OwnLost(*pool.Conn, *pool.Failure) {}

// KillScript is SCRIPT KILL and FUNCTION KILL.
func KillScript(s *session.Session, spec *command.Spec, req *parser.Request) {
	allAside(s, spec, req.Raw)
}

// AskOfScript is FUNCTION STATS: it must not stand behind the function of which it is to tell, but comes after what
// its own client has sent before.
func AskOfScript(s *session.Session, spec *command.Spec, req *parser.Request) {
	raw := bytes.Clone(req.Raw)
	s.Begin(&session.Errand{
		Send: func(s *session.Session) { allAside(s, spec, raw) },
		Done: func(*session.Session) {},
	})
}

// allAside asks every shard past what is under way there.
func allAside(s *session.Session, spec *command.Spec, raw []byte) {
	if s.Door.Single() {
		asideTo(s, s.Door.Home(), raw, s, s.Expect(len(raw)))
		return
	}
	g := New(s, spec, len(raw))
	g.Delay()
	for _, i := range s.Door.Map.Shards() {
		n := g.expect(i)
		asideTo(s, i, raw, g, n)
	}
	g.Start()
}
