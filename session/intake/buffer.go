package intake

import (
	"bytes"

	"github.com/valyala/bytebufferpool"

	"ringmaster/parser"
	"ringmaster/pool"
)

// Buffer is a client's input that is not used yet, and the parser that reads it. The zero value is empty. Loop-only.
//
// Invariant: buf == nil && used == 0, or 0 <= used <= len(buf.B).
type Buffer struct {
	buf    *bytebufferpool.ByteBuffer // nil: nothing is kept
	Parser parser.RequestParser
	used   int // bytes at the start of buf
}

// growth is how many times what has come a buffer may be sized for what was announced, so that an
// announcement alone costs nobody memory.
const growth = 16

// Empty reports whether nothing is kept.
func (i *Buffer) Empty() bool { return i.buf == nil }

// Waiting is the input that is kept and not used; nil: none is.
func (i *Buffer) Waiting() []byte {
	if i.buf == nil {
		return nil
	}
	return i.buf.B[i.used:]
}

// Memory is what the input takes that is kept, with the parser's notes on it, bytes.
func (i *Buffer) Memory() int { return len(i.Waiting()) + i.Parser.Held() }

// Lacks is how much of b, which has just come, completes the unfinished request or its next line; all of b if it does not.
func (i *Buffer) Lacks(b []byte) int {
	if need := i.Parser.Need() - len(i.Waiting()); need > 0 {
		return min(need, len(b))
	}
	if n := bytes.IndexByte(b, '\n') + 1; n > 0 {
		return n
	}
	return len(b)
}

// Store copies b to the end. Borrows b until return.
func (i *Buffer) Store(b []byte, from *pool.Buffers) {
	if i.buf == nil {
		i.buf = from.Get()
	}
	if len(i.buf.B)+len(b) > cap(i.buf.B) {
		i.grow(len(b), from)
	}
	i.buf.B = append(i.buf.B, b...)
}

// grow makes the buffer start at the unused input and fit n more bytes.
func (i *Buffer) grow(n int, from *pool.Buffers) {
	have := len(i.Waiting())
	size := have + n
	if need := i.Parser.Need(); need > size {
		size = min(need, growth*size)
	} else {
		size += size / 2
	}
	grown := from.GetFor(size)
	grown.B = append(grown.B, i.Waiting()...)
	from.Put(i.buf)
	i.buf, i.used = grown, 0
}

// Left says that of the waiting input only rest, its end, is not used yet.
func (i *Buffer) Left(rest []byte, to *pool.Buffers) {
	switch {
	case i.buf == nil: // it went with its request
	case len(rest) == 0:
		i.Drop(to)
	default:
		i.used = len(i.buf.B) - len(rest)
	}
}

// Drop gives the memory back: what is kept is not needed.
func (i *Buffer) Drop(to *pool.Buffers) {
	if i.buf != nil {
		to.Put(i.buf)
	}
	i.Disown()
}

// Disown forgets the memory, which is another's from now on.
func (i *Buffer) Disown() { i.buf, i.used = nil, 0 }

// Whole is the buffer if it holds req and nothing else, and req is large enough to be worth handing on without a copy; otherwise nil.
// Whoever takes it calls Disown.
func (i *Buffer) Whole(req *parser.Request) *bytebufferpool.ByteBuffer {
	if i.buf == nil || i.used != 0 || req.Size < pool.LargeRequest || len(i.buf.B) != req.Size || &req.Raw[0] != &i.buf.B[0] {
		return nil
	}
	return i.buf
}
