package session

import (
	"ringmaster/pool"
	"ringmaster/stats"
)

// Drain lets the session finish what it is owed and close then, since the proxy stops or the session's door is shut.
func (s *Session) Drain() {
	if s.Door.shut {
		s.CloseAs(stats.ListenerClosed)
		return
	}
	s.CloseAs(stats.Shutdown)
}

// OnClose tells that the connection is gone. Replies that come later are dropped.
func (s *Session) OnClose(reason stats.CloseReason) {
	if s.State == Closed {
		return
	}
	s.Door.readers.bytes -= s.Out.unread + s.Out.Held
	s.Out.unread, s.Out.Held = 0, 0
	s.State = Closed
	s.Door.Roster.Remove(s.ID(), s)
	s.Door.clients--
	s.Door.Stats.ClientsClosed[reason]++
	s.Socket = nil
	s.tidy(func(s *Session) { s.cancelPassage() })
	s.tidy(func(s *Session) { s.Unpin(false) })
	for i := range s.Door.Features {
		if f := s.Door.Features[i].Closed; f != nil {
			s.tidy(f)
		}
	}
	s.tidy(func(s *Session) { s.Rings.Leave() })
	s.tidy(func(s *Session) { s.Input.Drop(&s.Door.Pool.Buffers) })
	s.tidy(func(s *Session) {
		s.Door.lending.drop(s)
		s.Out.drop(&s.Door.Pool.Buffers)
		s.Slots.Drop(&s.Door.Pool.Buffers)
		s.Out.wakeAll(s.Door.Env)
	})
}

// tidy lets go one thing; a panic there does not keep the others.
func (s *Session) tidy(letGo func(*Session)) {
	defer s.guard()
	letGo(s)
}

// Close ends the session at once. Its socket is told; what is unwritten is lost.
func (s *Session) Close(reason stats.CloseReason) {
	if s.State == Closed {
		return
	}
	sock := s.Socket
	s.OnClose(reason)
	sock.Close(reason)
}

// CloseAs stops taking requests; the session closes for reason when every reply is written.
func (s *Session) CloseAs(reason stats.CloseReason) {
	if s.State != Open {
		return
	}
	if s.cancelPassage() {
		s.Door.Scratch = appendUndone(s.Door.Scratch[:0], reason, stopping, s.Door.Env)
		s.Answer(s.Door.Scratch)
	}
	s.State, s.Reason, s.wait = Closing, reason, nothing
	s.Door.Features.closing(s)
	s.Input.Drop(&s.Door.Pool.Buffers)
	s.Door.due.flush(s)
}

// Abandon ends a session whose client does not read its last replies.
func (s *Session) Abandon() { s.Close(s.Reason) }

// Undone answers a command that was not sent since the client closes.
func (s *Session) Undone(tag uint64) {
	s.Door.Scratch = appendUndone(s.Door.Scratch[:0], s.Reason, stopping, s.Door.Env)
	s.Reply(tag, s.Door.Scratch, pool.Whole)
}
