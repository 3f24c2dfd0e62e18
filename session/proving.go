package session

import "ringmaster/pool"

// proving is a transaction that waits to learn whether the server takes MULTI on this connection at all:
// else its commands would run one by one.
type proving struct {
	s *Session // nil: cancelled
	// asked: the answer is on its way; proved: it has come.
	asked, proved bool
	since         int64 // when it was asked first
	refusal       []byte
	failure       *pool.Failure
}

func (p *proving) step(s *Session) {
	if !p.asked {
		if s.Owed() > 0 { // a call that was meant for a wait before this one
			return
		}
		if !s.place() {
			if s.passage == p {
				p.end(s)
			}
			return
		}
		p.s, p.asked = s, true
		if p.since == 0 {
			p.since = s.env.Pool.Now
		}
		if f := s.conn(txOf(s).server).ProveMulti(p.have); f != nil {
			if p.putOff(s, f) {
				return
			}
			p.end(s)
			s.dropTransaction()
			s.env.scratch = appendFailure(s.env.scratch[:0], f, s.env.Env)
			s.answer(s.env.scratch)
		}
		return
	}
	if !p.proved || p.failure != nil && p.putOff(s, p.failure) {
		return
	}
	p.end(s)
	switch {
	case p.failure != nil:
		s.dropTransaction()
		f := *p.failure
		f.Sent = false // the question may have been, the transaction was not
		s.env.scratch = appendFailure(s.env.scratch[:0], &f, s.env.Env)
		s.answer(s.env.scratch)
	case p.refusal != nil:
		s.dropTransaction()
		s.answer(p.refusal)
	default:
		s.execNow()
	}
	if s.passage == nil && s.Blocked() {
		s.begin(standstill((*Session).unblocked)) // it was postponed, and then refused
	}
}

// putOff asks again at a tick, where the keys may be elsewhere by then; false: the client is to be told.
func (p *proving) putOff(s *Session, f *pool.Failure) bool {
	limit := int64(s.env.Pool.Timeout())
	if !s.env.Pool.Resends() || f.Kind != pool.Down && f.Kind != pool.Lost || limit > 0 && s.env.Pool.Now-p.since > limit {
		return false
	}
	p.asked, p.proved, p.failure = false, false, nil
	if tx := txOf(s); tx.key != nil {
		tx.server = s.env.Map.Lookup(tx.key)
	}
	s.env.Pool.Hint()
	s.env.held = append(s.env.held, s)
	return true
}

// have is for pool.Conn.ProveMulti.
func (p *proving) have(refusal []byte, f *pool.Failure) {
	p.proved, p.refusal, p.failure = true, refusal, f
	if p.s != nil {
		p.s.resumeLater()
	}
}

func (p *proving) end(s *Session) {
	s.endPassage()
	p.s = nil
}

func (p *proving) cancel(s *Session) (unanswered bool) {
	p.end(s)
	return true
}
