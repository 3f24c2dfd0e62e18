package session

// Errand is a passage with one request, which goes over another connection than those before it.
type Errand struct {
	Passage
	Send func(*Session) // sends it; or answers why not; or begins a passage that takes the errand's place
	Done func(*Session) // is called when it is answered
	sent bool
	idle bool // nobody asked: it only holds up what comes after
}

func (e *Errand) Step(s *Session, _ Wait) {
	if !e.sent {
		e.sent = true
		e.Send(s)
		if e.Over() || s.Owed() > 0 {
			return
		}
	}
	e.End()
	e.Done(s)
}

func (e *Errand) Cancel(*Session) (unanswered bool) { return !e.sent && !e.idle }

// Standstill is an errand without a request: what comes after waits until all before is answered, and done is called.
func Standstill(done func(*Session)) *Errand {
	return &Errand{Send: func(*Session) {}, Done: done, idle: true}
}
