package queue

import (
	"slices"

	"github.com/valyala/bytebufferpool"
)

// Buffers lends the byte buffers of one loop. It keeps some at hand itself: a sync.Pool, which stands
// behind bytebufferpool, is emptied by the garbage collector, and then every buffer has to grow again.
// The zero value is ready. Loop-only.
//
// Invariants: kept == sum of the capacities in free, keptLarge of those in large.
type Buffers struct {
	// Dropped is the memory of buffers that were too large to keep, and so became garbage, bytes.
	// Whoever sees to it sets it back.
	Dropped int

	free []*bytebufferpool.ByteBuffer
	kept int
	// Those above MaxPooled, for GetFor. A new one is cleared by the runtime, and its pages by the system.
	large     []*bytebufferpool.ByteBuffer
	keptLarge int
	unused    int // the least keptLarge since the latest Age: so much was not needed
}

const (
	// MaxPooled is the largest buffer that Get lends, bytes: a huge value must not make buffers huge.
	MaxPooled = 256 << 10
	// maxKept bounds the memory at hand per loop, bytes; the rest goes to bytebufferpool.
	maxKept = 4 << 20
	// maxLarge bounds the memory of large buffers at hand per loop, bytes. Age lets go what is not used.
	maxLarge = 16 << 20
	// roomy is how many times as large as asked for a buffer may be.
	roomy = 4
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

// GetFor lends an empty buffer with room for size bytes.
func (b *Buffers) GetFor(size int) *bytebufferpool.ByteBuffer {
	if n := len(b.free) - 1; n >= 0 && cap(b.free[n].B) >= size {
		return b.Get()
	}
	for i := len(b.large) - 1; i >= 0; i-- {
		if room := cap(b.large[i].B); room >= size && room/roomy <= size {
			return b.takeLarge(i)
		}
	}
	if size > MaxPooled && len(b.large) > 0 {
		b.Dropped += cap(b.takeLarge(0).B) // so that those at hand become what is asked for
	}
	return &bytebufferpool.ByteBuffer{B: make([]byte, 0, size)}
}

func (b *Buffers) takeLarge(i int) *bytebufferpool.ByteBuffer {
	buf := b.large[i]
	b.large = slices.Delete(b.large, i, i+1)
	b.keptLarge -= cap(buf.B)
	b.unused = min(b.unused, b.keptLarge)
	return buf
}

// Age lets those large buffers go that nobody has needed since the latest call.
func (b *Buffers) Age() {
	for old := b.unused; old > 0 && len(b.large) > 0; {
		n := cap(b.takeLarge(0).B)
		b.Dropped += n
		old -= n
	}
	b.unused = b.keptLarge
}

// Put takes a buffer back, unless it has grown too large to keep. Takes buf.
func (b *Buffers) Put(buf *bytebufferpool.ByteBuffer) {
	poison(buf.B)
	size := cap(buf.B)
	switch {
	case size > MaxPooled && b.keptLarge+size <= maxLarge:
		buf.Reset()
		b.large = append(b.large, buf)
		b.keptLarge += size
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
