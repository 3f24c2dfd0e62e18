package pool

import (
	"bytes"
	"slices"

	"ringmaster/pool/ask"
	"ringmaster/pool/conn"
	"ringmaster/pool/queue"
)

// What a server refuses, since the keys are elsewhere or since it can't answer now, is sent again, and so is what never reached one.
// This is the only place that sends again:
//
//	refused, lost ─▸ resend ─ sendNow ─▸ on a ring again
//	                   │
//	                   └─ keep ─▸ resends ─ tick: due? to? send ─▸ on a ring again, or an end: giveUp
//
// How and when something is sent again is its policy: anew, asRead and Resend choose it. It decides in which queue something waits and
// what it may overtake (queue, keep, taken, tick), when it is due, where it goes (to), how it is put there (send), and with whose
// failure it ends (answerable, giveUp).

// policy is how something is sent again.
type policy uint8

const (
	// inOrder: no request of its client overtakes it, and it overtakes none (package order). Requests of which a server was wrong.
	inOrder policy = iota
	// asBatch is inOrder for a batch, which waits until the server is known to take MULTI where it goes.
	asBatch
	// freely: it only reads, and may overtake others: the read policy has reads go to several servers at once. Reads whose server is lost.
	freely
)

// resend is a request, or a batch, that waits to be sent again, or is about to be.
type resend struct {
	policy  policy
	raw     []byte
	request queue.Pending
	rings   *Rings
	nth     int
	server  int // the server that it is for, as far as is known; with freely: that a node has named, below 0: it goes by the policy
	asking  bool
	at      int64 // when to send it, ns

	// With freely.
	primary int  // whose keys it reads
	sent    bool // a server has had it

	// Otherwise.
	batch   *Resend // nil: it is one request
	client  ask.Client
	place   uint64
	last    bool // nothing of the client was sent after it
	unnamed bool // the node that was named is not known
	slot    int  // its hash slot; -1: not known
	reads   bool // it changes nothing
	// It is not sent before that connection has answered what the client had sent after it: if that runs, this must not.
	after   *conn.Conn
	until   uint64
	back    bool   // it was sent again before
	refused bool   // a server has refused it
	doubt   *doubt // nil: there is none whether that was the server
}

// resends are the resends that wait. Those in the order of their clients are one queue, and those that go freely another.
//
// Invariant: bytes is the sum of the sizes of all that wait; of a client none is after one that it has sent later.
type resends struct {
	list  []resend
	bytes int
}

// Resend is a batch that may be sent again. Its Raw must not change before the batch has ended, and its tags begin at 0.
type Resend struct {
	ask.Request
	Rings  *Rings
	Seat   uint64
	Server int
	Slot   int        // of its keys; -1: it has none
	Reads  bool       // it changes nothing
	Since  int64      // when it was sent first, ns
	From   *conn.Conn // that it was sent over; set when it is sent again
}

// Resend sends a batch of which nothing has run again soon, or ends each of its requests with a Failure. Loop-only.
func (p *Pool) Resend(r *Resend) {
	e := queue.Pending{Recv: r.Recv, Tag: uint64(r.Batch.Exec), At: r.Since}
	a := resend{policy: asBatch, request: e, batch: r, rings: r.Rings, nth: int(r.Seat % uint64(p.Config.Connections)), server: r.Server, slot: r.Slot, reads: r.Reads}
	a.client, a.place, _ = e.Client()
	a.last = a.client.Latest(a.place)
	a.wait(r.From)
	switch {
	case p.Stopped:
		p.giveUp(&a, p.servers[a.server].Stopping)
	case p.Late(p.Now + retryAfter - r.Since):
		p.giveUp(&a, p.servers[a.server].TimedOutUnsent)
	case !a.client.Hold():
		p.giveUp(&a, p.Moved(a.server))
	case !p.keep(&a):
		p.giveUp(&a, p.servers[a.server].Overloaded)
	default:
		p.Hint()
	}
}

// anew is a request of c as it would be sent again in its client's order; false: it can't be.
func (p *Pool) anew(c *conn.Conn, e *queue.Pending, raw []byte) (resend, bool) {
	a := resend{raw: raw, request: *e, rings: p.ringsOf(c), nth: c.Nth, server: c.Server().Index(), slot: e.Keys.Slot(), reads: e.Keys.Reads()}
	if c.Own() {
		a.rings = p.rings[c.Group.ForKey]
	}
	var ok bool
	if a.client, a.place, ok = e.Client(); !ok || len(raw) == 0 || a.rings == nil {
		return a, false
	}
	a.last = a.client.Latest(a.place)
	a.back = e.Is.Hops() > 0
	return a, true
}

// wait keeps a back until what its client has sent after it to c is answered.
func (a *resend) wait(c *conn.Conn) {
	if c != nil && !a.last {
		a.after, a.until = c, c.Ring.Tail
	}
}

// queue is where a waits.
func (p *Pool) queue(a *resend) *resends {
	if a.policy == freely {
		return &p.freeResends
	}
	return &p.resends
}

