package gather

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
)

// bypass is a request that must not wait for earlier requests to the server, so it goes over a connection of its own. Otherwise SCRIPT KILL
// would wait for the script that it is to end.
type bypass struct {
	conn *pool.Conn
	recv pool.Receiver
	tag  uint64
}

// sendBypass sends raw to server. recv gets the reply under tag. Borrows raw until return.
func sendBypass(s *session.Session, server int, raw []byte, recv pool.Receiver, tag uint64) {
	a := &bypass{recv: recv, tag: tag}
	// Database 0, because a busy server takes no SELECT.
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
func (a *bypass) Reply(_ uint64, b []byte, p pool.Piece) {
	a.recv.Reply(a.tag, b, p)
	if p&pool.Last != 0 {
		a.conn.Return(true)
	}
}

// Client is pool.Receiver and pool.Owner.
func (a *bypass) Client() pool.Client { return a.recv.Client() }

// Place is pool.Receiver.
func (a *bypass) Place(uint64) uint64 { return a.recv.Place(a.tag) }

// Fail is pool.Receiver. A late reply may still come, so the connection can't be used again.
func (a *bypass) Fail(_ uint64, f *pool.Failure) {
	a.recv.Fail(a.tag, f)
	a.conn.Return(false)
}

// Pushed and OwnLost are pool.Owner. They do nothing: no pushes are expected, and Fail has reported the loss.
func (a *bypass) Pushed([]byte, pool.Piece)         {}
func (a *bypass) OwnLost(*pool.Conn, *pool.Failure) {}

// KillScript carries out SCRIPT KILL, FUNCTION KILL and their like at once, whatever waits at the servers. Borrows req until return.
// Loop-only.
func KillScript(s *session.Session, spec *command.Spec, req *parser.Request) {
	bypassToAll(s, spec, req.Raw)
}

// AskOfScript carries out FUNCTION STATS. It must not wait for the function that it reports on, but it runs after all earlier requests of
// its client. Borrows req until return. Loop-only.
func AskOfScript(s *session.Session, spec *command.Spec, req *parser.Request) {
	raw := bytes.Clone(req.Raw)
	s.Begin(&session.Errand{
		Send: func(s *session.Session) { bypassToAll(s, spec, raw) },
		Done: func(*session.Session) {},
	})
}

// bypassToAll sends raw to every shard, past the requests that wait there.
func bypassToAll(s *session.Session, spec *command.Spec, raw []byte) {
	if s.Door.Single() {
		sendBypass(s, s.Door.Home(), raw, s, s.Expect(len(raw)))
		return
	}
	g := New(s, spec, len(raw))
	g.Delay()
	for _, i := range s.Door.Map.Shards() {
		n := g.expect(i)
		sendBypass(s, i, raw, g, n)
	}
	g.Start()
}
