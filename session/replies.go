package session

import (
	"math"

	"github.com/valyala/bytebufferpool"

	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session/slots"
	"ringmaster/stats"
)

// Expect makes a place for the reply to the command under way, whose request has size bytes, and gives its tag: exactly one whole Reply, or
// one Fail, must follow for it.
func (s *Session) Expect(size int) uint64 { return s.record(s.LastID, size) }

// record is Expect for the command with an ID; command.NoID: it counts for none.
func (s *Session) record(cmd uint16, size int) uint64 {
	var is slots.Marks
	if s.ReplyMode != ReplyOn {
		is = slots.Muted
		if s.ReplyMode == ReplySkip {
			s.ReplyMode = ReplyOn
		}
	}
	s.Slots.Reserve()
	return s.Slots.Add(s.began, int32(min(size, math.MaxInt32)), cmd, is)
}

// EndsUnanswered counts the command under way, whose end is no reply that has a place: it has none, or is told by pushes.
func (s *Session) EndsUnanswered() { s.Door.Stats.Call(s.LastID, s.Door.Pool.Now-s.began) }

// fails counts the error with which a reply begins, once for each command. Borrows b until return.
func (s *Session) fails(tag uint64, b []byte) {
	if sl := s.Slots.At(tag); !sl.Is.Has(slots.Failed) {
		sl.Is |= slots.Failed
		s.Door.Stats.Error(sl.Cmd, b)
	}
}

// isError reports whether a reply that begins so is an error.
func isError(b []byte) bool { return len(b) > 0 && (b[0] == '-' || b[0] == '!') }

// Reply is pool.Receiver: it takes the next piece of the reply to request tag. At its turn it goes
// straight to the client's output, as it comes; before, it is kept.
func (s *Session) Reply(tag uint64, b []byte, p pool.Piece) {
	if s.State == Closed {
		if p&pool.Last != 0 {
			s.Door.Stats.Orphans++
		}
		return
	}
	if p&pool.First != 0 && isError(b) {
		s.fails(tag, b)
	}
	if tag != s.Slots.Head() {
		s.keep(tag, b, p)
		return
	}
	sl := s.Slots.At(tag)
	mute := sl.Is.Has(slots.Muted)
	if !mute {
		if len(b) < lendFrom || !s.Door.lending.lend(s, b) {
			buf := s.Output()
			buf.B = append(buf.B, b...)
		}
		s.Slots.Comes(len(b))
	}
	if p&pool.Last != 0 {
		s.advance(sl)
	} else {
		s.Slots.Partial = !mute
	}
}

// keep stores a reply that came before its turn.
func (s *Session) keep(tag uint64, b []byte, p pool.Piece) {
	sl := s.Slots.At(tag)
	if sl.Buf == nil {
		sl.Buf = s.Door.Pool.Buffers.Get()
	}
	if p&pool.Last != 0 {
		sl.Is |= slots.Whole
	}
	if !sl.Is.Has(slots.Muted) {
		sl.Buf.B = append(sl.Buf.B, b...)
		s.CountHeld(len(b))
	}
}

// Fail is pool.Receiver: request tag ends without a reply.
func (s *Session) Fail(tag uint64, f *pool.Failure) {
	if s.State == Closed {
		return
	}
	if tag == s.Slots.Head() && s.Slots.Partial {
		// The client has part of a reply that will never end: nothing may follow it.
		s.Close(stats.UpstreamLost)
		return
	}
	if sl := s.Slots.At(tag); sl.Buf != nil {
		s.CountHeld(-len(sl.Buf.B))
		sl.Buf.B = sl.Buf.B[:0]
	}
	if f.Cause == pool.ErrRetired && s.State == Closing && Drains(s.Reason) {
		f = &pool.Failure{Kind: pool.Stopping, Sent: f.Sent}
		s.Door.Scratch = appendUndone(s.Door.Scratch[:0], s.Reason, f, s.Door.Env)
	} else {
		s.Door.Scratch = AppendFailure(s.Door.Scratch[:0], f, s.Door.Env)
	}
	s.Slots.At(tag).Is |= slots.Ours
	if f.Kind == pool.TimedOut && f.Sent {
		s.pace.BackOff(s.Door.Config.FirstWindow)
	}
	s.Reply(tag, s.Door.Scratch, pool.Whole)
}

// Client is pool.Receiver.
func (s *Session) Client() pool.Client { return s }

// Place is pool.Receiver.
func (s *Session) Place(tag uint64) uint64 { return tag }

