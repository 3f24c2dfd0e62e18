package session

import "ringmaster/command"

// proving is a transaction that waits to learn whether the server takes MULTI on this connection at all:
// else its commands would run one by one.
type proving struct {
	spec *command.Spec
	s    *Session // nil: cancelled
	// asked: the answer is on its way; proved: it has come.
	asked, proved bool
}

func (p *proving) step(s *Session) {
	conn := s.conn(s.tx.server)
	if !p.asked {
		p.s, p.asked = s, true
		if f := conn.ProveMulti(p); f != nil {
			p.end(s)
			s.dropTransaction()
			s.env.scratch = appendFailure(s.env.scratch[:0], f, s.env)
			s.answer(s.env.scratch)
		}
		return
	}
	if !p.proved {
		return
	}
	p.end(s)
	if !conn.TakesMulti() { // refused, or lost meanwhile
		s.dropTransaction()
		s.refuse(p.spec, errMultiRefused)
		return
	}
	s.execNow(p.spec)
}

// Proved is pool.Prover.
func (p *proving) Proved() {
	p.proved = true
	if p.s != nil {
		p.s.resumeLater()
	}
}

func (p *proving) end(s *Session) { s.passage, s.wait, p.s = nil, nothing, nil }

func (p *proving) cancel(s *Session) { p.end(s) }
