package slots

import (
	"math"

	"github.com/valyala/bytebufferpool"

	"ringmaster/pool"
)

// Slot is the record of one command of a client, and the place of its reply among those owed. It begins when the command is sent or
// answered; the end of its reply ends it.
type Slot struct {
	Buf  *bytebufferpool.ByteBuffer // what came before its turn; nil: nothing
	At   int64                      // when the command came, ns
	Size int32                      // of the request, bytes
	Cmd  uint16                     // command.Spec.ID; command.NoID: it is none that is counted
	Is   Marks
}

// Marks are the bits that set a record apart from others.
type Marks uint8

const (
	Whole  Marks = 1 << iota // Buf is the whole reply
	Muted                    // the client does not want it
	Ours                     // it is an error of the proxy's own, which says nothing of how large replies are
	Failed                   // its error is counted
)

// Has reports whether one of bits is set.
func (m Marks) Has(bits Marks) bool { return m&bits != 0 }

// Ring is a client's unanswered requests, oldest first. The zero value is empty. Loop-only.
//
// Invariants: head <= tail; tail - head == requests unanswered <= len(slots), which is 0 or a power of two; bytes is the sum of Slot.Size;
// only records between head and tail have a Buf; Partial only if head < tail.
type Ring struct {
	slots      []Slot
	head, tail uint64
	bytes      int
	coming     int32 // size of the head's reply so far, bytes
	// Partial: a part of the head's reply has been written, and its end is still to come.
	Partial bool
}

// Owed is how many requests are unanswered.
func (r *Ring) Owed() int { return int(r.tail - r.head) }

// Head is the tag of the oldest request that is unanswered; if there is none, of the next to come.
func (r *Ring) Head() uint64 { return r.head }

// Tail is the tag of the next request to come.
func (r *Ring) Tail() uint64 { return r.tail }

// Bytes is the size of the unanswered requests.
func (r *Ring) Bytes() int { return r.bytes }

// At is the record of an unanswered request. Valid until the next Reserve, End or Drop.
func (r *Ring) At(tag uint64) *Slot { return &r.slots[tag&uint64(len(r.slots)-1)] }

// Reserve makes room for one Add. The two are functions of their own so that the compiler inlines both: every command calls them.
func (r *Ring) Reserve() {
	if r.Owed() == len(r.slots) {
		r.grow()
	}
}

// Add puts a record at the tail and gives its tag. Reserve must have made room. It takes the Slot's fields one by one, because the
// compiler makes a Slot in memory and then copies it.
func (r *Ring) Add(at int64, size int32, cmd uint16, is Marks) (tag uint64) {
	tag = r.tail
	s := r.At(tag)
	s.At, s.Size, s.Cmd, s.Is = at, size, cmd, is // it has no Buf: see the invariant
	r.tail++
	r.bytes += int(size)
	return tag
}

func (r *Ring) grow() {
	slots := make([]Slot, max(1, 2*len(r.slots)))
	for i := r.head; i != r.tail; i++ {
		slots[i&uint64(len(slots)-1)] = *r.At(i)
	}
	r.slots = slots
}

// Comes counts n more bytes of the head's reply.
func (r *Ring) Comes(n int) { r.coming = int32(min(int(r.coming)+n, math.MaxInt32)) }

// Coming is the size of the head's reply so far, bytes. It counts to 2 GiB.
func (r *Ring) Coming() int { return int(r.coming) }

// End takes the head off, whose reply has ended. Its Buf has been taken. head is At(Head()), which the caller has.
func (r *Ring) End(head *Slot) {
	r.bytes -= int(head.Size)
	r.coming = 0
	r.head++
}

// idle is the most slots that a client without unanswered requests keeps.
const idle = 512

// Trim lets go of the memory of a long pipeline once all of it is answered.
func (r *Ring) Trim() {
	if r.head == r.tail && len(r.slots) > idle {
		r.slots = nil
	}
}

// Drop gives all buffers back, since the client has gone. Head and Tail stay as they are.
func (r *Ring) Drop(b *pool.Buffers) {
	for i := range r.slots {
		if buf := r.slots[i].Buf; buf != nil {
			b.Put(buf)
		}
	}
	r.slots = nil
}

// Disown forgets the buffers, which after a panic somebody else may still use.
func (r *Ring) Disown() {
	for i := range r.slots {
		r.slots[i].Buf = nil
	}
}
