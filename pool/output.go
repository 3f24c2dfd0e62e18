package pool

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
	// urgentSize is the output with which a connection does not wait for the turn's end.
	urgentSize = 128 << 10
	// maxWrite is the most handed to the socket at once, and maxSocketBacklog the most that the
	// socket's own buffer may hold before we keep the rest.
	maxWrite         = 1 << 20
	maxSocketBacklog = 1 << 20
)

// output is the bytes on their way to a server, in order: full chunks, then the one being filled.
//
// Invariant: size == sum of chunk lengths - off.
type output struct {
	buffers *Buffers

	full []*bytebufferpool.ByteBuffer
	cur  *bytebufferpool.ByteBuffer
	off  int // bytes of the first chunk that are written
	size int
}

// newOutput is an empty output that borrows its chunks from buffers.
func newOutput(buffers *Buffers) output { return output{buffers: buffers} }

// write copies b behind what is there.
func (o *output) write(b []byte) {
	if o.cur == nil {
		o.cur = o.buffers.Get()
	} else if len(o.cur.B) >= chunkSize {
		o.full = append(o.full, o.cur)
		o.cur = o.buffers.Get()
	}
	o.cur.B = append(o.cur.B, b...)
	o.size += len(b)
}

// take puts buf behind what is there. Takes buf.
func (o *output) take(buf *bytebufferpool.ByteBuffer) {
	if o.cur != nil {
		o.full = append(o.full, o.cur)
		o.cur = nil
	}
	o.full = append(o.full, buf)
	o.size += len(buf.B)
}

// next is the longest run of unwritten bytes at hand, at most maxWrite.
func (o *output) next() []byte {
	b := o.first().B[o.off:]
	return b[:min(len(b), maxWrite)]
}

// advance forgets n written bytes of the run that next gave.
func (o *output) advance(n int) {
	o.off += n
	o.size -= n
	c := o.first()
	if o.off < len(c.B) {
		return
	}
	o.off = 0
	o.buffers.Put(c)
	if len(o.full) == 0 {
		o.cur = nil
		return
	}
	o.full[0] = nil
	if o.full = o.full[1:]; len(o.full) == 0 {
		o.full = nil
	}
}

func (o *output) first() *bytebufferpool.ByteBuffer {
	if len(o.full) > 0 {
		return o.full[0]
	}
	return o.cur
}

// check says whether its invariant is broken; nil: it is not. It walks everything.
func (o *output) check() error {
	size := -o.off
	for _, b := range o.full {
		size += len(b.B)
	}
	if o.cur != nil {
		size += len(o.cur.B)
	}
	if size != o.size {
		return fmt.Errorf("output counts %d bytes, its chunks hold %d", o.size, size)
	}
	return nil
}

// reset lets everything go.
func (o *output) reset() {
	for _, c := range o.full {
		o.buffers.Put(c)
	}
	if o.cur != nil {
		o.buffers.Put(o.cur)
	}
	*o = output{buffers: o.buffers}
}
