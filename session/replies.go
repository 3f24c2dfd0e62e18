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
	is   marks
}

// marks are what sets a record apart from others.
type marks uint8

const (
	isWhole   marks = 1 << iota // buf is the whole reply
	isMuted                     // the client does not want it
	isOurs                      // it is an error of the proxy's own, which says nothing of how large replies are
	hasFailed                   // its error is counted
)

func (m marks) has(bits marks) bool { return m&bits != 0 }

// expect makes a place for the reply to the command under way, whose request has size bytes, and gives its tag.
func (s *Session) expect(size int) uint64 { return s.record(s.last, size) }

// record is expect for the command with an ID; command.NoID: it counts for none.
func (s *Session) record(cmd uint16, size int) uint64 {
	if s.Owed() == len(s.slots) {
		s.growSlots()
	}
	tag := s.tail
	size = min(size, math.MaxInt32)
	var is marks
	if s.replyMode != replyOn {
		is = isMuted
		if s.replyMode == replySkip {
			s.replyMode = replyOn
		}
	}
	s.slots[tag&uint64(len(s.slots)-1)] = slot{at: s.began, size: int32(size), cmd: cmd, is: is}
	s.tail++
	s.inBytes += size
	return tag
}

// endsUnanswered counts the command under way, whose end is no reply that has a place: it has none, or is told by pushes.
func (s *Session) endsUnanswered() { s.env.Stats.Call(s.last, s.env.Pool.Now-s.began) }

// fails counts the error with which a reply begins, once for each command. Borrows b until return.
func (s *Session) fails(tag uint64, b []byte) {
	if sl := s.slot(tag); !sl.is.has(hasFailed) {
		sl.is |= hasFailed
		s.env.Stats.Error(sl.cmd, b)
	}
}

// isError reports whether a reply that begins so is an error.
func isError(b []byte) bool { return len(b) > 0 && (b[0] == '-' || b[0] == '!') }

func (s *Session) growSlots() {
	slots := make([]slot, max(1, 2*len(s.slots)))
	for i := s.head; i != s.tail; i++ {
		slots[i&uint64(len(slots)-1)] = *s.slot(i)
	}
	s.slots = slots
}

func (s *Session) slot(tag uint64) *slot { return &s.slots[tag&uint64(len(s.slots)-1)] }

// Reply is pool.Receiver: it takes the next piece of the reply to request tag. At its turn it goes
// straight to the client's output, as it comes; before, it is kept.
func (s *Session) Reply(tag uint64, b []byte, p pool.Piece) {
	if s.state == closed {
		if p&pool.Last != 0 {
			s.env.Stats.Orphans++
		}
		return
	}
	if p&pool.First != 0 && isError(b) {
		s.fails(tag, b)
	}
	if tag != s.head {
		s.keep(tag, b, p)
		return
	}
	mute := s.slot(tag).is.has(isMuted)
	if !mute {
		buf := s.output()
		buf.B = append(buf.B, b...)
		s.coming += len(b)
	}
	if p&pool.Last != 0 {
		s.advance()
	} else {
		s.partial = !mute
	}
}

// keep stores a reply that came before its turn.
func (s *Session) keep(tag uint64, b []byte, p pool.Piece) {
	sl := s.slot(tag)
	if sl.buf == nil {
		sl.buf = s.env.Pool.Buffers.Get()
	}
	if p&pool.Last != 0 {
		sl.is |= isWhole
	}
	if !sl.is.has(isMuted) {
		sl.buf.B = append(sl.buf.B, b...)
		s.countHeld(len(b))
	}
}

// Fail is pool.Receiver: request tag ends without a reply.
func (s *Session) Fail(tag uint64, f *pool.Failure) {
	if s.state == closed {
		return
	}
	if tag == s.head && s.partial {
		// The client has part of a reply that will never end: nothing may follow it.
		s.close(stats.UpstreamLost)
		return
	}
	if sl := s.slot(tag); sl.buf != nil {
		s.countHeld(-len(sl.buf.B))
		sl.buf.B = sl.buf.B[:0]
	}
	if f.Cause == pool.ErrRetired && s.state == closing && drains(s.reason) {
		f = &pool.Failure{Kind: pool.Stopping, Sent: f.Sent}
		s.env.scratch = appendUndone(s.env.scratch[:0], s.reason, f, s.env.Env)
	} else {
		s.env.scratch = appendFailure(s.env.scratch[:0], f, s.env.Env)
	}
	s.slot(tag).is |= isOurs
	if f.Kind == pool.TimedOut && f.Sent {
		s.backOff()
	}
	s.Reply(tag, s.env.scratch, pool.Whole)
}