// keep has a wait until it can be sent, after those of its client that were sent before it; false: too many wait. Borrows a.raw until
// return.
func (p *Pool) keep(a *resend) bool {
	q := p.queue(a)
	if len(q.list) >= p.Config.MaxPending || q.bytes > 0 && q.bytes+len(a.raw) > p.Config.MaxPendingBytes {
		return false
	}
	a.raw = bytes.Clone(a.raw)
	q.bytes += len(a.raw)
	a.rings.waiting++
	a.at = p.Now + retryAfter
	i := len(q.list)
	if a.policy != freely && p.Orders.Waits(a.client, a.place) {
		for n := range q.list {
			if o := &q.list[n]; o.client == a.client && o.place > a.place {
				i = n
				break
			}
		}
	}
	q.list = slices.Insert(q.list, i, *a)
	return true
}

// taken counts a out of those that wait.
func (p *Pool) taken(a *resend) {
	p.queue(a).bytes -= len(a.raw)
	a.rings.waiting--
	if a.policy != freely {
		p.Orders.Taken(a.client)
	}
}

// tickResends sends again what has waited long enough, and ends what has waited for too long, or in vain.
func (p *Pool) tickResends() {
	p.resends.tick(p)
	p.freeResends.tick(p)
}

func (q *resends) tick(p *Pool) {
	if len(q.list) == 0 {
		return
	}
	p.Orders.BeginPass()
	waiting := q.list
	q.list = nil
	for i := range waiting {
		a := &waiting[i]
		if f, waits := p.retry(a); f != nil {
			p.taken(a)
			p.giveUp(a, f)
		} else if waits {
			if a.policy != freely {
				p.Orders.Block(a.client)
			}
			q.list = append(q.list, *a)
		}
	}
}

// retry sends a, if it may be sent now. waits: it may not; f says why a has to end without a reply. Otherwise it is taken.
func (p *Pool) retry(a *resend) (f *ask.Failure, waits bool) {
	switch {
	case p.Stopped:
		return p.answerable(a).Stopping, false
	case p.Late(p.Now - a.request.At):
		if a.doubt != nil {
			return p.answerable(a).TimedOut, false
		}
		return p.answerable(a).TimedOutUnsent, false
	}
	if a.doubt != nil {
		if waits, gone := p.settleDoubt(a); waits || gone {
			return nil, waits
		}
	}
	if !p.due(a) {
		return nil, true
	}
	a.request.Is = a.request.Is.WithHops(0)
	if to := p.to(a); to != nil && p.send(a, to, nil) {
		p.taken(a)
		return nil, false
	}
	if a.policy == freely {
		f = p.hopeless(a)
	}
	return f, f == nil
}

// answerable is the server with whose failures a ends.
func (p *Pool) answerable(a *resend) *conn.Server {
	if a.policy == freely {
		return p.servers[a.primary]
	}
	return p.servers[a.server]
}

// due reports whether a may be sent.
func (p *Pool) due(a *resend) bool {
	if p.Now < a.at || a.policy == freely {
		return p.Now >= a.at
	}
	return !p.Orders.Blocked(a.client) && (a.after == nil || a.after.Ring.Head >= a.until)
}

// to is the connection for a: to the server that was named, to that of the map, or in front of a cluster to any other; nil:
// there is none.
func (p *Pool) to(a *resend) *conn.Conn {
	switch {
	case a.policy == freely:
		return p.toRead(a)
	case !p.Config.Cluster:
		return a.rings.at(a.server, a.nth)
	}
	if !a.unnamed || a.slot < 0 || !p.m.Slotted() {
		if c := a.rings.at(a.server, a.nth); c != nil {
			return c
		}
	}
	if a.slot >= 0 && p.m.Slotted() {
		if c := a.rings.at(p.m.SlotServer(uint16(a.slot)), a.nth); c != nil {
			return c
		}
	}
	return a.rings.ready(a.nth)
}

// at is the connection to server if it is ready; otherwise nil.
func (r *Rings) at(server, nth int) *conn.Conn {
	if i := server*r.pool.Config.Connections + nth; i < len(r.conns) && r.conns[i].State() == conn.Ready {
		return r.conns[i]
	}
	return nil
}

// ready is a connection to any server that can answer, which knows where a key is; nil: there is none.
func (r *Rings) ready(nth int) *conn.Conn {
	for i := nth; i < len(r.conns); i += r.pool.Config.Connections {
		if r.conns[i].State() == conn.Ready {
			return r.conns[i]
		}
	}
	return nil
}

// sendNow sends a request at once that from has refused (nil: it was not sent); false: it has to wait.
func (p *Pool) sendNow(a *resend, from *conn.Conn) bool {
	if p.Orders.Waiting(a.client) {
		return false
	}
	to := a.rings.at(a.server, a.nth)
	if to == nil && from == nil && p.Config.Cluster {
		to = a.rings.ready(a.nth)
	}
	return to != nil && p.send(a, to, from)
}

