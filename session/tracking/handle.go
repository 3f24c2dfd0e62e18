package tracking

import (
	"bytes"
	"fmt"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/session/gather"
	"ringmaster/session/texts"
)

// Handle carries out a command that leaves state on its connection. From then on the session has its own connections,
// to every server, until it ends. Borrows req until return.
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
		if !s.Door.Single() || IsOn(s) {
			caching(s, req)
			return
		}
	}
	if !IsOn(s) && (spec.ID == command.IDClientTrackinginfo || spec.ID == command.IDClientGetredir) {
		s.Pass(session.AnyServer, spec, req) // every connection gives the same answer
		return
	}
	if spec.ID == command.IDSync || spec.ID == command.IDPsync {
		raw := bytes.Clone(req.Raw)
		s.Begin(&session.Errand{Send: func(s *session.Session) { replicate(s, raw) }, Done: func(*session.Session) {}})
		return
	}
	if s.Pin != nil && s.Pin.Dirty {
		noteFlags(s.Pin, s.Door.Env, spec, req.Args)
		sendToAll(s, spec, req.Raw)
		return
	}
	if spec.ID == command.IDClientCaching {
		s.Pass(session.AnyServer, spec, req) // nothing is tracked, so the server answers an error
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
			noteFlags(p, s.Door.Env, spec, args)
			told = true
			sendToAll(s, spec, raw)
		},
		Done: func(s *session.Session) {
			if told {
				keepConnections(s)
			}
		},
	})
}

// sendToAll sends a request over each of the session's own connections. The client gets one answer: the first error, if
// there is one.
func sendToAll(s *session.Session, spec *command.Spec, raw []byte) {
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

// joinTrackingInfo gives the answer of one server, with the proxy's ID of the target. The servers' answers differ only
// in broken_redirect, which a server sets when it has something to send.
func joinTrackingInfo(g *gather.Gather, dst []byte) []byte {
	from := &g.Parts[0]
	for i := range g.Parts {
		if bytes.Contains(g.Parts[i].Buf.B, []byte("$15\r\nbroken_redirect\r\n")) {
			from = &g.Parts[i]
			break
		}
	}
	reply := from.Buf.B
	if r := redirectFor(g); r != nil {
		reply = bytes.Replace(reply, fmt.Appendf(nil, "redirect\r\n:%d\r\n", r.id(from.Server)), fmt.Appendf(nil, "redirect\r\n:%d\r\n", r.target), 1)
	}
	return append(dst, reply...)
}

// joinGetRedir gives the first server's answer, with the proxy's ID of the target.
func joinGetRedir(g *gather.Gather, dst []byte) []byte {
	reply := g.Parts[0].Buf.B
	if n, ok := parser.Integer(reply); ok && n > 0 && redirectFor(g) != nil {
		return parser.AppendInt(dst, int64(redirectFor(g).target))
	}
	return append(dst, reply...)
}

func redirectFor(g *gather.Gather) *redirection {
	if g.Session == nil {
		return nil
	}
	if t := StateOf(g.Session.Pin); t != nil {
		return t.redirect
	}
	return nil
}

// replicate makes the client a replica of the server. From then on the connection carries bytes that are no RESP.
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
