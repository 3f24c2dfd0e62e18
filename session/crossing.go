package session

import (
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session/texts"
	"ringmaster/stats"
)

// crossing is a session's way from one set of rings to another, which is a passage: to another protocol or database.
type crossing struct {
	Passage
	to    pool.Key
	rings *pool.Rings // once the earlier requests are answered
	cause error       // why the rings can't be crossed to, if they can't
	// done answers the command that asked, after the session has crossed.
	done func(*Session)
	// quiet: no command asked, so that a crossing that fails has no error to answer and closes the session.
	quiet bool
}

// CrossTo brings the session to the rings of key and calls done there; at once if it is there.
func (s *Session) CrossTo(key pool.Key, done func(*Session)) {
	if key == s.Rings.Key() {
		done(s)
		return
	}
	s.Begin(&crossing{to: key, done: done})
}

// CrossQuietly brings the session to the rings of key although no command asks, after the errand under way if there is one. If that
// fails the session closes.
func (s *Session) CrossQuietly(key pool.Key) {
	c := &crossing{to: key, quiet: true, done: func(*Session) {}}
	if e, ok := s.passage.(*Errand); ok {
		done := e.Done
		e.Done = func(s *Session) { done(s); s.Begin(c) }
		return
	}
	s.Begin(c)
}

// RingsSettled is pool.Client.
func (s *Session) RingsSettled(cause error) {
	// When it goes on, somebody may have asked the servers anew.
	c := s.passage.(*crossing)
	c.cause = cause
	c.Resume(Servers)
}

// Step is passage.
func (c *crossing) Step(s *Session, came Wait) {
	switch came {
	case Replies:
		c.join(s)
	case Servers:
		if c.rings.Usable() || c.rings.Failed() || c.cause != nil { // otherwise they are being asked again
			c.arrive(s)
		}
	case Deadline:
		s.Door.Stats.Timeouts++
		s.Door.Scratch = AppendFailure(s.Door.Scratch[:0], s.Door.Pool.TimedOut(s.Door.Home(), false), s.Door.Env)
		c.fail(s, s.Door.Scratch)
	}
}

// join takes part in the rings, and waits until they can be used.
func (c *crossing) join(s *Session) {
	if f := s.Door.allDown(); f != nil {
		s.Door.Scratch = AppendFailure(s.Door.Scratch[:0], f, s.Door.Env)
		c.fail(s, s.Door.Scratch)
		return
	}
	if c.rings = s.Door.Pool.Rings(c.to); c.rings == nil {
		reply := s.Door.Pool.NoDB(c.to.DB)
		if reply == nil {
			s.Door.Scratch = parser.AppendError(s.Door.Scratch[:0], texts.ManyDBs)
			reply = s.Door.Scratch
		}
		c.fail(s, reply)
		return
	}
	c.rings.Join()
	if !c.rings.Usable() && !c.rings.Failed() {
		c.Await(Servers)
		c.Limit()
		c.rings.Wait(s)
		return
	}
	c.cause = c.rings.Cause()
	c.arrive(s)
}

// arrive moves the session to the rings, if they can be used.
func (c *crossing) arrive(s *Session) {
	r := c.rings
	switch {
	case r.Usable():
		from := s.Rings
		s.Rings, s.Protocol, c.rings = r, uint8(c.to.Proto), nil
		c.End()
		from.Leave()
		if s.Pin.follow(from.Key(), c.to); s.State == Open { // it may have lost what a server kept for it
			c.done(s)
		}
	case r.Refusal() != nil:
		c.fail(s, r.Refusal())
	default:
		s.Door.Scratch = parser.AppendError(s.Door.Scratch[:0], texts.Unreachable(c.cause))
		c.fail(s, s.Door.Scratch)
	}
}

// fail ends the crossing with an error.
func (c *crossing) fail(s *Session, reply []byte) {
	c.leave(s)
	c.End()
	if c.quiet {
		s.CloseAs(stats.StateLost)
		return
	}
	s.Answer(reply)
}

// leave lets go of the rings.
func (c *crossing) leave(s *Session) {
	if c.rings != nil {
		c.rings.Forget(s)
		c.rings.Leave()
		c.rings = nil
	}
}

// Cancel is passage.
func (c *crossing) Cancel(s *Session) (unanswered bool) {
	c.leave(s)
	return !c.quiet
}

// allDown says why no server can be reached, or nil: to dial for every SELECT would help nobody then.
func (e *Env) allDown() *pool.Failure {
	down := e.Pool.Down()
	if len(down) < len(e.Map.Shards()) || down[0].Cause == nil {
		return nil
	}
	return down[0]
}
