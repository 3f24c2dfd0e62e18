package session

import (
	"math"

	"github.com/valyala/bytebufferpool"

	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/stats"
)

// slot is the record of one command of a client, and the place of its reply among those owed. expect begins it, when the command is sent
// or answered; the end of its reply ends and counts it. What a client does not get, since it has gone, is not counted.
type slot struct {
	buf  *bytebufferpool.ByteBuffer // what came before its turn
	at   int64                      // when the command came, ns
	size int32                      // of the request, bytes
	cmd  uint16                     // command.Spec.ID; command.NoID: it is none that is counted
	Is   marks
}

// marks are what sets a record apart from others.
type marks uint8

const (
	isWhole   marks = 1 << iota // buf is the whole reply
	IsMuted                     // the client does not want it
	isOurs                      // it is an error of the proxy's own, which says nothing of how large replies are
	hasFailed                   // its error is counted
)

func (m marks) Has(bits marks) bool { return m&bits != 0 }

// Expect makes a place for the reply to the command under way, whose request has size bytes, and gives its tag.
func (s *Session) Expect(size int) uint64 { return s.record(s.LastID, size) }

// record is expect for the command with an ID; command.NoID: it counts for none.
func (s *Session) record(cmd uint16, size int) uint64 {
	if s.Owed() == len(s.slots) {
		s.growSlots()
	}
	tag := s.tail
	size = min(size, math.MaxInt32)
	var is marks
	if s.ReplyMode != ReplyOn {
		is = IsMuted
		if s.ReplyMode == ReplySkip {
			s.ReplyMode = ReplyOn
		}
	}
	s.slots[tag&uint64(len(s.slots)-1)] = slot{at: s.began, size: int32(size), cmd: cmd, Is: is}
	s.tail++
	s.inBytes += size
	return tag
}

// EndsUnanswered counts the command under way, whose end is no reply that has a place: it has none, or is told by pushes.
func (s *Session) EndsUnanswered() { s.Door.Stats.Call(s.LastID, s.Door.Pool.Now-s.began) }

// fails counts the error with which a reply begins, once for each command. Borrows b until return.
func (s *Session) fails(tag uint64, b []byte) {
	if sl := s.Slot(tag); !sl.Is.Has(hasFailed) {
		sl.Is |= hasFailed
		s.Door.Stats.Error(sl.cmd, b)
	}
}

// isError reports whether a reply that begins so is an error.
func isError(b []byte) bool { return len(b) > 0 && (b[0] == '-' || b[0] == '!') }

func (s *Session) growSlots() {
	slots := make([]slot, max(1, 2*len(s.slots)))
	for i := s.Head; i != s.tail; i++ {
		slots[i&uint64(len(slots)-1)] = *s.Slot(i)
	}
	s.slots = slots
}

func (s *Session) Slot(tag uint64) *slot { return &s.slots[tag&uint64(len(s.slots)-1)] }

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
	if tag != s.Head {
		s.keep(tag, b, p)
		return
	}
	mute := s.Slot(tag).Is.Has(IsMuted)
	if !mute {
		buf := s.Output()
		buf.B = append(buf.B, b...)
		s.coming += len(b)
	}
	if p&pool.Last != 0 {
		s.advance()
	} else {
		s.Partial = !mute
	}
}

// keep stores a reply that came before its turn.
func (s *Session) keep(tag uint64, b []byte, p pool.Piece) {
	sl := s.Slot(tag)
	if sl.buf == nil {
		sl.buf = s.Door.Pool.Buffers.Get()
	}
	if p&pool.Last != 0 {
		sl.Is |= isWhole
	}
	if !sl.Is.Has(IsMuted) {
		sl.buf.B = append(sl.buf.B, b...)
		s.CountHeld(len(b))
	}
}

// Fail is pool.Receiver: request tag ends without a reply.
func (s *Session) Fail(tag uint64, f *pool.Failure) {
	if s.State == Closed {
		return
	}
	if tag == s.Head && s.Partial {
		// The client has part of a reply that will never end: nothing may follow it.
		s.Close(stats.UpstreamLost)
		return
	}
	if sl := s.Slot(tag); sl.buf != nil {
		s.CountHeld(-len(sl.buf.B))
		sl.buf.B = sl.buf.B[:0]
	}
	if f.Cause == pool.ErrRetired && s.State == Closing && Drains(s.Reason) {
		f = &pool.Failure{Kind: pool.Stopping, Sent: f.Sent}
		s.Door.Scratch = appendUndone(s.Door.Scratch[:0], s.Reason, f, s.Door.Env)
	} else {
		s.Door.Scratch = AppendFailure(s.Door.Scratch[:0], f, s.Door.Env)
	}
	s.Slot(tag).Is |= isOurs
	if f.Kind == pool.TimedOut && f.Sent {
		s.backOff()
	}
	s.Reply(tag, s.Door.Scratch, pool.Whole)
}

