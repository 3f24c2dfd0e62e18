package queue

import "github.com/valyala/bytebufferpool"

// Buffers lends the byte buffers of one loop. It keeps some at hand itself: a sync.Pool, which stands
// behind bytebufferpool, is emptied by the garbage collector, and then every buffer has to grow again.
// The zero value is ready. Loop-only.
//
// Invariant: kept == sum of the capacities in free.
type Buffers struct {
	// Dropped is the memory of buffers that were too large to keep, and so became garbage, bytes.
	// Whoever sees to it sets it back.
	Dropped int

	free []*bytebufferpool.ByteBuffer
	kept int
}

const (
	// MaxPooled is the largest buffer worth keeping, bytes; a huge value must not make buffers huge.
	MaxPooled = 256 << 10
	// maxKept bounds the memory at hand per loop, bytes; the rest goes to bytebufferpool.
	maxKept = 4 << 20
)

// Get lends an empty buffer.
func (b *Buffers) Get() *bytebufferpool.ByteBuffer {
	n := len(b.free) - 1
	if n < 0 {
		return bytebufferpool.Get()
	}
	buf := b.free[n]
	b.free[n] = nil
	b.free = b.free[:n]
	b.kept -= cap(buf.B)
	return buf
}

// Put takes a buffer back, unless it has grown too large to keep. Takes buf.
func (b *Buffers) Put(buf *bytebufferpool.ByteBuffer) {
	poison(buf.B)
	size := cap(buf.B)
	switch {
	case size > MaxPooled:
		b.Dropped += size
	case b.kept+size > maxKept || size == 0:
		bytebufferpool.Put(buf)
	default:
		buf.Reset()
		b.free = append(b.free, buf)
		b.kept += size
	}
}
