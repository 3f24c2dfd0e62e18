package transaction

import (
	"ringmaster/pool"

	"ringmaster/session"
	"ringmaster/session/blocking"
)

// proving asks the server whether it takes MULTI on this connection, a passage. A server that does not would run the commands of the
// transaction one by one.
type proving struct {
	session.Passage
	then    func(*session.Session) // sends the transaction
	since   int64                  // when the server was asked first, ns
	refusal []byte                 // the server's error for MULTI; nil: none
	failure *pool.Failure
}

// Step is passage.
func (p *proving) Step(s *session.Session, came session.Wait) {
	if came == session.Servers {
		p.conclude(s)
		return
	}
	if !relocateForExec(s) {
		p.End()
		return
	}
	if p.since == 0 {
		p.since = s.Door.Pool.Now
	}
	p.Await(session.Servers)
	if f := s.Conn(of(s).server).ProveMulti(p.answered); f != nil && !p.retryAtTick(s, f) {
		p.End()
		Drop(s)
		s.Door.Scratch = session.AppendFailure(s.Door.Scratch[:0], f, s.Door.Env)
		s.Answer(s.Door.Scratch)
	}
}

// conclude sends the transaction if the server takes MULTI; otherwise it answers EXEC with the reason.
func (p *proving) conclude(s *session.Session) {
	if p.failure != nil && p.retryAtTick(s, p.failure) {
		return
	}
	p.End()
	switch {
	case p.failure != nil:
		Drop(s)
		f := *p.failure
		f.Sent = false // MULTI may have been sent, but the transaction was not
		s.Door.Scratch = session.AppendFailure(s.Door.Scratch[:0], &f, s.Door.Env)
		s.Answer(s.Door.Scratch)
	case p.refusal != nil:
		Drop(s)
		s.Answer(p.refusal)
	default:
		p.then(s)
	}
	if !s.HeldUp() && blocking.Blocked(s) {
		s.Begin(session.Standstill(blocking.Unblocked)) // CLIENT PAUSE held it up, and then it was refused
	}
}

// retryAtTick asks again at the next tick, because the keys may be elsewhere by then. false: the client must get the failure.
func (p *proving) retryAtTick(s *session.Session, f *pool.Failure) bool {
	limit := int64(s.Door.Pool.Timeout())
	if !s.Door.Pool.Resends() || f.Kind != pool.Down && f.Kind != pool.Lost || limit > 0 && s.Door.Pool.Now-p.since > limit {
		return false
	}
	p.failure = nil
	if tx := of(s); tx.key != nil {
		tx.server = s.Door.Map.Lookup(tx.key)
	}
	s.Door.Pool.Hint()
	p.Await(session.Tick)
	return true
}

// answered is called by pool.Conn.ProveMulti.
func (p *proving) answered(refusal []byte, f *pool.Failure) {
	p.refusal, p.failure = refusal, f
	p.Resume(session.Servers)
}
