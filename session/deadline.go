package session

// Requests on a connection have their deadline from package pool. A passage that waits for something else, such as a server's word on
// a subscription that others asked for too, has one of these.

// deadline is when a passage must be over.
//
// Invariant: Env.deadlines is sorted by at.
type deadline struct {
	at   int64 // ns
	s    *Session
	p    passage
	late func(*Session)
}

// Deadline bounds p, the session's passage, by the upstream's timeout from now on. late ends p with an error.
func (e *Env) Deadline(s *Session, p passage, late func(*Session)) {
	if limit := int64(e.Pool.Timeout()); limit > 0 {
		e.deadlines = append(e.deadlines, deadline{e.Pool.Now + limit, s, p, late})
		for i := len(e.deadlines) - 1; i > 0 && e.deadlines[i].at < e.deadlines[i-1].at; i-- { // the timeout was longer before
			e.deadlines[i], e.deadlines[i-1] = e.deadlines[i-1], e.deadlines[i]
		}
	}
}

// passDeadlines ends the passages that have lasted for too long.
func (e *Env) passDeadlines() {
	n := 0
	for ; n < len(e.deadlines) && e.deadlines[n].at < e.Pool.Now; n++ {
		d := e.deadlines[n]
		e.deadlines[n] = deadline{}
		if d.s.State == Open && d.s.Passage == d.p {
			d.late(d.s)
			d.s.ResumeLater()
		}
	}
	if e.deadlines = e.deadlines[n:]; len(e.deadlines) == 0 {
		e.deadlines = nil
	}
}
