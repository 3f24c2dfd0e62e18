package session

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/stats"
)

// block carries out a command that may wait at the server, on a connection of its own: on a shared one it
// would keep everybody waiting.
func (s *Session) block(spec *command.Spec, req *parser.Request) {
	if spec.ID == command.IDWait || spec.ID == command.IDWaitaof {
		s.waitForReplicas(spec, req)
		return
	}
	server, ok := s.oneShard(spec, req)
	if !ok {
		return
	}
	raw, version := bytes.Clone(req.Raw), s.env.version
	s.begin(&errand{
		send: func(s *Session) {
			if s.eof { // nobody will ever read it
				s.closeAs(stats.ClientClosed)
				return
			}
			if s.env.version != version {
				s.env.Route(s, spec, raw)
				return
			}
			if p := s.pin; p != nil && p.server != server && p.to(server) == nil {
				s.refuse(errPinnedElsewhere)
				return
			}
			if s.env.Pool.Resends() {
				s.sendApart(spec, raw, server)
				return
			}
			s.waitAt(server, spec, raw)
		},
		done: (*Session).unblocked,
	})
}

// waitAt sends a request that may wait at a server of a list, which may change.
func (s *Session) waitAt(server int, spec *command.Spec, raw []byte) {
	w := &blocked{s: s, spec: spec, raw: raw, tag: s.expect(len(raw)), server: server}
	if f := w.send(); f != nil {
		s.Fail(w.tag, f)
	}
}

// blockAt sends a request that may wait at the server.
func (s *Session) blockAt(server int, spec *command.Spec, raw []byte) {
	tag := s.expect(len(raw))
	conn, f := s.blockingConn(server)
	if f == nil {
		f = s.enqueueBlocking(conn, raw, s, tag, spec)
	}
	if f != nil {
		s.Fail(tag, f)
	}
}

// blockingConn is the connection to block on. One that watches stays the one that watches.
func (s *Session) blockingConn(server int) (*pool.Conn, *pool.Failure) {
	if p := s.pin; p != nil {
		if c := p.to(server); c != nil {
			p.sends(server, c)
			p.blocks = true
			return c, nil
		}
	}
	p, f := s.pinTo(server)
	if f != nil {
		return nil, f
	}
	s.env.Pool.KeepSpare(server, s.rings.Key())
	p.blocks = true
	return p.conn, nil
}

// unblocked is the end of a blocking command.
func (s *Session) unblocked() {
	if s.pin != nil {
		s.pin.blocks, s.pin.waiting = false, nil
		s.pin.arrive()
	}
	s.settlePin()
}

// waitForReplicas carries out WAIT and WAITAOF at every server; the least of their counts is the answer.
func (s *Session) waitForReplicas(spec *command.Spec, req *parser.Request) {
	raw := bytes.Clone(req.Raw)
	s.begin(&errand{
		send: func(s *Session) {
			if s.eof {
				s.closeAs(stats.ClientClosed)
				return
			}
			p, f := s.pinToAll()
			if f != nil {
				s.failed(len(raw), f)
				return
			}
			p.blocks = true
			for _, o := range p.owns {
				// WAIT asks for what the connection wrote last, which was over another one: any command makes the
				// server take the present offset for that.
				if o.conn != nil {
					_ = o.conn.Tell("PING")
				}
			}
			if s.env.single() {
				s.blockAt(s.env.home(), spec, raw)
				return
			}
			g := s.gather(spec, len(raw))
			g.merge, g.blocks = command.MergeMin, true
			g.hold()
			for _, i := range s.env.Map.Shards() {
				g.ask(i, raw)
			}
			g.release()
		},
		done: (*Session).unblocked,
	})
}

// Blocked reports whether a blocking command is under way. Redis, too, frees such a client when it shuts its
// write half.
func (s *Session) Blocked() bool { return s.pin != nil && s.pin.blocks }
