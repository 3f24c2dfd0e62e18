package pool

// pending is one request that a reply is owed to.
type pending struct {
	recv Receiver // nil: nobody waits any more, the reply is dropped
	tag  uint64
	at   int64  // when it was enqueued, ns
	from uint64 // offset in the connection's output stream of the byte without which it can't have run
	is   nature
	keys Keys   // what its sender knows of its keys, if it may be sent again
	size uint32 // of its bytes in the connection's history; 0: it is never sent again
}

// Keys is what the sender of a request knows of its keys, so that none of a client is overtaken by a later one for the same: their hash
// slot, or their shard where there are no slots, and whether it changes nothing. The zero value: it has no keys, or nothing is known.
type Keys uint16

const onlyReads Keys = 1 << 15

// KeysIn are keys of a hash slot or a shard (below 0: there are none). reads: the request changes nothing. Any goroutine.
func KeysIn(slot int, reads bool) (k Keys) {
	if slot >= 0 {
		k = Keys(slot+1) &^ onlyReads
	}
	if reads {
		k |= onlyReads
	}
	return k
}

// slot is the hash slot or the shard; below 0: it is not known.
func (k Keys) slot() int { return int(k&^onlyReads) - 1 }

func (k Keys) reads() bool { return k&onlyReads != 0 }

// nature is what sets a request apart from others: none of the bits is set for an ordinary one. The highest ones count.
type nature uint16

const (
	blocking  nature = 1 << iota // it waits at the server for as long as it says itself, and so does what is behind it
	reading                      // it only reads and goes by Config.Reads: lost, it is sent again
	fencing                      // a fence of the pool's own (fence.go)
	wrapping                     // MULTI, or the script that it queues (wrapped.go)
	wrapped                      // the EXEC of these, whose reply is the script's
	scripting                    // it may run a script, for so long that the server answers others with BUSY
	lasting                      // its receiver sees to the timeout itself

	carrierShift = iota // its Carrier bits begin here
	hopShift     = carrierShift + 3
	maxHops      = 1<<(16-hopShift) - 1
)

func (n nature) has(bits nature) bool { return n&bits != 0 }

// client is whose the request is, and its place in the order of that client's; !ok: it has none.
func (e *pending) client() (client Client, place uint64, ok bool) {
	if place = e.recv.Place(e.tag); place == NoPlace {
		return nil, place, false
	}
	return e.recv.Client(), place, true
}

// carrier is what the reply to the request may hold as a client wrote it.
func (n nature) carrier() Carrier { return Carrier(n>>carrierShift) & (Scripts | Modules | Libraries) }

// hops is how often the request was sent again, lately.
func (n nature) hops() int { return int(n >> hopShift) }

func (n nature) withHops(hops int) nature {
	return n&(1<<hopShift-1) | nature(min(hops, maxHops))<<hopShift
}

// nature is that of a request on its own which carries c.
func (c Carrier) nature() (n nature) {
	n = nature(c) << carrierShift
	if c&Scripts != 0 {
		n |= scripting
	}
	return n
}

// ring is a queue of pending requests in the order sent.
//
// Invariant: tail - head == requests enqueued - replies ended; len(slots) is 0 or a power of two.
type ring struct {
	slots      []pending
	head, tail uint64
}

func (r *ring) len() int { return int(r.tail - r.head) }

// waiting is how many of them somebody waits for: no fences, nor what blocks.
func (r *ring) waiting() (n int) {
	for i := r.head; i != r.tail; i++ {
		if !r.at(i).is.has(blocking | fencing) {
			n++
		}
	}
	return n
}

// at gives request i, head <= i < tail. Valid until the next push.
func (r *ring) at(i uint64) *pending { return &r.slots[i&uint64(len(r.slots)-1)] }

func (r *ring) push(p pending) {
	if r.len() == len(r.slots) {
		r.grow()
	}
	*r.at(r.tail) = p
	r.tail++
}

// pop forgets the head, and lets go of its receiver.
func (r *ring) pop() {
	r.at(r.head).recv = nil
	r.head++
	if r.head == r.tail && len(r.slots) > maxIdle {
		r.slots = nil
	}
}

// maxIdle is the most places an empty ring keeps.
const maxIdle = 1 << 16

func (r *ring) grow() {
	slots := make([]pending, max(64, 2*len(r.slots)))
	for i := r.head; i != r.tail; i++ {
		slots[i&uint64(len(slots)-1)] = *r.at(i)
	}
	r.slots = slots
}
