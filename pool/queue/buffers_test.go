package queue

import (
	"testing"

	"github.com/valyala/bytebufferpool"
)

func TestBuffersComeBackEmpty(t *testing.T) {
	var b Buffers
	buf := b.Get()
	buf.B = append(buf.B, "something"...)
	b.Put(buf)
	if again := b.Get(); again != buf || len(again.B) != 0 {
		t.Errorf("got %q, the same buffer: %t", again.B, again == buf)
	}
	if b.kept != 0 || len(b.free) != 0 {
		t.Errorf("%d bytes in %d buffers are at hand", b.kept, len(b.free))
	}
}

func TestBuffersKeepNoHugeOne(t *testing.T) {
	var b Buffers
	b.Put(&bytebufferpool.ByteBuffer{B: make([]byte, 0, MaxPooled+1)})
	if b.kept != 0 || len(b.free) != 0 {
		t.Errorf("%d bytes in %d buffers are at hand", b.kept, len(b.free))
	}
}

func TestBuffersKeepNoMoreThanTheirLimit(t *testing.T) {
	var b Buffers
	for range 100 {
		b.Put(&bytebufferpool.ByteBuffer{B: make([]byte, 0, MaxPooled)})
	}
	sum := 0
	for _, buf := range b.free {
		sum += cap(buf.B)
	}
	if b.kept != sum || b.kept > maxKept || b.kept < maxKept/2 {
		t.Errorf("%d bytes are at hand, %d are counted", sum, b.kept)
	}
}
