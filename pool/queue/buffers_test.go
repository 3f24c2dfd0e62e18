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

func TestLargeBuffersAreLentAgainToThoseWhoAskForTheirSize(t *testing.T) {
	var b Buffers
	large := b.GetFor(1 << 20)
	large.B = append(large.B, "something"...)
	b.Put(large)
	if b.Get() == large {
		t.Fatal("a large buffer was lent to somebody who needs none")
	}
	if small := b.GetFor(cap(large.B)/roomy - 1); small == large {
		t.Fatal("a large buffer was lent for much less")
	}
	if again := b.GetFor(1 << 20); again != large || len(again.B) != 0 {
		t.Errorf("got %q, the same buffer: %t", again.B, again == large)
	}
	if b.keptLarge != 0 || len(b.large) != 0 || b.Dropped != 0 {
		t.Errorf("%d bytes in %d large buffers are at hand, %d were dropped", b.keptLarge, len(b.large), b.Dropped)
	}
}

func TestLargeBuffersAtHandAreBoundedAndMakeRoom(t *testing.T) {
	var b Buffers
	for range 100 {
		b.Put(&bytebufferpool.ByteBuffer{B: make([]byte, 0, MaxPooled+1)})
	}
	b.Put(&bytebufferpool.ByteBuffer{B: make([]byte, 0, maxLarge+1)})
	sum := 0
	for _, buf := range b.large {
		sum += cap(buf.B)
	}
	if b.keptLarge != sum || sum > maxLarge || sum < maxLarge/2 {
		t.Errorf("%d bytes are at hand, %d are counted", sum, b.keptLarge)
	}
	if want := 101*(MaxPooled+1) + maxLarge - MaxPooled - sum; b.Dropped != want {
		t.Errorf("%d bytes were dropped, not %d", b.Dropped, want)
	}
	// Larger ones take the places.
	for range 100 {
		b.Put(b.GetFor(1 << 20))
	}
	if got := b.GetFor(1 << 20); b.keptLarge+cap(got.B) > maxLarge || b.keptLarge < maxLarge/2 {
		t.Errorf("%d bytes are at hand", b.keptLarge)
	}
}

func TestLargeBuffersThatNobodyNeedsAreLetGo(t *testing.T) {
	var b Buffers
	one, other := b.GetFor(1<<20), b.GetFor(1<<20)
	b.Put(one)
	b.Put(other)
	b.Age() // both were needed lately
	b.Put(b.GetFor(1 << 20))
	if len(b.large) != 2 {
		t.Fatalf("%d are at hand", len(b.large))
	}
	b.Age()
	if len(b.large) != 1 || b.Dropped != cap(one.B) {
		t.Errorf("one was needed: %d are at hand, %d bytes were dropped", len(b.large), b.Dropped)
	}
	b.Age()
	if len(b.large) != 0 || b.keptLarge != 0 {
		t.Errorf("none was needed: %d are at hand", len(b.large))
	}
}

func TestRoomIsWhatWasAskedFor(t *testing.T) {
	var b Buffers
	for _, size := range []int{1, 1000, MaxPooled, MaxPooled + 1, maxLarge, 10 << 20, 1000, 300 << 10} {
		buf := b.GetFor(size)
		if cap(buf.B) < size || len(buf.B) != 0 {
			t.Errorf("asked for %d, got %d of %d", size, len(buf.B), cap(buf.B))
		}
		b.Put(buf)
	}
}
