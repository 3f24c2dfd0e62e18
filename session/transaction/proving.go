package transaction

import (
	"ringmaster/pool"

	"ringmaster/session"
	"ringmaster/session/blocking"
)

// proving is a transaction that waits to learn whether the server takes MULTI on this connection at all:
// else its commands would run one by one.
type proving struct {
	s *session.Session // nil: cancelled
	// asked: the answer is on its way; proved: it has come.
	asked, proved bool
	since         int64 // when it was asked first
	refusal       []byte
	failure       *pool.Failure
}

func (p *proving) Step(s *session.Session) {
	if !p.asked {
		if s.Owed() > 0 { // a call that was meant for a wait before this one
			return
		}
		if !place(s) {
			if s.Passage == p {
				p.end(s)
			}
			return
		}
		p.s, p.asked = s, true
		if p.since == 0 {
			p.since = s.Door.Pool.Now
		}
		if f := s.Conn(TxOf(s).server).ProveMulti(p.have); f != nil {
			if p.putOff(s, f) {
				return
			}
			p.end(s)
			Drop(s)
			s.Door.Scratch = session.AppendFailure(s.Door.Scratch[:0], f, s.Door.Env)
			s.Answer(s.Door.Scratch)
		}
		return
	}
	if !p.proved || p.failure != nil && p.putOff(s, p.failure) {
		return
	}
	p.end(s)
	switch {
	case p.failure != nil:
		Drop(s)
		f := *p.failure
		f.Sent = false // the question may have been, the transaction was not
		s.Door.Scratch = session.AppendFailure(s.Door.Scratch[:0], &f, s.Door.Env)
		s.Answer(s.Door.Scratch)
	case p.refusal != nil:
		Drop(s)
		s.Answer(p.refusal)
	default:
		execNow(s)
	}
	if s.Passage == nil && blocking.Blocked(s) {
		s.Begin(session.Standstill(blocking.Unblocked)) // it was postponed, and then refused
	}
}

// putOff asks again at a tick, where the keys may be elsewhere by then; false: the client is to be told.
func (p *proving) putOff(s *session.Session, f *pool.Failure) bool {
	limit := int64(s.Door.Pool.Timeout())
	if !s.Door.Pool.Resends() || f.Kind != pool.Down && f.Kind != pool.Lost || limit > 0 && s.Door.Pool.Now-p.since > limit {
		return false
	}
	p.asked, p.proved, p.failure = false, false, nil
	if tx := TxOf(s); tx.key != nil {
		tx.server = s.Door.Map.Lookup(tx.key)
	}
	s.Door.Pool.Hint()
	s.Door.Held = append(s.Door.Held, s)
	return true
}

// have is for pool.Conn.ProveMulti.
func (p *proving) have(refusal []byte, f *pool.Failure) {
	p.proved, p.refusal, p.failure = true, refusal, f
	if p.s != nil {
		p.s.ResumeLater()
	}
}

func (p *proving) end(s *session.Session) {
	s.EndPassage()
	p.s = nil
}

func (p *proving) Cancel(s *session.Session) (unanswered bool) {
	p.end(s)
	return true
}
