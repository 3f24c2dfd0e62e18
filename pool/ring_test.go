package pool

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"ringmaster/shard"
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

func TestRingLetsGoOfReceivers(t *testing.T) {
	var r ring
	r.push(pending{recv: newAsker(t)})
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

func TestKeysHoldEverySlotAndEveryShard(t *testing.T) {
	for _, slot := range []int{-1, 0, 1, shard.MaxNumbers, shard.MaxNodes, shard.Slots - 1} {
		for _, reads := range []bool{false, true} {
			if k := KeysIn(slot, reads); k.slot() != slot || k.reads() != reads {
				t.Errorf("%d, %t: %d, %t", slot, reads, k.slot(), k.reads())
			}
		}
	}
	if k := Keys(0); k.slot() >= 0 || k.reads() {
		t.Errorf("nothing: %d, %t", k.slot(), k.reads())
	}
}

func TestHopsLeaveTheRestOfARequestsNature(t *testing.T) {
	all := Scripts | Modules | Libraries
	for _, hops := range []int{0, 1, maxHops, maxHops + 1, 1000} {
		n := (all.nature() | wrapped | blocking).withHops(7).withHops(hops)
		if n.hops() != min(hops, maxHops) || n.carrier() != all || !n.has(wrapped) || !n.has(scripting) || n.has(reading) {
			t.Errorf("%d hops: %d, carries %b, is %b", hops, n.hops(), n.carrier(), n)
		}
	}
}
