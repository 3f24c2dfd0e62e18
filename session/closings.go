package session

import "ringmaster/stats"

// Closings closes clients, a job.
type Closings struct {
	Impersonal
	Victims []*Session
	Reason  stats.CloseReason
}

func (c *Closings) Piece(e *Env) (done bool) {
	for p := e.APiece(); len(c.Victims) > 0 && !p.Over(e); c.Victims = c.Victims[1:] {
		e.Spend(CloseWork)
		c.Victims[0].Close(c.Reason)
	}
	return len(c.Victims) == 0
}
