package session

import (
	"bytes"
	"net/netip"

	"ringmaster/command"
	"ringmaster/parser"
)

// How often a client may guess. Attempts to log in from an address that has failed too often wait at a gate, with all that the client
// has sent after them; nothing else waits.

// gate is where a loop's logins wait.
type gate struct{ waiting []*gated }

// gateOf is that of a loop.
func gateOf(l *Loop) *gate {
	g, _ := l.gate.(*gate)
	if g == nil {
		g = &gate{}
		l.gate = g
	}
	return g
}

// guardFeature is what the gate does when the core tells it that something happens.
var guardFeature = Feature{LoopTick: (*Loop).openGates}

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

// waitAtGate makes the client wait if its address has failed to log in too often, and calls goOn with the request when the gate opens;
// false: it may be looked at now. A transaction's commands wait before they are queued, since EXEC can't wait between two of them.
func (s *Session) waitAtGate(spec *command.Spec, req *parser.Request, goOn handler) bool {
	e := s.env
	if e.Attempts.Quiet() || e.pastGate || e.capture != nil {
		return false
	}
	ns := e.Attempts.Wait(s.origin(), e.Pool.Now)
	if ns == 0 {
		return false
	}
	e.Stats.LoginsDelayed++
	t := &gated{s: s, spec: spec, raw: bytes.Clone(req.Raw), at: e.Pool.Now + ns, goOn: goOn}
	g := gateOf(e.Loop)
	g.waiting = append(g.waiting, t)
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
	goOn handler
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
	e.pastGate = true
	t.goOn(s, t.spec, &req)
	e.pastGate = false
}

func (t *gated) cancel(s *Session) (unanswered bool) {
	s.endPassage()
	t.s = nil
	return true
}

// openGates lets those go on whose gate has opened.
func (l *Loop) openGates() {
	g := gateOf(l)
	left := g.waiting[:0]
	for _, t := range g.waiting {
		switch {
		case t.s == nil:
		case l.Clock.Now < t.at:
			left = append(left, t)
		default:
			t.s.resumeLater()
		}
	}
	clear(g.waiting[len(left):])
	g.waiting = left
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

// LoginsAtGate is how many logins wait. It is for tests. Loop-only.
func LoginsAtGate(l *Loop) int { return len(gateOf(l).waiting) }
