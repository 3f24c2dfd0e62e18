package session

import (
	"github.com/valyala/bytebufferpool"

	"ringmaster/pool"
)

// pushes are what the server sent without being asked and the client can't get yet: the reply before it, or
// the push itself, is not whole.
type pushes struct {
	buf   *bytebufferpool.ByteBuffer
	whole int // bytes of whole pushes in buf
}

// push takes a piece of a push, or of a line of MONITOR. It goes out between replies. Borrows b until return.
func (s *Session) push(b []byte, p pool.Piece) {
	if s.state == closed {
		return
	}
	if s.pushes == nil {
		if p == pool.Whole && !s.partial {
			out := s.output()
			out.B = append(out.B, b...)
			return
		}
		s.pushes = &pushes{buf: s.env.Pool.Buffers.Get()}
	}
	q := s.pushes
	q.buf.B = append(q.buf.B, b...)
	s.hold(len(b))
	if p&pool.Last != 0 {
		q.whole = len(q.buf.B)
		s.letPushesOut()
	}
}

// letPushesOut writes the pushes that are whole, unless a reply is under way.
func (s *Session) letPushesOut() {
	q := s.pushes
	if q == nil || q.whole == 0 || s.partial {
		return
	}
	out := s.output()
	out.B = append(out.B, q.buf.B[:q.whole]...)
	s.held -= q.whole
	q.buf.B = append(q.buf.B[:0], q.buf.B[q.whole:]...)
	q.whole = 0
	if len(q.buf.B) == 0 {
		s.dropPushes()
	}
}

func (s *Session) dropPushes() {
	if q := s.pushes; q != nil {
		s.held -= len(q.buf.B)
		s.env.Pool.Buffers.Put(q.buf)
		s.pushes = nil
	}
}

// cutPush drops the beginning of a push whose end will not come.
func (s *Session) cutPush() {
	q := s.pushes
	if q == nil {
		return
	}
	s.held -= len(q.buf.B) - q.whole
	q.buf.B = q.buf.B[:q.whole]
	if q.whole == 0 {
		s.dropPushes()
	}
}
