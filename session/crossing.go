package session

import (
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/stats"
)

// crossing is a session's way from one set of rings to another: another protocol or database. Two
// rings to one server have no mutual order, so it begins when every earlier request is answered,
// and what the client sent behind it waits until it is over.
type crossing struct {
	to    pool.Key
	rings *pool.Rings // once the earlier requests are answered
	cause error       // why the rings can't be crossed to, if they can't
	// done answers the command that asked, after the session has crossed.
	done func(*Session)
	// quiet: no command asked, so that a crossing that fails has no error to answer and closes the session.
	quiet bool
}

// crossTo brings the session to the rings of key and calls done there; at once if it is there.
func (s *Session) crossTo(key pool.Key, done func(*Session)) {
	if key == s.rings.Key() {
		done(s)
		return
	}
	s.begin(&crossing{to: key, done: done})
}

// RingsSettled is pool.Client.
func (s *Session) RingsSettled(r *pool.Rings) {
	// When it goes on, somebody may have asked the servers anew.
	s.passage.(*crossing).cause = r.Cause()
	s.resumeLater()
}

// step is passage.
func (c *crossing) step(s *Session) {
	if c.rings == nil {
		if s.Owed() > 0 {
			return
		}
		if f := s.allDown(); f != nil {
			s.env.scratch = appendFailure(s.env.scratch[:0], f, s.env.Env)
			c.fail(s, s.env.scratch)
			return
		}
		if c.rings = s.env.Pool.Rings(c.to); c.rings == nil {
			reply := s.env.Pool.NoDB(c.to.DB)
			if reply == nil {
				s.env.scratch = parser.AppendError(s.env.scratch[:0], errManyDBs)
				reply = s.env.scratch
			}
			c.fail(s, reply)
			return
		}
		c.rings.Join()
		if s.wait = rings; !c.rings.Usable() && !c.rings.Failed() {
			s.env.deadline(s, c)
			c.rings.Wait(s)
			return
		}
		c.cause = c.rings.Cause()
	}
	r := c.rings
	if !r.Usable() && !r.Failed() && c.cause == nil {
		return // a call that was meant for a wait before this one
	}
	switch {
	case r.Usable():
		from := s.rings
		s.rings, s.proto, c.rings = r, uint8(c.to.Proto), nil
		c.end(s)
		from.Leave()
		if s.follow(from.Key(), c.to); s.state == open { // it may have lost what a server kept for it
			c.done(s)
		}
	case r.Refusal() != nil:
		c.fail(s, r.Refusal())
	default:
		s.env.scratch = parser.AppendError(s.env.scratch[:0], unreachable(c.cause))
		c.fail(s, s.env.scratch)
	}
}

// timeOut is timed.
func (c *crossing) timeOut(s *Session) {
	s.env.Stats.Timeouts++
	s.env.scratch = appendFailure(s.env.scratch[:0], s.env.Pool.TimedOut(s.env.home(), false), s.env.Env)
	c.fail(s, s.env.scratch)
}

// fail ends the crossing with an error.
func (c *crossing) fail(s *Session, reply []byte) {
	c.end(s)
	if c.quiet {
		s.closeAs(stats.StateLost)
		return
	}
	s.answer(reply)
}

// allDown says why no server can be reached, or nil: to dial for every SELECT would help nobody then.
func (s *Session) allDown() *pool.Failure {
	down := s.env.Pool.Down()
	if len(down) < len(s.env.Map.Shards()) || down[0].Cause == nil {
		return nil
	}
	return down[0]
}

// end forgets the crossing.
func (c *crossing) end(s *Session) {
	if c.rings != nil {
		c.rings.Forget(s)
		c.rings.Leave()
		c.rings = nil
	}
	s.endPassage()
}

// cancel is passage.
func (c *crossing) cancel(s *Session) (unanswered bool) {
	c.end(s)
	return !c.quiet
}