// send puts a after what to has; false: not now. What its client has on from is after it.
func (p *Pool) send(a *resend, to, from *conn.Conn) bool {
	if a.policy == freely {
		return p.sendRead(a, to)
	}
	if to = p.laneFor(to, a.carrier()); to == nil || p.Orders.CouldOvertake(a.client, to, from) {
		return false
	}
	if a.policy == asBatch {
		return p.sendBatch(a, to)
	}
	return p.sendRequest(a, to)
}

// sendBatch is send for a batch.
func (p *Pool) sendBatch(a *resend, to *conn.Conn) bool {
	if !to.TakesMulti() {
		to.ProveOnce()
		return false
	}
	r, first := a.batch, to.Ring.Tail
	if to.Enqueue(&r.Request) != nil {
		return false
	}
	to.Backdate(first, r.Count(), r.Since)
	r.From = to
	p.sentAgain(a, to, to.Ring.At(first+uint64(r.Batch.Exec)))
	return true
}

// sendRequest is send for a request that has a place in its client's order.
func (p *Pool) sendRequest(a *resend, to *conn.Conn) bool {
	if a.couldLandLate(to) && a.hasLaterOn(to) {
		return false
	}
	requests := 1
	if a.asking = a.asking && to.Server().Index() == a.server; a.asking {
		requests = 2
	}
	carrier := a.carrier()
	if carrier != 0 {
		requests += conn.MaxWrapping
	}
	if to.Admit(len(a.raw)+conn.FenceSize, requests) != nil {
		return false
	}
	if a.asking {
		_ = to.Enqueue(&ask.Request{Raw: asking, Recv: conn.Swallowed{}, Manner: ask.Here})
	}
	e := &a.request
	at := to.PutAgain(&ask.Request{Raw: a.raw, Recv: e.Recv, Tag: e.Tag, Keys: e.Keys, Carrier: carrier}, e.At)
	p.sentAgain(a, to, to.Ring.At(at))
	return true
}

var asking = conn.AppendCommand(nil, "ASKING")

// carrier is what a carries.
func (a *resend) carrier() ask.Carrier {
	if a.batch != nil {
		return a.batch.Carrier
	}
	return a.request.Is.Carrier()
}

// sentAgain counts in e, as which a stands on the ring of to.
func (p *Pool) sentAgain(a *resend, to *conn.Conn, e *queue.Pending) {
	e.Is = e.Is.WithHops(a.request.Is.Hops() + 1)
	if a.policy != freely {
		p.Orders.SentOn(a.client, to, a.slot, a.last)
	}
}

// giveUp ends what was not sent again.
func (p *Pool) giveUp(a *resend, f *ask.Failure) {
	if !f.Sent && (a.sent || a.refused) {
		g := *f
		g.Sent, g.Refused = a.sent, g.Refused || a.refused
		f = &g
	}
	e := &a.request
	if a.batch == nil {
		p.Fail(e.Recv, e.Tag, f)
		return
	}
	for i := range a.batch.Count() {
		p.Fail(e.Recv, uint64(i), f)
	}
}

// ran tells of a request on a connection that it has run, or may have.
func (p *Pool) ran(e *queue.Pending) {
	if client, place, ok := e.Client(); ok && p.Orders.Listens(client) {
		p.Ran(client, place, e.Keys.Slot(), e.Keys.Reads())
	}
}

// Ran tells that a client's request with this place, for keys of a hash slot (below 0: for none), has run, so that none of its client
// that was sent before it may be sent again any more, unless both only read. Loop-only.
func (p *Pool) Ran(client ask.Client, place uint64, slot int, reads bool) {
	p.Orders.Ran(client, place, slot, reads)
	q := &p.resends
	for i := 0; slot >= 0 && i < len(q.list); i++ {
		if a := q.list[i]; a.client == client && a.place < place && a.slot == slot && !(reads && a.reads) {
			if a.doubt != nil {
				a.doubt.overtaken = true
				continue
			}
			q.list = slices.Delete(q.list, i, i+1)
			p.taken(&a)
			p.giveUp(&a, p.overtakenAt(a.server))
			i--
		}
	}
}

func (p *Pool) overtakenAt(server int) *ask.Failure {
	return &ask.Failure{Kind: ask.Overtaken, Server: p.servers[server].Name}
}

// couldLandLate reports whether a, sent to to, could land after requests that its client sent later. It could not on the connection
// that has just refused it.
func (a *resend) couldLandLate(to *conn.Conn) bool {
	if a.after == nil {
		return a.back
	}
	return a.after != to
}

// hasLaterOn reports whether c owes a reply to what the client has sent after a, and which a must not follow.
func (a *resend) hasLaterOn(c *conn.Conn) bool {
	if a.last {
		return false
	}
	keys := a.request.Keys
	for i := c.Ring.Head; i != c.Ring.Tail; i++ {
		e := c.Ring.At(i)
		if e.Recv == nil || e.Is.Has(queue.Reading) {
			continue
		}
		if client, place, ok := e.Client(); !ok || client != a.client || place <= a.place {
			continue
		}
		if e.Size == 0 || e.Keys.Slot() == keys.Slot() && !(keys.Reads() && e.Keys.Reads()) {
			return true
		}
	}
	return false
}
