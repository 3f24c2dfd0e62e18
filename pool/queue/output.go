package queue

import (
	"fmt"

	"github.com/valyala/bytebufferpool"
)

const (
	// chunkSize is when an output chunk is full. Small chunks return to the pool soon and never
	// move while they grow.
	chunkSize = 64 << 10
	// LargeRequest is the size from which a request's own buffer is better taken than copied.
	LargeRequest = 64 << 10
	// UrgentSize is the output with which a connection does not wait for the turn's end.
	UrgentSize = 128 << 10
	// MaxSocketBacklog is the most that the socket's own buffer may hold before we keep the rest.
	MaxSocketBacklog = 1 << 20
	// maxWrite is the most handed to the socket at once.
	maxWrite = 1 << 20
	// maxGathered is the most that is written from several chunks at once. All of a write that fails counts as sent.
	maxGathered = 256 << 10
)

// Output is the bytes on their way to a server, in order: full chunks, then the one being filled.
//
// Invariant: Size == sum of chunk lengths - off.
type Output struct {
	buffers *Buffers

	full []*bytebufferpool.ByteBuffer
	cur  *bytebufferpool.ByteBuffer
	off  int // bytes of the first chunk that are written
	Size int // bytes that are not written yet
}

// NewOutput is an empty output that borrows its chunks from buffers.
func NewOutput(buffers *Buffers) Output { return Output{buffers: buffers} }

// Write copies b behind what is there.
func (o *Output) Write(b []byte) {
	if o.cur == nil {
		o.cur = o.buffers.Get()
	} else if len(o.cur.B) >= chunkSize {
		o.full = append(o.full, o.cur)
		o.cur = o.buffers.Get()
	}
	o.cur.B = append(o.cur.B, b...)
	o.Size += len(b)
}

// Take puts buf behind what is there. Takes buf.
func (o *Output) Take(buf *bytebufferpool.ByteBuffer) {
	if o.cur != nil {
		o.full = append(o.full, o.cur)
		o.cur = nil
	}
	o.full = append(o.full, buf)
	o.Size += len(buf.B)
}

// Next is the longest run of unwritten bytes at hand, at most maxWrite.
func (o *Output) Next() []byte {
	b := o.first().B[o.off:]
	return b[:min(len(b), maxWrite)]
}

// Runs appends to dst the unwritten bytes after the n that Next gives, chunk by chunk, as long as they are at most maxGathered with those.
// size is that of all.
func (o *Output) Runs(dst [][]byte, n int) (runs [][]byte, size int) {
	size = n
	for i := 1; i <= len(o.full); i++ {
		c := o.cur
		if i < len(o.full) {
			c = o.full[i]
		}
		if c == nil || size+len(c.B) > maxGathered {
			break
		}
		dst = append(dst, c.B)
		size += len(c.B)
	}
	return dst, size
}

// Advance forgets n written bytes of the runs that Next and Runs gave.
func (o *Output) Advance(n int) {
	o.Size -= n
	for n > 0 {
		c := o.first()
		here := min(n, len(c.B)-o.off)
		n -= here
		if o.off += here; o.off < len(c.B) {
			return
		}
		o.off = 0
		o.buffers.Put(c)
		if len(o.full) == 0 {
			o.cur = nil
			continue
		}
		o.full[0] = nil
		if o.full = o.full[1:]; len(o.full) == 0 {
			o.full = nil
		}
	}
}

func (o *Output) first() *bytebufferpool.ByteBuffer {
	if len(o.full) > 0 {
		return o.full[0]
	}
	return o.cur
}

// Check says whether its invariant is broken; nil: it is not. It walks everything.
func (o *Output) Check() error {
	size := -o.off
	for _, b := range o.full {
		size += len(b.B)
	}
	if o.cur != nil {
		size += len(o.cur.B)
	}
	if size != o.Size {
		return fmt.Errorf("output counts %d bytes, its chunks hold %d", o.Size, size)
	}
	return nil
}

// Reset lets everything go.
func (o *Output) Reset() {
	for _, c := range o.full {
		o.buffers.Put(c)
	}
	if o.cur != nil {
		o.buffers.Put(o.cur)
	}
	*o = Output{buffers: o.buffers}
}
