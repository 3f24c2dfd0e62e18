package order

import "slices"

// Book has the orders of the clients of which requests are sent again. A Client sends requests, and a Conn is what they are sent on.
// The zero value is ready. Loop-only.
type Book[Client, Conn comparable] struct {
	orders     map[Client]*Order[Conn]
	freeOrders []*Order[Conn] // to be used again
	pass       uint64         // over what waits, the latest
}

// Order is that of one client's requests.
//
// Invariant: it is in the Book as long as waiting > 0 or resentOn has any.
type Order[Conn comparable] struct {
	waiting       int
	highest       uint64 // none of those that wait has a higher place
	blockedInPass uint64 // the pass that has left one of them waiting
	resentOn      []resentOn[Conn]
	progress      []progress // since requests are on their way again
}

// resentOn is where requests of a client are that were sent again.
type resentOn[Conn comparable] struct {
	conn Conn
	n    int
}

// progress is how far a client's requests for a hash slot have run, where some were sent again while others were after them: the place
// of the latest that has, and of the latest of those that did not only read, and 1.
type progress struct {
	slot       int
	ran, wrote uint64
}

// maxFree is the most orders that are kept to be used again.
const maxFree = 64

// Empty reports whether no request of any client is sent again.
func (b *Book[Client, Conn]) Empty() bool { return len(b.orders) == 0 }

// make is the order of a client, which is made if there is none.
func (b *Book[Client, Conn]) make(c Client) *Order[Conn] {
	o := b.orders[c]
	if o != nil {
		return o
	}
	if b.orders == nil {
		b.orders = map[Client]*Order[Conn]{}
	}
	if n := len(b.freeOrders); n > 0 {
		o, b.freeOrders = b.freeOrders[n-1], b.freeOrders[:n-1]
	} else {
		o = &Order[Conn]{}
	}
	b.orders[c] = o
	return o
}

// settle forgets a client of which nothing is sent again any more.
func (b *Book[Client, Conn]) settle(c Client, o *Order[Conn]) {
	if o.waiting > 0 {
		return
	}
	if o.highest = 0; len(o.resentOn) > 0 {
		return
	}
	delete(b.orders, c)
	if o.blockedInPass, o.progress = 0, o.progress[:0]; len(b.freeOrders) < maxFree {
		b.freeOrders = append(b.freeOrders, o)
	}
}

// Waits counts a request in that waits to be sent again. It reports whether one waits that the client has sent after it.
func (b *Book[Client, Conn]) Waits(c Client, place uint64) (beforeOthers bool) {
	o := b.make(c)
	beforeOthers = o.waiting > 0 && place < o.highest
	o.waiting++
	o.highest = max(o.highest, place)
	return beforeOthers
}

// Taken counts a request out that has waited.
func (b *Book[Client, Conn]) Taken(c Client) {
	o := b.orders[c]
	o.waiting--
	b.settle(c, o)
}

// Waiting reports whether requests of a client wait to be sent again.
func (b *Book[Client, Conn]) Waiting(c Client) bool {
	o := b.orders[c]
	return o != nil && o.waiting > 0
}

// SentOn counts a request in that was sent again on a connection. Unless it is its client's latest, it is noted from now on how far
// the requests run that the client has sent after it for the same slot.
func (b *Book[Client, Conn]) SentOn(c Client, conn Conn, slot int, latest bool) {
	o := b.make(c)
	if !latest && !slices.ContainsFunc(o.progress, func(at progress) bool { return at.slot == slot }) {
		o.progress = append(o.progress, progress{slot: slot})
	}
	for i := range o.resentOn {
		if o.resentOn[i].conn == conn {
			o.resentOn[i].n++
			return
		}
	}
	o.resentOn = append(o.resentOn, resentOn[Conn]{conn, 1})
}

// Arrived counts a request out that was sent again on a connection, and has ended or is to be sent once more.
func (b *Book[Client, Conn]) Arrived(c Client, conn Conn) {
	o := b.orders[c]
	for i := range o.resentOn {
		if at := &o.resentOn[i]; at.conn == conn {
			if at.n--; at.n == 0 {
				o.resentOn = slices.Delete(o.resentOn, i, i+1)
			}
			break
		}
	}
	b.settle(c, o)
}

// CouldOvertake reports whether a request of a client, sent again on to, could overtake one that was sent again on another connection
// than from.
func (b *Book[Client, Conn]) CouldOvertake(c Client, to, from Conn) bool {
	o := b.orders[c]
	return o != nil && slices.ContainsFunc(o.resentOn, func(at resentOn[Conn]) bool { return at.conn != to && at.conn != from })
}

// BeginPass begins to look at what waits, each client's requests in their order.
func (b *Book[Client, Conn]) BeginPass() { b.pass++ }

// Block has no further request of a client be sent in this pass, for one has to wait on.
func (b *Book[Client, Conn]) Block(c Client) { b.orders[c].blockedInPass = b.pass }

// Blocked reports whether Block was called for the client in this pass.
func (b *Book[Client, Conn]) Blocked(c Client) bool { return b.orders[c].blockedInPass == b.pass }

// Ran notes that a request of a client for a slot has run; below 0: it has none.
func (b *Book[Client, Conn]) Ran(c Client, place uint64, slot int, reads bool) {
	o := b.orders[c]
	if o == nil || slot < 0 {
		return
	}
	for i := range o.progress {
		if at := &o.progress[i]; at.slot == slot {
			at.ran = max(at.ran, place+1)
			if !reads {
				at.wrote = max(at.wrote, place+1)
			}
		}
	}
}

// Listens reports whether Ran matters for a client.
func (b *Book[Client, Conn]) Listens(c Client) bool {
	o := b.orders[c]
	return o != nil && o.waiting+len(o.progress) > 0
}

// MustNotRunAgain reports whether a request that was sent again must not be sent once more: one after it has run.
func (b *Book[Client, Conn]) MustNotRunAgain(c Client, place uint64, slot int, reads bool) bool {
	o := b.orders[c]
	return o != nil && slices.ContainsFunc(o.progress, func(at progress) bool {
		return at.slot == slot && (place < at.wrote || place < at.ran && !reads)
	})
}

// Each gives, for each client, how many of its requests wait and how many are on their way again. For tests.
func (b *Book[Client, Conn]) Each(f func(c Client, waiting, resent int)) {
	for c, o := range b.orders {
		n := 0
		for _, at := range o.resentOn {
			n += at.n
		}
		f(c, o.waiting, n)
	}
}
