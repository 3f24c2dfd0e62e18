package queue

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"ringmaster/pool/ask"
)

func TestRingKeepsOrderWhileItGrowsAndWraps(t *testing.T) {
	var r Ring
	rnd := rand.New(rand.NewPCG(1, 2))
	next, expect := uint64(0), uint64(0)
	for range 20000 {
		if rnd.IntN(100) < 52 {
			push(&r, Pending{Tag: next})
			next++
		} else if r.Len() > 0 {
			if got := r.At(r.Head).Tag; got != expect {
				t.Fatalf("the head is %d, want %d", got, expect)
			}
			r.Pop(r.At(r.Head))
			expect++
		}
		if r.Len() != int(next-expect) {
			t.Fatalf("the ring holds %d, want %d", r.Len(), next-expect)
		}
	}
	if len(r.slots) < 128 || len(r.slots)&(len(r.slots)-1) != 0 {
		t.Errorf("the ring has %d slots", len(r.slots))
	}
}

// nobody is a Receiver that takes no notice.
type nobody struct{ ask.Nobody }

func (nobody) Reply(uint64, []byte, ask.Piece) {}
func (nobody) Fail(uint64, *ask.Failure)       {}

func TestRingLetsGoOfReceivers(t *testing.T) {
	var r Ring
	push(&r, Pending{Recv: nobody{}})
	r.Pop(r.At(r.Head))
	if r.slots[0].Recv != nil {
		t.Error("the ring keeps a receiver that has its reply")
	}
}

func TestRingGoesOnBehindAnOldHead(t *testing.T) {
	// As after a lost connection: the slots are gone, the numbers go on.
	r := Ring{Head: 1000003, Tail: 1000003}
	for i := range uint64(100) {
		push(&r, Pending{Tag: i})
	}
	for i := range uint64(100) {
		if got := r.At(r.Head).Tag; got != i {
			t.Fatalf("the head is %d, want %d", got, i)
		}
		r.Pop(r.At(r.Head))
	}
}

func TestPendingsAreSmall(t *testing.T) {
	if n := unsafe.Sizeof(Pending{}); n > 48 {
		t.Errorf("a pending takes %d bytes", n)
	}
}

func TestHopsLeaveTheRestOfARequestsNature(t *testing.T) {
	all := ask.Scripts | ask.Modules | ask.Libraries
	for _, hops := range []int{0, 1, maxHops, maxHops + 1, 1000} {
		n := (CarriedBy(all) | Wrapped | Blocking).WithHops(7).WithHops(hops)
		if n.Hops() != min(hops, maxHops) || n.Carrier() != all || !n.Has(Wrapped) || !n.Has(Scripting) || n.Has(Reading) {
			t.Errorf("%d hops: %d, carries %b, is %b", hops, n.Hops(), n.Carrier(), n)
		}
	}
}

func push(r *Ring, p Pending) {
	r.Reserve()
	*r.Add() = p
}
