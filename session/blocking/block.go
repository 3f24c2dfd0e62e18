package blocking

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/session/gather"
	"ringmaster/session/texts"
	"ringmaster/stats"
)

// Block carries out a command that may wait at the server, over the session's own connection. On a shared connection all clients would wait
// for it. Borrows req until return. Loop-only.
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
			if s.EOF { // nobody will read the reply
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
				SendPinned(s, spec, raw, server)
				return
			}
			waitAt(s, server, spec, raw)
		},
		Done: Unblocked,
	})
}

// waitAt sends a request that may wait at a server of a list. The list may change while it waits.
func waitAt(s *session.Session, server int, spec *command.Spec, raw []byte) {
	w := &blocked{s: s, spec: spec, raw: raw, tag: s.Expect(len(raw)), server: server}
	if f := w.send(); f != nil {
		s.Fail(w.tag, f)
	}
}

// blockAt sends a request that may wait at the only server.
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

// waitForReplicas carries out WAIT and WAITAOF at every server. The answer is the smallest of their counts.
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
				// WAIT waits for what its connection wrote last, but the client has written over another connection. After
				// any command the server takes the present offset for that of the connection.
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
