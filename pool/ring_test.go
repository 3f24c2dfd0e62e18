package pool

import (
	"math/rand/v2"
	"testing"
	"unsafe"
)

func TestRingKeepsOrderWhileItGrowsAndWraps(t *testing.T) {
	var r ring
	rnd := rand.New(rand.NewPCG(1, 2))
	next, expect := uint64(0), uint64(0)
	for range 20000 {
		if rnd.IntN(100) < 52 {
			r.push(pending{tag: next})
			next++
		} else if r.len() > 0 {
			if got := r.at(r.head).tag; got != expect {
				t.Fatalf("the head is %d, want %d", got, expect)
			}
			r.pop()
			expect++
		}
		if r.len() != int(next-expect) {
			t.Fatalf("the ring holds %d, want %d", r.len(), next-expect)
		}
	}
	if len(r.slots) < 128 || len(r.slots)&(len(r.slots)-1) != 0 {
		t.Errorf("the ring has %d slots", len(r.slots))
	}
}

// nobody is a Receiver that takes no notice.
type nobody struct{ Nobody }

func (nobody) Reply(uint64, []byte, Piece) {}
func (nobody) Fail(uint64, *Failure)       {}

func TestRingLetsGoOfReceivers(t *testing.T) {
	var r ring
	r.push(pending{recv: nobody{}})
	r.pop()
	if r.slots[0].recv != nil {
		t.Error("the ring keeps a receiver that has its reply")
	}
}

func TestRingGoesOnBehindAnOldHead(t *testing.T) {
	// As after a lost connection: the slots are gone, the numbers go on.
	r := ring{head: 1000003, tail: 1000003}
	for i := range uint64(100) {
		r.push(pending{tag: i})
	}
	for i := range uint64(100) {
		if got := r.at(r.head).tag; got != i {
			t.Fatalf("the head is %d, want %d", got, i)
		}
		r.pop()
	}
}

func TestPendingsAreSmall(t *testing.T) {
	if n := unsafe.Sizeof(pending{}); n > 48 {
		t.Errorf("a pending takes %d bytes", n)
	}
}

func TestHopsLeaveTheRestOfARequestsNature(t *testing.T) {
	all := Scripts | Modules | Libraries
	for _, hops := range []int{0, 1, maxHops, maxHops + 1, 1000} {
		n := (carriedBy(all) | wrapped | blocking).withHops(7).withHops(hops)
		if n.hops() != min(hops, maxHops) || n.carrier() != all || !n.has(wrapped) || !n.has(scripting) || n.has(reading) {
			t.Errorf("%d hops: %d, carries %b, is %b", hops, n.hops(), n.carrier(), n)
		}
	}
}
