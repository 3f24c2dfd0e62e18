package session

import (
	"ringmaster/parser"
	"ringmaster/pool"
)

// window is how many requests the client may have under way now; 0: none before it reads.
func (s *Session) window() int {
	d := s.Door
	w := s.pace.ByNumber(d.Config.MaxInFlight, d.Config.FirstWindow)
	switch left := s.Out.left(); {
	case left <= d.unreadFrom:
		return s.pace.ByBytes(w)
	case left > d.Config.OutputLimit, d.readers.pressed && s.Out.unread > 0:
		return 0
	default:
		return min(w, s.pace.NotReading(left, s.Slots.Coming(), s.Paused))
	}
}

// waitFor has the session not look at its input; false: it waits already, or is about to close.
func (s *Session) waitFor(w Wait) bool {
	if s.wait != nothing || s.State != Open {
		return false
	}
	s.wait = w
	return true
}

// waitsForRoom has a large request stay in the client's input while the connection to its server is full of others', for the
// timeout at most; false: it can be sent, or must fail.
func (s *Session) waitsForRoom(conn *pool.Conn, req *parser.Request) bool {
	env := s.Door
	if conn.HasRoom(len(req.Raw)) || req != &env.Req || s.wait != nothing || s.State != Open || s.Pin != nil {
		if s.Out.aside != nil {
			s.Out.aside.full = 0
		}
		return false
	}
	a := s.Out.besides()
	if a.full == 0 {
		a.full = env.Pool.Now
	}
	if limit := int64(env.Pool.Timeout()); limit > 0 && env.Pool.Now-a.full > limit {
		a.full = 0
		return false
	}
	s.wait = room
	env.held = append(env.held, s)
	return true
}

// relieved reports whether a throttled client may go on.
func (s *Session) relieved() bool {
	w := s.window()
	return w > 0 && s.Owed() <= w/2 && s.Slots.Bytes() <= s.Door.Config.MaxInFlightBytes/2
}
