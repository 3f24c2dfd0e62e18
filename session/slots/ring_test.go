package slots_test

import (
	"math/rand/v2"
	"testing"

	"ringmaster/pool"
	"ringmaster/session/slots"
)

func TestTagsNameTheSameRecordWhileTheRingGrowsAndTurns(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	var r slots.Ring
	var owed []int32 // sizes, oldest first
	bytes := 0
	for next := int32(0); next < 5000; {
		if rnd.IntN(5) < 3 {
			if tag := add(&r, slots.Slot{Size: next}); tag != uint64(next) || tag != r.Tail()-1 {
				t.Fatalf("request %d has tag %d", next, tag)
			}
			owed = append(owed, next)
			bytes += int(next)
			next++
		} else if len(owed) > 0 {
			r.End(r.At(r.Head()))
			bytes -= int(owed[0])
			owed = owed[1:]
		}
		if r.Owed() != len(owed) || r.Bytes() != bytes {
			t.Fatalf("owes %d requests of %d bytes, want %d of %d", r.Owed(), r.Bytes(), len(owed), bytes)
		}
		for i, size := range owed {
			if got := r.At(r.Head() + uint64(i)).Size; got != size {
				t.Fatalf("record %d from the head has size %d, want %d", i, got, size)
			}
		}
		if _, err := slots.Check(&r); err != nil {
			t.Fatal(err)
		}
	}
}

func TestALongPipelineLeavesNoMemory(t *testing.T) {
	var r slots.Ring
	for range 1000 {
		add(&r, slots.Slot{})
	}
	for r.Trim(); r.Owed() > 0; r.Trim() {
		if slots.Empty(&r) {
			t.Fatal("the slots are gone while requests are unanswered")
		}
		r.End(r.At(r.Head()))
	}
	if !slots.Empty(&r) {
		t.Error("the slots are kept after the last reply")
	}
	if tag := add(&r, slots.Slot{}); tag != 1000 {
		t.Errorf("the next tag is %d", tag)
	}
}

func TestComingCountsTheHeadsReplyOnly(t *testing.T) {
	var r slots.Ring
	add(&r, slots.Slot{})
	add(&r, slots.Slot{})
	r.Comes(1 << 30)
	r.Comes(5)
	if got := r.Coming(); got != 1<<30+5 {
		t.Errorf("%d bytes have come", got)
	}
	r.Comes(3 << 30)
	if got := r.Coming(); got < 2<<30-1 {
		t.Errorf("%d bytes have come", got)
	}
	if r.End(r.At(r.Head())); r.Coming() != 0 {
		t.Errorf("%d bytes of the next reply have come", r.Coming())
	}
}

func TestDropGivesTheBuffersBack(t *testing.T) {
	var r slots.Ring
	var b pool.Buffers
	tag := add(&r, slots.Slot{Buf: b.Get()})
	r.At(tag).Buf.B = append(r.At(tag).Buf.B, "reply"...)
	if held, err := slots.Check(&r); held != 5 || err != nil {
		t.Errorf("holds %d bytes, %v", held, err)
	}
	buf := r.At(tag).Buf
	r.Drop(&b)
	if got := b.Get(); got != buf || !slots.Empty(&r) {
		t.Error("the buffer was not given back")
	}
}

func add(r *slots.Ring, s slots.Slot) (tag uint64) {
	r.Reserve()
	tag = r.Add(s.At, s.Size, s.Cmd, s.Is)
	r.At(tag).Buf = s.Buf
	return tag
}
