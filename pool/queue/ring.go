package queue

import "ringmaster/pool/ask"

// Pending is one request that a reply is owed to.
type Pending struct {
	Recv ask.Receiver // nil: nobody waits any more, the reply is dropped
	Tag  uint64
	At   int64  // when it was enqueued, ns
	From uint64 // offset in the connection's output stream of the byte without which it can't have run
	Is   Nature
	Keys ask.Keys // what its sender knows of its keys, if it may be sent again
	Size uint32   // of its bytes in the connection's history; 0: it is never sent again
}

// Nature is what sets a request apart from others: none of the bits is set for an ordinary one. The highest ones count.
type Nature uint16

const (
	Blocking  Nature = 1 << iota // it waits at the server for as long as it says itself, and so does what is behind it
	Reading                      // it only reads and goes by Config.Reads: lost, it is sent again
	Fencing                      // a fence of the pool's own (conn/fence.go)
	Wrapping                     // MULTI, or the script that it queues (conn/wrapped.go)
	Wrapped                      // the EXEC of these, whose reply is the script's
	Scripting                    // it may run a script, for so long that the server answers others with BUSY
	Lasting                      // its receiver sees to the timeout itself

	carrierShift = iota // its Carrier bits begin here
	hopShift     = carrierShift + 3
	maxHops      = 1<<(16-hopShift) - 1
)

// Has reports whether any of the bits is set.
func (n Nature) Has(bits Nature) bool { return n&bits != 0 }

// Client is whose the request is, and its place in the order of that client's; !ok: it has none.
func (e *Pending) Client() (client ask.Client, place uint64, ok bool) {
	if place = e.Recv.Place(e.Tag); place == ask.NoPlace {
		return nil, place, false
	}
	return e.Recv.Client(), place, true
}

// Carrier is what the reply to the request may hold as a client wrote it.
func (n Nature) Carrier() ask.Carrier {
	return ask.Carrier(n>>carrierShift) & (ask.Scripts | ask.Modules | ask.Libraries)
}

// Hops is how often the request was sent again, lately.
func (n Nature) Hops() int { return int(n >> hopShift) }

// WithHops is n of a request that was sent again so often.
func (n Nature) WithHops(hops int) Nature {
	return n&(1<<hopShift-1) | Nature(min(hops, maxHops))<<hopShift
}

// CarriedBy is the nature of a request on its own which carries c.
func CarriedBy(c ask.Carrier) (n Nature) {
	n = Nature(c) << carrierShift
	if c&ask.Scripts != 0 {
		n |= Scripting
	}
	return n
}

// Ring is a queue of pending requests in the order sent.
//
// Invariant: tail - head == requests enqueued - replies ended; len(slots) is 0 or a power of two; slots without a request are zero.
type Ring struct {
	slots      []Pending
	Head, Tail uint64
}

// Len is how many requests there are.
func (r *Ring) Len() int { return int(r.Tail - r.Head) }

// Waiting is how many of them somebody waits for: no fences, nor what blocks.
func (r *Ring) Waiting() (n int) {
	for i := r.Head; i != r.Tail; i++ {
		if !r.At(i).Is.Has(Blocking | Fencing) {
			n++
		}
	}
	return n
}

// At gives request i, head <= i < tail. Valid until the next Reserve.
func (r *Ring) At(i uint64) *Pending { return &r.slots[i&uint64(len(r.slots)-1)] }

// Latest gives the request that was pushed last. Valid until the next Reserve.
func (r *Ring) Latest() *Pending { return r.At(r.Tail - 1) }

// After is an empty ring that counts on from r.
func (r *Ring) After() Ring { return Ring{Head: r.Tail, Tail: r.Tail} }

// Reserve makes room for one Add. The two are functions of their own so that the compiler inlines both: every request calls them.
func (r *Ring) Reserve() {
	if r.Len() == len(r.slots) {
		r.grow()
	}
}

// Add puts a request at the end, for the caller to fill: all its fields are zero. Reserve must have made room. Valid until the next
// Reserve.
func (r *Ring) Add() *Pending {
	r.Tail++
	return r.Latest()
}

// Pop forgets the head, and lets go of its receiver. head is At(Head), which the caller has.
func (r *Ring) Pop(head *Pending) {
	*head = Pending{}
	r.Head++
	if r.Head == r.Tail && len(r.slots) > maxIdle {
		r.slots = nil
	}
}

// maxIdle is the most places an empty ring keeps.
const maxIdle = 1 << 16

func (r *Ring) grow() {
	slots := make([]Pending, max(64, 2*len(r.slots)))
	for i := r.Head; i != r.Tail; i++ {
		slots[i&uint64(len(slots)-1)] = *r.At(i)
	}
	r.slots = slots
}
