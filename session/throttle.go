package session

import (
	"ringmaster/parser"
	"ringmaster/pool"
)

// A client's requests stand in the same queues as everybody's. How many may stand there at once is
// bounded by number, by their bytes, and by the bytes of the replies they are likely to bring: a thousand
// GETs of a megabyte would keep others waiting for a gigabyte.
const (
	// FirstWindow is how many requests a client of which nothing is known may have under way.
	FirstWindow = 2
	// rest is how long a client must have been silent to begin again so, ns.
	rest = 1e9
	// windowBytes is the size of replies that one client's requests under way should bring at most.
	windowBytes = 1 << 20
	// largeReply is the size from which a reply has the window start again, bytes.
	largeReply = 256 << 10
	// minWindow is how many requests a client with small replies may always have under way. One that does not read
	// gets no more: it may write a whole pipeline before it reads, so it must go on.
	minWindow = 16
	// slowReader is the unread output from which a client counts as not reading, bytes.
	slowReader = 1 << 20
	// enoughUnread is the unread output from which a client with large replies gets none before it reads, bytes.
	enoughUnread = 4 << 20
)

// window is how many requests the client may have under way now; 0: none before it reads.
func (s *Session) window() int {
	w := min(s.Door.Config.MaxInFlight, s.Door.Config.FirstWindow+int(s.grown))
	if s.left() > s.Door.unreadFrom {
		return min(w, s.slowWindow())
	}
	if s.meanReply > windowBytes/minWindow {
		w = min(w, max(1, windowBytes/int(s.meanReply)))
	}
	return w
}

// slowWindow is window for a client with output that it has not read.
func (s *Session) slowWindow() int {
	large := max(int(s.meanReply), s.Slots.Coming()) > windowBytes/minWindow // the first is large before it has ended
	switch {
	case s.full(), s.Door.pressed && s.unread > 0:
		return 0
	case large && s.left() > enoughUnread && !s.Paused:
		return 0 // but it may be stuck in writing while much of its input waits
	case large:
		return 1
	}
	return minWindow
}

// full reports whether the client has as much unread output as it may have.
func (s *Session) full() bool { return s.left() > s.Door.Config.OutputLimit }

// left is the output that the client has not read, that of this turn included, bytes.
func (s *Session) left() int {
	if s.out != nil {
		return s.unread + s.Held + len(s.out.B)
	}
	return s.unread + s.Held
}

// learn takes the size of one whole reply into the mean, in which the last eight weigh most. A large one begins a new start.
func (s *Session) learn(size int) {
	n := int32(min(size, maxMean))
	s.meanReply += (n - s.meanReply) / 8
	s.replied = s.Door.Pool.Now
	if size < largeReply {
		s.grown = min(s.grown+1, maxMean)
		return
	}
	s.grown, s.meanReply = 0, max(s.meanReply, n)
}

// maxMean bounds what is learnt of a client: more makes no difference.
const maxMean = 1 << 30

// backOff takes notice of a reply that did not come in time: the server is still at work on the request.
func (s *Session) backOff() { s.grown = int32(1 - min(s.Door.Config.FirstWindow, maxMean)) }

// throttle waits until half of the window is answered.
func (s *Session) throttle() {
	if s.wait == nothing && s.State == Open {
		s.wait = inFlight
	}
}

// waitsForRoom has a large request stay in the client's input while the connection to its server is full of others', for the
// timeout at most; false: it can be sent, or must fail.
func (s *Session) waitsForRoom(conn *pool.Conn, req *parser.Request) bool {
	env := s.Door
	if conn.HasRoom(len(req.Raw)) || req != &env.Req || s.wait != nothing || s.State != Open || s.Pin != nil {
		s.fullSince = 0
		return false
	}
	if s.fullSince == 0 {
		s.fullSince = env.Pool.Now
	}
	if limit := int64(env.Pool.Timeout()); limit > 0 && env.Pool.Now-s.fullSince > limit {
		s.fullSince = 0
		return false
	}
	s.wait = room
	env.Held = append(env.Held, s)
	return true
}

// settleWait looks, after a reply, whether what is waited for has come.
func (s *Session) settleWait() {
	switch s.wait {
	case inFlight:
		if s.relieved() {
			s.ResumeLater()
		}
	case answers:
		if s.Owed() == 0 {
			s.ResumeLater()
		}
	}
}

// relieved reports whether a throttled client may go on.
func (s *Session) relieved() bool {
	w := s.window()
	return w > 0 && s.Owed() <= w/2 && s.Slots.Bytes() <= s.Door.Config.MaxInFlightBytes/2
}
