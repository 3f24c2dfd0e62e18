package session

import "github.com/valyala/bytebufferpool"

// A large piece of a reply goes to its client from the loop's read buffer, in which it came, and is not copied first. Until the server's
// bytes are all delivered it is the client's output for this turn, as what was copied would be. What comes for the client meanwhile
// goes on with it where that is what the server has sent next, and otherwise has it copied (Output).
//
//	Reply ── lend ──▸ Out.buf ── giveBack, at the end of Conn.OnBytes ──▸ Flush
//	                     └────── Output, giveBack: more comes, or may ──▸ a copy

// lending is what a loop's clients have of the bytes that a server has sent. Between two calls of Conn.OnBytes nobody has any. Loop-only.
type lending struct {
	to      []*Session // with lent output, and some that had
	run     []byte     // what the last of them has
	headers []*bytebufferpool.ByteBuffer
}

// lend makes b the client's output, or its end; false: it has to be copied. b is at least lendFrom bytes of the reply whose turn it is.
func (l *lending) lend(s *Session, b []byte) bool {
	if s.lent {
		n := len(l.run)
		if l.to[len(l.to)-1] != s || n == cap(l.run) || &l.run[:n+1][n] != &b[0] {
			return false
		}
		l.run = l.run[:n+len(b)]
	} else {
		if s.Out.buf != nil || !s.Door.Clock.Lend(b) {
			return false
		}
		s.Out.buf, s.lent = l.header(), true
		l.to, l.run = append(l.to, s), b
	}
	s.Out.buf.B = l.run[:len(l.run):len(l.run)]
	return true
}

// giveBack writes or copies what is lent: the server's bytes are overwritten soon.
func (l *Loop) giveBack() {
	for i := 0; i < len(l.lending.to); i++ {
		s := l.lending.to[i]
		l.lending.to[i] = nil
		if s.lent {
			l.lending.flush(s)
		}
	}
	l.lending.to, l.lending.run = l.lending.to[:0], nil
}

func (l *lending) flush(s *Session) {
	defer s.guard()
	// More than the beginning of a reply can't come in this turn: its server has sent no more, and other replies come after it.
	if s.Owed() > 0 && !s.Slots.Partial && len(s.Out.buf.B) < aloneFrom {
		l.own(s)
		return
	}
	s.Flush()
}

// own makes the buffer for what the client gets this turn. What is lent to it so far is copied.
func (l *lending) own(s *Session) {
	own := s.Door.Clock.Buffers.Get()
	if s.lent {
		own.B = append(own.B, s.Out.buf.B...)
		l.drop(s)
	}
	s.Out.buf = own
	s.Door.due.flush(s)
}

// drop forgets what is lent to the client, if anything is.
func (l *lending) drop(s *Session) {
	if s.lent && s.Out.buf != nil { // after a panic it is nil
		l.putHeader(s.Out.buf)
		s.Out.buf = nil
	}
	s.lent = false
}

// header is a buffer without memory of its own.
func (l *lending) header() *bytebufferpool.ByteBuffer {
	n := len(l.headers) - 1
	if n < 0 {
		return new(bytebufferpool.ByteBuffer)
	}
	h := l.headers[n]
	l.headers = l.headers[:n]
	return h
}

// putHeader takes a header back. It must not come to those that have memory: what it has belongs to another. Takes h.
func (l *lending) putHeader(h *bytebufferpool.ByteBuffer) {
	h.B = nil
	l.headers = append(l.headers, h)
}
