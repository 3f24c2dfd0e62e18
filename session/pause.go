package session

// Pause is a CLIENT PAUSE that a client has sent to the servers. While it lasts a server answers the commands that it
// postpones in its own time, and everything behind them on their connection; so they go over connections of their own.
type Pause struct {
	Until int64 // as Pool.Now; 0: there is none
	All   bool  // not only what may write
}

// Paused reports whether a CLIENT PAUSE is in force.
func (e *Env) Paused() bool {
	if e.Pause.Until > 0 && e.Pool.Now >= e.Pause.Until {
		e.Pause = Pause{}
	}
	return e.Pause.Until > 0
}

// PausedAll is a client that waits until the servers answer anything again, a passage. They take no login either, so
// connections of its own are of no use.
type PausedAll struct{}

// waitForAll makes a client wait whose next request has come while the servers keep all waiting; false: they don't.
func (s *Session) waitForAll() bool {
	if !s.Door.Paused() || !s.Door.Pause.All {
		return false
	}
	s.Begin(PausedAll{})
	return s.Passage != nil
}

func (PausedAll) Step(s *Session) {
	switch {
	case s.Owed() > 0:
	case s.Door.Paused() && s.Door.Pause.All:
		s.Door.Held = append(s.Door.Held, s)
	default:
		s.EndPassage()
	}
}

func (PausedAll) Cancel(s *Session) (unanswered bool) {
	s.EndPassage()
	return false
}
