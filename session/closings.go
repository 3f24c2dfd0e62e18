package session

import "ringmaster/stats"

// closings closes clients, a job.
type closings struct {
	victims []*Session
	reason  stats.CloseReason
}

func (c *closings) piece(e *Env) (done bool) {
	for p := e.aPiece(); len(c.victims) > 0 && !p.over(e); c.victims = c.victims[1:] {
		e.spend(closeWork)
		c.victims[0].close(c.reason)
	}
	return len(c.victims) == 0
}