// Client is pool.Receiver.
func (s *Session) Client() pool.Client { return s }

// Place is pool.Receiver.
func (s *Session) Place(tag uint64) uint64 { return tag }

// Begun is pool.Client.
func (s *Session) Begun(place uint64) bool { return place == s.Head && s.Partial && s.State != Closed }

// Replied is pool.Client.
func (s *Session) Replied() int64 { return s.replied }

// Output is the buffer for what the client gets this turn.
func (s *Session) Output() *bytebufferpool.ByteBuffer {
	if s.out == nil {
		s.out = s.Door.Pool.Buffers.Get()
		s.markDirty()
	}
	return s.out
}

// advance ends the head's reply and lets out what waited behind it.
func (s *Session) advance() {
	s.Partial = false
	s.ended(s.Slot(s.Head))
	for s.Head != s.tail {
		sl := s.Slot(s.Head)
		if sl.buf == nil {
			break
		}
		out := s.Output()
		out.B = append(out.B, sl.buf.B...)
		s.coming = len(sl.buf.B)
		s.CountHeld(-s.coming)
		s.Door.Pool.Buffers.Put(sl.buf)
		sl.buf = nil
		if !sl.Is.Has(isWhole) {
			s.Partial = !sl.Is.Has(IsMuted)
			break
		}
		s.ended(sl)
	}
	if s.emissions != nil {
		s.goOnEmitting()
	}
	if s.Pushes != nil {
		s.LetPushesOut()
	}
	if s.wait != nothing {
		s.settleWait()
	}
	if (s.State == Closing || s.EOF) && s.Head == s.tail {
		s.markDirty()
	}
	if s.Head == s.tail && len(s.slots) > idleSlots {
		s.slots = nil
	}
}

// ended counts the head's command, of whose reply the client has all, and takes it off the slots.
func (s *Session) ended(sl *slot) {
	s.Door.Stats.Call(sl.cmd, s.Door.Pool.Now-sl.at)
	if !sl.Is.Has(isOurs) {
		s.learn(s.coming)
	}
	s.coming = 0
	s.inBytes -= int(sl.size)
	s.Head++
}

// idleSlots is the most slots a client without unanswered requests keeps.
const idleSlots = 512

// Sink is the buffer to append a whole reply to request tag to; finish ends it.
func (s *Session) Sink(tag uint64) *bytebufferpool.ByteBuffer {
	if tag == s.Head {
		return s.Output()
	}
	sl := s.Slot(tag)
	if sl.buf == nil {
		sl.buf = s.Door.Pool.Buffers.Get()
	}
	return sl.buf
}

// Finish ends a reply that was appended to sink.
func (s *Session) Finish(tag uint64, reply []byte) {
	n := len(reply)
	if isError(reply) {
		s.fails(tag, reply)
	}
	if s.Slot(tag).Is.Has(IsMuted) {
		// It was made all the same: what made it does not know.
		buf := s.Sink(tag)
		buf.B = buf.B[:len(buf.B)-n]
		n = 0
	}
	if tag == s.Head {
		s.coming = n
		s.advance()
		return
	}
	s.Slot(tag).Is |= isWhole
	s.CountHeld(n)
}

// Answer gives a reply of the proxy's own to the command under way. Borrows b.
func (s *Session) Answer(b []byte) { s.AnswerAs(s.LastID, b) }

// AnswerAs is answer for the command with an ID; command.NoID: it counts for none. What EXEC runs here has counted when it was queued.
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

// AnswerString is answer for constant replies such as "+OK\r\n".
func (s *Session) AnswerString(reply string) {
	s.Door.Scratch = append(s.Door.Scratch[:0], reply...)
	s.Answer(s.Door.Scratch)
}

// Failed answers for a request that could not be sent.
func (s *Session) Failed(size int, f *pool.Failure) {
	tag := s.Expect(size)
	s.Fail(tag, f)
}

func (s *Session) AnswerBulk(b []byte) {
	s.Door.Scratch = parser.AppendBulk(s.Door.Scratch[:0], b)
	s.Answer(s.Door.Scratch)
}
