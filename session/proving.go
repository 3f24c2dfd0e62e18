package session

import (
	"ringmaster/command"
	"ringmaster/pool"
)

// proving is a transaction that waits to learn whether the server takes MULTI on this connection at all:
// else its commands would run one by one.
type proving struct {
	spec *command.Spec
	s    *Session // nil: cancelled
	// asked: the answer is on its way; proved: it has come.
	asked, proved bool
	refusal       []byte
	failure       *pool.Failure
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
	switch {
	case p.failure != nil:
		s.dropTransaction()
		f := *p.failure
		f.Sent = false // the question may have been, the transaction was not
		s.env.scratch = appendFailure(s.env.scratch[:0], &f, s.env)
		s.answer(s.env.scratch)
	case p.refusal != nil:
		s.dropTransaction()
		s.env.Stats.Error(p.spec.ID, p.refusal)
		s.answer(p.refusal)
	default:
		s.execNow(p.spec)
	}
	if s.passage == nil && s.Blocked() {
		s.begin(standstill((*Session).unblocked)) // it was postponed, and then refused
	}
}

// Proved is pool.Prover.
func (p *proving) Proved(refusal []byte, f *pool.Failure) {
	p.proved, p.refusal, p.failure = true, refusal, f
	if p.s != nil {
		p.s.resumeLater()
	}
}

func (p *proving) end(s *Session) { s.passage, s.wait, p.s = nil, nothing, nil }

func (p *proving) cancel(s *Session) (unanswered bool) {
	p.end(s)
	return true
}
