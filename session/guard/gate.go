package guard

import (
	"bytes"
	"net/netip"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/session/texts"
)

// How often a client may guess. Attempts to log in from an address that has failed too often wait at a gate, with all that the client
// has sent after them; nothing else waits.

// gate is where a loop's logins wait.
type gate struct{ waiting []*gated }

// gateOf is that of a loop.
func gateOf(l *session.Loop) *gate {
	g, _ := l.Gate.(*gate)
	if g == nil {
		g = &gate{}
		l.Gate = g
	}
	return g
}

// Feature is what the gate does when the core tells it that something happens.
var Feature = session.Feature{LoopTick: openGates}

// Charge counts a failure against the client's address. Without a password there is nothing to guess.
func Charge(s *session.Session) {
	if !s.Door.Policy.Open() {
		s.Door.Attempts.Failed(origin(s), s.Door.Pool.Now)
	}
}

// origin is the address from which the client comes; the zero address if it comes over a unix socket.
func origin(s *session.Session) netip.Addr {
	remote, _ := s.Socket.Addr()
	addr, _ := netip.ParseAddrPort(remote)
	return addr.Addr()
}

// WaitAtGate makes the client wait if its address has failed to log in too often, and calls goOn with the request when the gate opens;
// false: it may be looked at now. A transaction's commands wait before they are queued, since EXEC can't wait between two of them.
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

// openGates lets those go on whose gate has opened.
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

// LogsIn reports whether a request tries to log in.
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

// LoginsAtGate is how many logins wait. It is for tests. Loop-only.
func LoginsAtGate(l *session.Loop) int { return len(gateOf(l).waiting) }
