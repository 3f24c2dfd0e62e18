package transaction

import (
	"ringmaster/pool"

	"ringmaster/session"
	"ringmaster/session/blocking"
)

// proving is a transaction that waits to learn whether the server takes MULTI on this connection at all:
// otherwise its commands would run one by one.
type proving struct {
	session.Passage
	since   int64 // when it was asked first
	refusal []byte
	failure *pool.Failure
}

func (p *proving) Step(s *session.Session, came session.Wait) {
	if came == session.Servers {
		p.conclude(s)
		return
	}
	if !place(s) {
		p.End()
		return
	}
	if p.since == 0 {
		p.since = s.Door.Pool.Now
	}
	p.Await(session.Servers)
	if f := s.Conn(TxOf(s).server).ProveMulti(p.have); f != nil && !p.putOff(s, f) {
		p.End()
		Drop(s)
		s.Door.Scratch = session.AppendFailure(s.Door.Scratch[:0], f, s.Door.Env)
		s.Answer(s.Door.Scratch)
	}
}

// conclude sends the transaction if the server takes MULTI.
func (p *proving) conclude(s *session.Session) {
	if p.failure != nil && p.putOff(s, p.failure) {
		return
	}
	p.End()
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
	if !s.HeldUp() && blocking.Blocked(s) {
		s.Begin(session.Standstill(blocking.Unblocked)) // it was postponed, and then refused
	}
}

// putOff asks again at a tick, where the keys may be elsewhere by then; false: the client is to be told.
func (p *proving) putOff(s *session.Session, f *pool.Failure) bool {
	limit := int64(s.Door.Pool.Timeout())
	if !s.Door.Pool.Resends() || f.Kind != pool.Down && f.Kind != pool.Lost || limit > 0 && s.Door.Pool.Now-p.since > limit {
		return false
	}
	p.failure = nil
	if tx := TxOf(s); tx.key != nil {
		tx.server = s.Door.Map.Lookup(tx.key)
	}
	s.Door.Pool.Hint()
	p.Await(session.Tick)
	return true
}

// have is for pool.Conn.ProveMulti.
func (p *proving) have(refusal []byte, f *pool.Failure) {
	p.refusal, p.failure = refusal, f
	p.Resume(session.Servers)
}
