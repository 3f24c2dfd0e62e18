package session

import (
	"bytes"
	"net/netip"

	"ringmaster/command"
	"ringmaster/parser"
)

// Logging in, and how often a client may guess. Attempts from an address that has failed too often wait at a gate, with all
// that the client has sent after them; nothing else waits.

func (s *Session) auth(spec *command.Spec, req *parser.Request) {
	if len(req.Args) > 3 {
		s.refuse(errSyntax)
		return
	}
	user, password := []byte("default"), req.Args[len(req.Args)-1]
	if len(req.Args) == 3 {
		user = req.Args[1]
	} else if s.env.Policy.Open() {
		s.refuse(errNoPassword)
		return
	}
	if s.waitAtGate(spec, req) {
		return
	}
	if !s.login(user, password) {
		s.refuse(errWrongPass)
		return
	}
	s.answerString("+OK\r\n")
}

// login lets the client in if the credentials are right; a failure keeps who it was.
func (s *Session) login(user, password []byte) bool {
	if !s.env.Policy.Check(user, password) {
		s.env.Stats.LoginsFailed++
		s.charge()
		s.notify(LoginFailed, user)
		return false
	}
	s.authed, s.parser.Unauthenticated = true, false
	return true
}

// charge counts a failure against the client's address. Without a password there is nothing to guess.
func (s *Session) charge() {
	if !s.env.Policy.Open() {
		s.env.Attempts.Failed(s.origin(), s.env.Pool.Now)
	}
}

// origin is the address from which the client comes; the zero address if it comes over a unix socket.
func (s *Session) origin() netip.Addr {
	remote, _ := s.sock.Addr()
	addr, _ := netip.ParseAddrPort(remote)
	return addr.Addr()
}

// waitAtGate makes the client wait if its address has failed to log in too often; false: it may be looked at now. A
// transaction's commands wait before they are queued, since EXEC can't wait between two of them.
func (s *Session) waitAtGate(spec *command.Spec, req *parser.Request) bool {
	e := s.env
	if e.Attempts.Quiet() || e.pastGate || e.capture != nil {
		return false
	}
	ns := e.Attempts.Wait(s.origin(), e.Pool.Now)
	if ns == 0 {
		return false
	}
	e.Stats.LoginsDelayed++
	t := &gated{s: s, spec: spec, raw: bytes.Clone(req.Raw), at: e.Pool.Now + ns}
	e.atGate = append(e.atGate, t)
	if !s.paused { // what it sends meanwhile waits in the kernel
		s.paused = true
		s.sock.Pause()
	}
	s.begin(t)
	return true
}

// gated is a login that waits at its address's gate, a passage.
type gated struct {
	s    *Session // nil: cancelled
	spec *command.Spec
	raw  []byte
	at   int64 // when the gate opens, ns
}

func (t *gated) step(s *Session) {
	e := s.env
	if s.Owed() > 0 || e.Pool.Now < t.at {
		return
	}
	s.endPassage()
	req, ok := parseAgain(t.raw)
	if !ok {
		s.refuse(errSyntax)
		return
	}
	handler := e.Rules.of(t.spec).handler
	if handler == nil { // it was denied meanwhile
		s.reject(t.spec, noPermission(t.spec.Name))
		return
	}
	e.pastGate = true
	if s.tx != nil {
		s.queueLocal(t.spec, &req)
	} else {
		handler(s, t.spec, &req)
	}
	e.pastGate = false
}

func (t *gated) cancel(s *Session) (unanswered bool) {
	s.endPassage()
	t.s = nil
	return true
}

// openGates lets those go on whose gate has opened.
func (l *Loop) openGates() {
	left := l.atGate[:0]
	for _, t := range l.atGate {
		switch {
		case t.s == nil:
		case l.Clock.Now < t.at:
			left = append(left, t)
		default:
			t.s.resumeLater()
		}
	}
	clear(l.atGate[len(left):])
	l.atGate = left
}

// logsIn reports whether a request tries to log in.
func logsIn(spec *command.Spec, args [][]byte) bool {
	switch spec.ID {
	case command.IDAuth:
		return true
	case command.IDHello:
		for _, a := range args[1:] {
			if bytes.EqualFold(a, []byte("auth")) {
				return true
			}
		}
	}
	return false
}
