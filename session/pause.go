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

// waitForAll makes a client wait whose next request has come while the servers keep all waiting; false: they don't. The servers take no
// login either, so connections of its own are of no use.
func (s *Session) waitForAll() bool {
	if !s.Door.Paused() || !s.Door.Pause.All {
		return false
	}
	s.wait = pause
	return !s.pauseIsOver()
}

// pauseIsOver reports whether the client may go on: its earlier requests are answered, and the servers keep not all waiting any
// more. If they do, it looks again at the next tick.
func (s *Session) pauseIsOver() bool {
	switch {
	case s.Owed() > 0:
		return false
	case s.Door.Paused() && s.Door.Pause.All:
		s.Door.held = append(s.Door.held, s)
		return false
	}
	return true
}

// SitsOutPause reports whether the client waits until the servers answer anything again.
func (s *Session) SitsOutPause() bool { return s.wait == pause }