// Begun is pool.Client.
func (s *Session) Begun(place uint64) bool {
	return place == s.Slots.Head() && s.Slots.Partial && s.State != Closed
}

// Replied is pool.Client.
func (s *Session) Replied() int64 { return s.pace.Replied() }

// advance ends the reply of head, the oldest record, and lets out what waited behind it.
func (s *Session) advance(head *slots.Slot) {
	s.Slots.Partial = false
	s.ended(head)
	for s.Owed() > 0 {
		sl := s.Slots.At(s.Slots.Head())
		if sl.Buf == nil {
			break
		}
		out := s.Output()
		out.B = append(out.B, sl.Buf.B...)
		s.Slots.Comes(len(sl.Buf.B))
		s.CountHeld(-len(sl.Buf.B))
		s.Door.Pool.Buffers.Put(sl.Buf)
		sl.Buf = nil
		if !sl.Is.Has(slots.Whole) {
			s.Slots.Partial = !sl.Is.Has(slots.Muted)
			break
		}
		s.ended(sl)
	}
	if s.Out.emits() {
		s.goOnEmitting()
	}
	if s.Out.waiting() {
		s.LetPushesOut()
	}
	if s.wait != nothing {
		s.settleWait()
	}
	if (s.State == Closing || s.EOF) && s.Owed() == 0 {
		s.Door.due.flush(s)
	}
	s.Slots.Trim()
}

// ended counts the head's command, of whose reply the client has all, and takes it off the slots.
func (s *Session) ended(sl *slots.Slot) {
	l := s.Door.Loop
	now := l.Clock.Now
	l.Stats.Call(sl.Cmd, now-sl.At)
	if !sl.Is.Has(slots.Ours) {
		s.pace.Learn(s.Slots.Coming(), now)
	}
	s.Slots.End(sl)
}

// Sink is the buffer to append a whole reply to request tag to; Finish ends it. Valid until the end of the turn or Finish.
func (s *Session) Sink(tag uint64) *bytebufferpool.ByteBuffer {
	if tag == s.Slots.Head() {
		return s.Output()
	}
	sl := s.Slots.At(tag)
	if sl.Buf == nil {
		sl.Buf = s.Door.Pool.Buffers.Get()
	}
	return sl.Buf
}

// Finish ends a reply that was appended to Sink: reply is its bytes, which end the buffer.
func (s *Session) Finish(tag uint64, reply []byte) {
	n := len(reply)
	if isError(reply) {
		s.fails(tag, reply)
	}
	if s.Slots.At(tag).Is.Has(slots.Muted) {
		// It was made all the same: what made it does not know.
		buf := s.Sink(tag)
		buf.B = buf.B[:len(buf.B)-n]
		n = 0
	}
	sl := s.Slots.At(tag)
	if tag == s.Slots.Head() {
		s.Slots.Comes(n)
		s.advance(sl)
		return
	}
	sl.Is |= slots.Whole
	s.CountHeld(n)
}

// Answer gives a whole reply of the proxy's own to the command under way, which has no place yet. Borrows b until return.
func (s *Session) Answer(b []byte) { s.AnswerAs(s.LastID, b) }

// AnswerAs is Answer for the command with an ID; command.NoID: it counts for none. What EXEC runs here has counted when it was queued.
func (s *Session) AnswerAs(cmd uint16, b []byte) {
	if s.State == Closed {
		return
	}
	s.Door.Spend(answerWork + len(b))
	if s.Door.Capture != nil {
		*s.Door.Capture = append(*s.Door.Capture, b...)
		return
	}
	s.Reply(s.record(cmd, 0), b, pool.Whole)
}

// AnswerString is Answer for constant replies such as "+OK\r\n".
func (s *Session) AnswerString(reply string) {
	s.Door.Scratch = append(s.Door.Scratch[:0], reply...)
	s.Answer(s.Door.Scratch)
}

// Failed answers for a request of size bytes that could not be sent, and has no place yet.
func (s *Session) Failed(size int, f *pool.Failure) {
	tag := s.Expect(size)
	s.Fail(tag, f)
}

// AnswerBulk is Answer for a bulk string. Borrows b until return.
func (s *Session) AnswerBulk(b []byte) {
	s.Door.Scratch = parser.AppendBulk(s.Door.Scratch[:0], b)
	s.Answer(s.Door.Scratch)
}

// Refuse answers an error of the proxy's own to the command under way. text is an error without "-" and line break.
func (s *Session) Refuse(text string) {
	s.Door.Scratch = parser.AppendError(s.Door.Scratch[:0], text)
	s.Answer(s.Door.Scratch)
}
