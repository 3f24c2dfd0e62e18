package tracking

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

// Handle carries out a command that leaves state on its connection: from then on the session has connections of
// its own, to every server, until it ends.
func Handle(s *session.Session, spec *command.Spec, req *parser.Request) {
	if p := s.Pin; p != nil && p.Tunnel && p.Conn != nil {
		_ = p.Conn.Send(req.Raw) // REPLCONF ACK
		s.EndsUnanswered()
		return
	}
	switch spec.ID {
	case command.IDSync, command.IDPsync, command.IDReplconf, command.IDScriptDebug:
		if !s.Door.Single() {
			s.Refuse(texts.OneServerState(spec.Name))
			return
		}
	case command.IDClientTracking:
		track(s, req)
		return
	case command.IDClientCaching:
		if !s.Door.Single() || Tracks(s) {
			caching(s, req)
			return
		}
	}
	if !Tracks(s) && (spec.ID == command.IDClientTrackinginfo || spec.ID == command.IDClientGetredir) {
		s.Pass(session.AnyServer, spec, req) // any connection tells the same
		return
	}
	if spec.ID == command.IDSync || spec.ID == command.IDPsync {
		raw := bytes.Clone(req.Raw)
		s.Begin(&session.Errand{Send: func(s *session.Session) { replicate(s, raw) }, Done: func(*session.Session) {}})
		return
	}
	if s.Pin != nil && s.Pin.Dirty {
		noteState(s.Pin, s.Door.Env, spec, req.Args)
		tellAll(s, spec, req.Raw)
		return
	}
	if spec.ID == command.IDClientCaching {
		s.Pass(session.AnyServer, spec, req) // nothing is tracked: an error
		return
	}
	raw, args, told := bytes.Clone(req.Raw), parser.CloneWords(req.Args), false
	s.Begin(&session.Errand{
		Send: func(s *session.Session) {
			p, f := s.PinToAll()
			if f != nil {
				s.Failed(len(raw), f)
				return
			}
			noteState(p, s.Door.Env, spec, args)
			told = true
			tellAll(s, spec, raw)
		},
		Done: func(s *session.Session) {
			if told {
				keepPin(s)
			}
		},
	})
}

// keepPin keeps the session's connections until it ends, if it has any.
func keepPin(s *session.Session) {
	switch p := s.Pin; {
	case p == nil:
	case p.Complete() && !p.Everywhere():
		p.Soiled = true
		s.CloseAs(stats.StateLost) // a server has come meanwhile
	case p.Complete():
		p.Dirty = true
	default:
		p.Soiled = true // those that are left may have the state
	}
	s.SettlePin()
}

// tellAll sends a request over every connection of the session's own; the servers' answers are one, or the first error.
func tellAll(s *session.Session, spec *command.Spec, raw []byte) {
	if spec.ID == command.IDMonitor {
		for _, o := range s.Pin.Owns {
			if o.Conn != nil {
				o.Conn.Stream()
			}
		}
	}
	var special func(*gather.Gather, []byte) []byte
	switch spec.ID {
	case command.IDClientTrackinginfo:
		special = joinTrackingInfo
	case command.IDClientGetredir:
		special = joinGetRedir
	default:
		if s.Door.Single() {
			PassRaw(s, s.Door.Home(), raw)
			return
		}
	}
	g := gather.New(s, spec, len(raw))
	g.Special = special
	g.Delay()
	for _, i := range s.Door.Map.Shards() {
		g.Ask(i, raw)
	}
	g.Start()
}

// PassRaw is pass for a request that is not the one being parsed.
func PassRaw(s *session.Session, server int, raw []byte) {
	tag := s.Expect(len(raw))
	if f := s.Conn(server).Enqueue(&pool.Request{Raw: raw, Recv: s, Tag: tag, Manner: pool.Here}); f != nil {
		s.Fail(tag, f)
	}
}

// replicate makes the client a replica of the server: from now on the connection carries what is no RESP.
func replicate(s *session.Session, raw []byte) {
	p, f := s.PinTo(s.Door.Home())
	if f == nil {
		f = p.Conn.Send(raw)
	}
	if f != nil {
		s.Door.Scratch = session.AppendFailure(s.Door.Scratch[:0], f, s.Door.Env)
		s.Answer(s.Door.Scratch)
		s.SettlePin()
		return
	}
	s.EndsUnanswered()
	p.Dirty, p.Tunnel = true, true
	p.Conn.Tunnel()
}

// noteState notes what a command that is passed on leaves on the session's connections and CLIENT LIST tells.
func noteState(p *session.Pin, e *session.Env, spec *command.Spec, args [][]byte) {
	on := len(args) == 3 && bytes.EqualFold(args[2], []byte("on"))
	if !on && !(len(args) == 3 && bytes.EqualFold(args[2], []byte("off"))) {
		return
	}
	switch {
	case spec.ID == command.IDClientNoEvict && e.ServerIs(7, 0):
		p.NoEvict = on
	case spec.ID == command.IDClientNoTouch && e.ServerIs(7, 2):
		p.NoTouch = on
	}
}