// Client is pool.Receiver.
func (s *Session) Client() pool.Client { return s }

// Place is pool.Receiver.
func (s *Session) Place(tag uint64) uint64 { return tag }

// Begun is pool.Client.
func (s *Session) Begun(place uint64) bool { return place == s.head && s.partial && s.state != closed }

// Replied is pool.Client.
func (s *Session) Replied() int64 { return s.replied }

// output is the buffer for what the client gets this turn.
func (s *Session) output() *bytebufferpool.ByteBuffer {
	if s.out == nil {
		s.out = s.env.Pool.Buffers.Get()
		s.markDirty()
	}
	return s.out
}

// advance ends the head's reply and lets out what waited behind it.
func (s *Session) advance() {
	s.partial = false
	s.ended(s.slot(s.head))
	for s.head != s.tail {
		sl := s.slot(s.head)
		if sl.buf == nil {
			break
		}
		out := s.output()
		out.B = append(out.B, sl.buf.B...)
		s.coming = len(sl.buf.B)
		s.countHeld(-s.coming)
		s.env.Pool.Buffers.Put(sl.buf)
		sl.buf = nil
		if !sl.is.has(isWhole) {
			s.partial = !sl.is.has(isMuted)
			break
		}
		s.ended(sl)
	}
	if s.emissions != nil {
		s.goOnEmitting()
	}
	if s.pushes != nil {
		s.letPushesOut()
	}
	if s.wait != nothing {
		s.settleWait()
	}
	if (s.state == closing || s.eof) && s.head == s.tail {
		s.markDirty()
	}
	if s.head == s.tail && len(s.slots) > idleSlots {
		s.slots = nil
	}
}

// ended counts the head's command, of whose reply the client has all, and takes it off the slots.
func (s *Session) ended(sl *slot) {
	s.env.Stats.Call(sl.cmd, s.env.Pool.Now-sl.at)
	if !sl.is.has(isOurs) {
		s.learn(s.coming)
	}
	s.coming = 0
	s.inBytes -= int(sl.size)
	s.head++
}

// idleSlots is the most slots a client without unanswered requests keeps.
const idleSlots = 512

// sink is the buffer to append a whole reply to request tag to; finish ends it.
func (s *Session) sink(tag uint64) *bytebufferpool.ByteBuffer {
	if tag == s.head {
		return s.output()
	}
	sl := s.slot(tag)
	if sl.buf == nil {
		sl.buf = s.env.Pool.Buffers.Get()
	}
	return sl.buf
}

// finish ends a reply that was appended to sink.
func (s *Session) finish(tag uint64, reply []byte) {
	n := len(reply)
	if isError(reply) {
		s.fails(tag, reply)
	}
	if s.slot(tag).is.has(isMuted) {
		// It was made all the same: what made it does not know.
		buf := s.sink(tag)
		buf.B = buf.B[:len(buf.B)-n]
		n = 0
	}
	if tag == s.head {
		s.coming = n
		s.advance()
		return
	}
	s.slot(tag).is |= isWhole
	s.countHeld(n)
}

// answer gives a reply of the proxy's own to the command under way. Borrows b.
func (s *Session) answer(b []byte) { s.answerAs(s.last, b) }

// answerAs is answer for the command with an ID; command.NoID: it counts for none. What EXEC runs here has counted when it was queued.
func (s *Session) answerAs(cmd uint16, b []byte) {
	if s.state == closed {
		return
	}
	s.env.spend(answerWork + len(b))
	if s.env.capture != nil {
		*s.env.capture = append(*s.env.capture, b...)
		return
	}
	s.Reply(s.record(cmd, 0), b, pool.Whole)
}

// answerString is answer for constant replies such as "+OK\r\n".
func (s *Session) answerString(reply string) {
	s.env.scratch = append(s.env.scratch[:0], reply...)
	s.answer(s.env.scratch)
}

// failed answers for a request that could not be sent.
func (s *Session) failed(size int, f *pool.Failure) {
	tag := s.expect(size)
	s.Fail(tag, f)
}

func (s *Session) answerBulk(b []byte) {
	s.env.scratch = parser.AppendBulk(s.env.scratch[:0], b)
	s.answer(s.env.scratch)
}
