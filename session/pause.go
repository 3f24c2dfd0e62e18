package session

// pause is a CLIENT PAUSE that a client has sent to the servers. While it lasts a server answers the commands that it
// postpones in its own time, and everything behind them on their connection; so they go over connections of their own.
type pause struct {
	until int64 // as Pool.Now; 0: there is none
	all   bool  // not only what may write
}

// paused reports whether a CLIENT PAUSE is in force.
func (e *Env) paused() bool {
	if e.pause.until > 0 && e.Pool.Now >= e.pause.until {
		e.pause = pause{}
	}
	return e.pause.until > 0
}

// pausedAll is a client that waits until the servers answer anything again, a passage. They take no login either, so
// connections of its own are of no use.
type pausedAll struct{}

// waitForAll makes a client wait whose next request has come while the servers keep all waiting; false: they don't.
func (s *Session) waitForAll() bool {
	if !s.env.paused() || !s.env.pause.all {
		return false
	}
	s.begin(pausedAll{})
	return s.passage != nil
}

func (pausedAll) step(s *Session) {
	switch {
	case s.Owed() > 0:
	case s.env.paused() && s.env.pause.all:
		s.env.held = append(s.env.held, s)
	default:
		s.endPassage()
	}
}

func (pausedAll) cancel(s *Session) (unanswered bool) {
	s.endPassage()
	return false
}
