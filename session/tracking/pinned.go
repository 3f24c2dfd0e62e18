package tracking

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/stats"
)

// keepConnections keeps the session's own connections until it ends, if it has any.
func keepConnections(s *session.Session) {
	switch p := s.Pin; {
	case p == nil:
	case p.Complete() && !p.Everywhere():
		p.Soiled = true
		s.CloseAs(stats.StateLost) // a server was added meanwhile
	case p.Complete():
		p.Dirty = true
	default:
		p.Soiled = true // the connections that are left may have the state
	}
	s.SettlePin()
}

// noteFlags notes CLIENT NO-EVICT and NO-TOUCH for CLIENT LIST.
func noteFlags(p *session.Pin, e *session.Env, spec *command.Spec, args [][]byte) {
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

// PassRaw sends a request to server over the session's own connection and passes the reply on. Unlike session.Pass it
// takes any request and not the one being parsed.
func PassRaw(s *session.Session, server int, raw []byte) {
	tag := s.Expect(len(raw))
	if f := s.Conn(server).Enqueue(&pool.Request{Raw: raw, Recv: s, Tag: tag, Manner: pool.Here}); f != nil {
		s.Fail(tag, f)
	}
}
