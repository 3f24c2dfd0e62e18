package session

import (
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session/texts"
	"ringmaster/stats"
)

// Crossing is a session's way from one set of rings to another: another protocol or database. Two
// rings to one server have no mutual order, so it begins when every earlier request is answered,
// and what the client sent behind it waits until it is over.
type Crossing struct {
	To    pool.Key
	rings *pool.Rings // once the earlier requests are answered
	cause error       // why the rings can't be crossed to, if they can't
	// done answers the command that asked, after the session has crossed.
	Done func(*Session)
	// quiet: no command asked, so that a crossing that fails has no error to answer and closes the session.
	Quiet bool
}

// CrossTo brings the session to the rings of key and calls done there; at once if it is there.
func (s *Session) CrossTo(key pool.Key, done func(*Session)) {
	if key == s.Rings.Key() {
		done(s)
		return
	}
	s.Begin(&Crossing{To: key, Done: done})
}

// RingsSettled is pool.Client.
func (s *Session) RingsSettled(r *pool.Rings) {
	// When it goes on, somebody may have asked the servers anew.
	s.Passage.(*Crossing).cause = r.Cause()
	s.ResumeLater()
}

// Step is passage.
func (c *Crossing) Step(s *Session) {
	if c.rings == nil {
		if s.Owed() > 0 {
			return
		}
		if f := s.Door.allDown(); f != nil {
			s.Door.Scratch = AppendFailure(s.Door.Scratch[:0], f, s.Door.Env)
			c.fail(s, s.Door.Scratch)
			return
		}
		if c.rings = s.Door.Pool.Rings(c.To); c.rings == nil {
			reply := s.Door.Pool.NoDB(c.To.DB)
			if reply == nil {
				s.Door.Scratch = parser.AppendError(s.Door.Scratch[:0], texts.ManyDBs)
				reply = s.Door.Scratch
			}
			c.fail(s, reply)
			return
		}
		c.rings.Join()
		if s.wait = rings; !c.rings.Usable() && !c.rings.Failed() {
			s.Door.Deadline(s, c, c.timeOut)
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
		from := s.Rings
		s.Rings, s.Protocol, c.rings = r, uint8(c.To.Proto), nil
		c.end(s)
		from.Leave()
		if s.Pin.follow(from.Key(), c.To); s.State == Open { // it may have lost what a server kept for it
			c.Done(s)
		}
	case r.Refusal() != nil:
		c.fail(s, r.Refusal())
	default:
		s.Door.Scratch = parser.AppendError(s.Door.Scratch[:0], texts.Unreachable(c.cause))
		c.fail(s, s.Door.Scratch)
	}
}

// timeOut ends a crossing whose servers have not answered in time.
func (c *Crossing) timeOut(s *Session) {
	s.Door.Stats.Timeouts++
	s.Door.Scratch = AppendFailure(s.Door.Scratch[:0], s.Door.Pool.TimedOut(s.Door.Home(), false), s.Door.Env)
	c.fail(s, s.Door.Scratch)
}

// fail ends the crossing with an error.
func (c *Crossing) fail(s *Session, reply []byte) {
	c.end(s)
	if c.Quiet {
		s.CloseAs(stats.StateLost)
		return
	}
	s.Answer(reply)
}

// allDown says why no server can be reached, or nil: to dial for every SELECT would help nobody then.
func (e *Env) allDown() *pool.Failure {
	down := e.Pool.Down()
	if len(down) < len(e.Map.Shards()) || down[0].Cause == nil {
		return nil
	}
	return down[0]
}

// end forgets the crossing.
func (c *Crossing) end(s *Session) {
	if c.rings != nil {
		c.rings.Forget(s)
		c.rings.Leave()
		c.rings = nil
	}
	s.EndPassage()
}

// Cancel is passage.
func (c *Crossing) Cancel(s *Session) (unanswered bool) {
	c.end(s)
	return !c.Quiet
}
