package blocking

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/gather"
	"ringmaster/session/texts"
	"ringmaster/stats"
)

// Block carries out a command that may wait at the server, on a connection of its own: on a shared one it
// would keep everybody waiting.
func Block(s *session.Session, spec *command.Spec, req *parser.Request) {
	if spec.ID == command.IDWait || spec.ID == command.IDWaitaof {
		waitForReplicas(s, spec, req)
		return
	}
	server, ok := s.OneShard(spec, req)
	if !ok {
		return
	}
	raw, version := bytes.Clone(req.Raw), s.Door.Version
	s.Begin(&session.Errand{
		Send: func(s *session.Session) {
			if s.EOF { // nobody will ever read it
				s.CloseAs(stats.ClientClosed)
				return
			}
			if s.Door.Version != version {
				s.Door.Route(s, spec, raw)
				return
			}
			if p := s.Pin; p != nil && p.Server != server && p.To(server) == nil {
				s.Refuse(texts.PinnedElsewhere)
				return
			}
			if s.Door.Pool.Resends() {
				SendApart(s, spec, raw, server)
				return
			}
			waitAt(s, server, spec, raw)
		},
		Done: Unblocked,
	})
}

// waitAt sends a request that may wait at a server of a list, which may change.
func waitAt(s *session.Session, server int, spec *command.Spec, raw []byte) {
	w := &blocked{s: s, spec: spec, raw: raw, tag: s.Expect(len(raw)), server: server}
	if f := w.send(); f != nil {
		s.Fail(w.tag, f)
	}
}

// blockAt sends a request that may wait at the server.
func blockAt(s *session.Session, server int, spec *command.Spec, raw []byte) {
	tag := s.Expect(len(raw))
	conn, f := blockingConn(s, server)
	if f == nil {
		f = s.Door.EnqueueBlocking(conn, raw, s, tag, spec)
	}
	if f != nil {
		s.Fail(tag, f)
	}
}

// blockingConn is the connection to block on. One that watches stays the one that watches.
func blockingConn(s *session.Session, server int) (*pool.Conn, *pool.Failure) {
	if p := s.Pin; p != nil {
		if c := p.To(server); c != nil {
			p.Sends(server, c)
			p.Blocks = true
			return c, nil
		}
	}
	p, f := s.PinTo(server)
	if f != nil {
		return nil, f
	}
	s.Door.Pool.KeepSpare(server, s.Rings.Key())
	p.Blocks = true
	return p.Conn, nil
}

// Unblocked is the end of a blocking command.
func Unblocked(s *session.Session) {
	if s.Pin != nil {
		s.Pin.Blocks, s.Pin.Waiting = false, nil
		s.Pin.Arrive()
	}
	s.SettlePin()
}

// waitForReplicas carries out WAIT and WAITAOF at every server; the least of their counts is the answer.
func waitForReplicas(s *session.Session, spec *command.Spec, req *parser.Request) {
	raw := bytes.Clone(req.Raw)
	s.Begin(&session.Errand{
		Send: func(s *session.Session) {
			if s.EOF {
				s.CloseAs(stats.ClientClosed)
				return
			}
			p, f := s.PinToAll()
			if f != nil {
				s.Failed(len(raw), f)
				return
			}
			p.Blocks = true
			for _, o := range p.Owns {
				// WAIT asks for what the connection wrote last, which was over another one: any command makes the
				// server take the present offset for that.
				if o.Conn != nil {
					_ = o.Conn.Tell("PING")
				}
			}
			if s.Door.Single() {
				blockAt(s, s.Door.Home(), spec, raw)
				return
			}
			g := gather.New(s, spec, len(raw))
			g.Merge, g.Blocks = command.MergeMin, true
			g.Delay()
			for _, i := range s.Door.Map.Shards() {
				g.Ask(i, raw)
			}
			g.Start()
		},
		Done: Unblocked,
	})
}

// Blocked reports whether a blocking command is under way. Redis, too, frees such a client when it shuts its
// write half.
func Blocked(s *session.Session) bool { return s.Pin != nil && s.Pin.Blocks }
