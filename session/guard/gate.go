package guard

import (
	"bytes"
	"net/netip"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/session/texts"
)

// Logins from an address that has failed too often wait at a gate, so that passwords can't be guessed fast. What the client has sent after the
// login waits too.

// gate has the logins of a loop that wait.
type gate struct{ waiting []*gated }

// gateOf returns the loop's gate.
func gateOf(l *session.Loop) *gate {
	g, _ := l.Gate.(*gate)
	if g == nil {
		g = &gate{}
		l.Gate = g
	}
	return g
}

// Feature is what the core calls.
var Feature = session.Feature{LoopTick: openGates}

// CountFailure counts a failed login from the client's address, if there is a password to guess. Loop-only.
func CountFailure(s *session.Session) {
	if !s.Door.Policy.Open() {
		s.Door.Attempts.Failed(origin(s), s.Door.Pool.Now)
	}
}

// origin returns the address from which the client comes. It is the zero address for a unix socket.
func origin(s *session.Session) netip.Addr {
	remote, _ := s.Socket.Addr()
	addr, _ := netip.ParseAddrPort(remote)
	return addr.Addr()
}

// WaitAtGate makes a login wait if the client's address has failed too often. When the gate opens, it calls goOn with the request. false: the
// login need not wait. In a transaction a login waits before it is queued, because EXEC can't wait between two commands. Borrows req until
// return. Loop-only.
func WaitAtGate(s *session.Session, spec *command.Spec, req *parser.Request, goOn session.Handler) bool {
	e := s.Door
	if e.Attempts.Quiet() || e.PastGate || e.Capture != nil {
		return false
	}
	ns := e.Attempts.Wait(origin(s), e.Pool.Now)
	if ns == 0 {
		return false
	}
	e.Stats.LoginsDelayed++
	t := &gated{spec: spec, raw: bytes.Clone(req.Raw), at: e.Pool.Now + ns, goOn: goOn}
	g := gateOf(e.Loop)
	g.waiting = append(g.waiting, t)
	if !s.Paused { // what it sends meanwhile waits in the kernel
		s.Paused = true
		s.Socket.Pause()
	}
	s.Begin(t)
	return true
}

// gated is a login that waits at its address's gate, a passage.
type gated struct {
	session.Passage
	spec *command.Spec
	raw  []byte
	at   int64 // when the gate opens, ns
	goOn session.Handler
}

// Step is passage.
func (t *gated) Step(s *session.Session, _ session.Wait) {
	e := s.Door
	if e.Pool.Now < t.at {
		t.Await(session.Time)
		return
	}
	t.End()
	req, ok := parser.Reparse(t.raw)
	if !ok {
		s.Refuse(texts.Syntax)
		return
	}
	e.PastGate = true
	t.goOn(s, t.spec, &req)
	e.PastGate = false
}

// openGates ends the wait of logins whose gate has opened.
func openGates(l *session.Loop) {
	g := gateOf(l)
	left := g.waiting[:0]
	for _, t := range g.waiting {
		switch {
		case t.Over():
		case l.Clock.Now < t.at:
			left = append(left, t)
		default:
			t.Resume(session.Time)
		}
	}
	clear(g.waiting[len(left):])
	g.waiting = left
}

// LogsIn reports whether a request tries to log in. Borrows args until return. Loop-only.
func LogsIn(spec *command.Spec, args [][]byte) bool {
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

// LoginsAtGate returns how many logins wait. It is for tests. Loop-only.
func LoginsAtGate(l *session.Loop) int { return len(gateOf(l).waiting) }
