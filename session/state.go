package session

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/stats"
)

// pinned carries out a command that leaves state on its connection: from then on the session has connections of
// its own, to every server, until it ends.
func (s *Session) pinned(spec *command.Spec, req *parser.Request) {
	if p := s.pin; p != nil && p.tunnel && p.conn != nil {
		_ = p.conn.Send(req.Raw) // REPLCONF ACK
		s.endsUnanswered()
		return
	}
	switch spec.ID {
	case command.IDSync, command.IDPsync, command.IDReplconf, command.IDScriptDebug:
		if !s.env.single() {
			s.refuse(oneServerState(spec.Name))
			return
		}
	case command.IDClientTracking:
		s.track(req)
		return
	case command.IDClientCaching:
		if !s.env.single() || s.tracks() {
			s.caching(req)
			return
		}
	}
	if !s.tracks() && (spec.ID == command.IDClientTrackinginfo || spec.ID == command.IDClientGetredir) {
		s.pass(anyServer, spec, req) // any connection tells the same
		return
	}
	if spec.ID == command.IDSync || spec.ID == command.IDPsync {
		raw := bytes.Clone(req.Raw)
		s.begin(&errand{send: func(s *Session) { s.replicate(raw) }, done: func(*Session) {}})
		return
	}
	if s.pin != nil && s.pin.dirty {
		s.pin.noteState(s.env.Env, spec, req.Args)
		s.tellAll(spec, req.Raw)
		return
	}
	if spec.ID == command.IDClientCaching {
		s.pass(anyServer, spec, req) // nothing is tracked: an error
		return
	}
	raw, args, told := bytes.Clone(req.Raw), cloneWords(req.Args), false
	s.begin(&errand{
		send: func(s *Session) {
			p, f := s.pinToAll()
			if f != nil {
				s.failed(len(raw), f)
				return
			}
			p.noteState(s.env.Env, spec, args)
			told = true
			s.tellAll(spec, raw)
		},
		done: func(s *Session) {
			if told {
				s.keepPin()
			}
		},
	})
}

// keepPin keeps the session's connections until it ends, if it has any.
func (s *Session) keepPin() {
	switch p := s.pin; {
	case p == nil:
	case p.complete() && !p.everywhere():
		p.soiled = true
		s.closeAs(stats.StateLost) // a server has come meanwhile
	case p.complete():
		p.dirty = true
	default:
		p.soiled = true // those that are left may have the state
	}
	s.settlePin()
}

// tellAll sends a request over every connection of the session's own; the servers' answers are one, or the first error.
func (s *Session) tellAll(spec *command.Spec, raw []byte) {
	if spec.ID == command.IDMonitor {
		for _, o := range s.pin.owns {
			if o.conn != nil {
				o.conn.Stream()
			}
		}
	}
	var special func(*gather, []byte) []byte
	switch spec.ID {
	case command.IDClientTrackinginfo:
		special = (*gather).joinTrackingInfo
	case command.IDClientGetredir:
		special = (*gather).joinGetRedir
	default:
		if s.env.single() {
			s.passRaw(s.env.home(), raw)
			return
		}
	}
	g := s.gather(spec, len(raw))
	g.special = special
	g.hold()
	for _, i := range s.env.Map.Shards() {
		g.ask(i, raw)
	}
	g.release()
}

// passRaw is pass for a request that is not the one being parsed.
func (s *Session) passRaw(server int, raw []byte) {
	tag := s.expect(len(raw))
	if f := s.conn(server).Enqueue(&pool.Request{Raw: raw, Recv: s, Tag: tag, Manner: pool.Here}); f != nil {
		s.Fail(tag, f)
	}
}

// replicate makes the client a replica of the server: from now on the connection carries what is no RESP.
func (s *Session) replicate(raw []byte) {
	p, f := s.pinTo(s.env.home())
	if f == nil {
		f = p.conn.Send(raw)
	}
	if f != nil {
		s.env.scratch = appendFailure(s.env.scratch[:0], f, s.env.Env)
		s.answer(s.env.scratch)
		s.settlePin()
		return
	}
	s.endsUnanswered()
	p.dirty, p.tunnel = true, true
	p.conn.Tunnel()
}

// noteState notes what a command that is passed on leaves on the session's connections and CLIENT LIST tells.
func (p *pin) noteState(e *Env, spec *command.Spec, args [][]byte) {
	on := len(args) == 3 && bytes.EqualFold(args[2], []byte("on"))
	if !on && !(len(args) == 3 && bytes.EqualFold(args[2], []byte("off"))) {
		return
	}
	switch {
	case spec.ID == command.IDClientNoEvict && e.serverIs(7, 0):
		p.noEvict = on
	case spec.ID == command.IDClientNoTouch && e.serverIs(7, 2):
		p.noTouch = on
	}
}
