package session

// A client's requests stand in the same queues as everybody's. How many may stand there at once is
// bounded by number, by their bytes, and by the bytes of the replies they are likely to bring: a thousand
// GETs of a megabyte would keep others waiting for a gigabyte.
const (
	// windowBytes is the size of replies that one client's requests under way should bring at most.
	windowBytes = 256 << 10
	// minWindow is how many requests a client may always have under way. A client that does not read
	// its replies gets no more: it may write a whole pipeline before it reads, so it must go on.
	minWindow = 16
	// slowReader is the unread output from which a client counts as not reading, bytes.
	slowReader = 1 << 20
)

// window is how many requests the client may have under way now.
func (s *Session) window() int {
	w := s.env.Config.MaxInFlight
	if s.unread > slowReader {
		return min(w, minWindow)
	}
	if s.meanReply > 0 {
		w = min(w, max(minWindow, windowBytes/s.meanReply))
	}
	return w
}

// learn takes the size of one whole reply into the mean, in which the last eight weigh most.
func (s *Session) learn(size int) {
	s.meanReply += (size - s.meanReply) / 8
	s.replied = s.env.Pool.Now
}

// throttle waits until half of the window is answered.
func (s *Session) throttle() {
	if s.wait == nothing && s.state == open {
		s.wait = inFlight
	}
}

// settleWait looks, after a reply, whether what is waited for has come.
func (s *Session) settleWait() {
	switch s.wait {
	case inFlight:
		if s.relieved() {
			s.resumeLater()
		}
	case answers:
		if s.Owed() == 0 {
			s.resumeLater()
		}
	}
}

// relieved reports whether a throttled client may go on.
func (s *Session) relieved() bool {
	return s.Owed() <= s.window()/2 && s.inBytes <= s.env.Config.MaxInFlightBytes/2
}
