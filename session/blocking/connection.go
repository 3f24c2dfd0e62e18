package blocking

import (
	"ringmaster/pool"
	"ringmaster/session"
)

// blockingConn returns the session's own connection to server, for a command that may wait there. If a connection watches keys, it is that
// one.
func blockingConn(s *session.Session, server int) (*pool.Conn, *pool.Failure) {
	if p := s.Pin; p != nil {
		if c := p.To(server); c != nil {
			p.Sends(server, c)
			p.Blocks = true
			return c, nil
		}
	}
	p, f := s.PinTo(server)
	if f != nil {
		return nil, f
	}
	s.Door.Pool.KeepSpare(server, s.Rings.Key())
	p.Blocks = true
	return p.Conn, nil
}

// Unblocked gives up the session's own connection after a blocking command, if it is not needed. Loop-only.
func Unblocked(s *session.Session) {
	if s.Pin != nil {
		s.Pin.Blocks, s.Pin.Waiting = false, nil
		s.Pin.Arrive()
	}
	s.SettlePin()
}

// Blocked reports whether a blocking command is under way. Redis, too, frees such a client when it shuts its write half. Loop-only.
func Blocked(s *session.Session) bool { return s.Pin != nil && s.Pin.Blocks }
