package pool

import (
	"bytes"
	"ringmaster/pool/ask"
	"ringmaster/pool/queue"
	"slices"
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
	after   *Conn
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
	Slot   int   // of its keys; -1: it has none
	Reads  bool  // it changes nothing
	Since  int64 // when it was sent first, ns
	From   *Conn // that it was sent over; set when it is sent again
}

// Resend sends a batch of which nothing has run again soon, or ends each of its requests with a Failure. Loop-only.
func (p *Pool) Resend(r *Resend) {
	e := queue.Pending{Recv: r.Recv, Tag: uint64(r.Batch.Exec), At: r.Since}
	a := resend{policy: asBatch, request: e, batch: r, rings: r.Rings, nth: int(r.Seat % uint64(p.cfg.Connections)), server: r.Server, slot: r.Slot, reads: r.Reads}
	a.client, a.place, _ = e.Client()
	a.last = a.client.Latest(a.place)
	a.wait(r.From)
	switch {
	case p.stopped:
		p.giveUp(&a, p.servers[a.server].stopping)
	case p.late(p.Now + retryAfter - r.Since):
		p.giveUp(&a, p.servers[a.server].timedOutUnsent)
	case !a.client.Hold():
		p.giveUp(&a, p.Moved(a.server))
	case !p.keep(&a):
		p.giveUp(&a, p.servers[a.server].overloaded)
	default:
		p.Hint()
	}
}

// anew is a request of c as it would be sent again in its client's order; false: it can't be.
func (c *Conn) anew(e *queue.Pending, raw []byte) (resend, bool) {
	a := resend{raw: raw, request: *e, rings: c.rings, nth: c.nth, server: c.server.index, slot: e.Keys.Slot(), reads: e.Keys.Reads()}
	if c.own {
		a.rings = c.pool.rings[c.rings.key]
	}
	var ok bool
	if a.client, a.place, ok = e.Client(); !ok || len(raw) == 0 || a.rings == nil || c.pool.rings[a.rings.key] != a.rings {
		return a, false
	}
	a.last = a.client.Latest(a.place)
	a.back = e.Is.Hops() > 0
	return a, true
}

// wait keeps a back until what its client has sent after it to c is answered.
func (a *resend) wait(c *Conn) {
	if c != nil && !a.last {
		a.after, a.until = c, c.ring.Tail
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
	if len(q.list) >= p.cfg.MaxPending || q.bytes > 0 && q.bytes+len(a.raw) > p.cfg.MaxPendingBytes {
		return false
	}
	a.raw = bytes.Clone(a.raw)
	q.bytes += len(a.raw)
	a.rings.waiting++
	a.at = p.Now + retryAfter
	i := len(q.list)
	if a.policy != freely && p.orders.Waits(a.client, a.place) {
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
		p.orders.Taken(a.client)
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
	p.orders.BeginPass()
	waiting := q.list
	q.list = nil
	for i := range waiting {
		a := &waiting[i]
		if f, waits := p.retry(a); f != nil {
			p.taken(a)
			p.giveUp(a, f)
		} else if waits {
			if a.policy != freely {
				p.orders.Block(a.client)
			}
			q.list = append(q.list, *a)
		}
	}
}

// retry sends a, if it may be sent now. waits: it may not; f says why a has to end without a reply. Otherwise it is taken.
func (p *Pool) retry(a *resend) (f *ask.Failure, waits bool) {
	switch {
	case p.stopped:
		return p.answerable(a).stopping, false
	case p.late(p.Now - a.request.At):
		if a.doubt != nil {
			return p.answerable(a).timedOut, false
		}
		return p.answerable(a).timedOutUnsent, false
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
func (p *Pool) answerable(a *resend) *Server {
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
	return !p.orders.Blocked(a.client) && (a.after == nil || a.after.ring.Head >= a.until)
}

// to is the connection for a: to the server that was named, to that of the map, or in front of a cluster to any other; nil:
// there is none.
func (p *Pool) to(a *resend) *Conn {
	switch {
	case a.policy == freely:
		return p.toRead(a)
	case !p.cfg.Cluster:
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
func (r *Rings) at(server, nth int) *Conn {
	if i := server*r.pool.cfg.Connections + nth; i < len(r.conns) && r.conns[i].state == Ready {
		return r.conns[i]
	}
	return nil
}

// ready is a connection to any server that can answer, which knows where a key is; nil: there is none.
func (r *Rings) ready(nth int) *Conn {
	for i := nth; i < len(r.conns); i += r.pool.cfg.Connections {
		if r.conns[i].state == Ready {
			return r.conns[i]
		}
	}
	return nil
}

// sendNow sends a request at once that from has refused (nil: it was not sent); false: it has to wait.
func (p *Pool) sendNow(a *resend, from *Conn) bool {
	if p.orders.Waiting(a.client) {
		return false
	}
	to := a.rings.at(a.server, a.nth)
	if to == nil && from == nil && p.cfg.Cluster {
		to = a.rings.ready(a.nth)
	}
	return to != nil && p.send(a, to, from)
}

// send puts a after what to has; false: not now. What its client has on from is after it.
func (p *Pool) send(a *resend, to, from *Conn) bool {
	if a.policy == freely {
		return p.sendRead(a, to)
	}
	if to = p.laneFor(to, a.carrier()); to == nil || p.orders.CouldOvertake(a.client, to, from) {
		return false
	}
	if a.policy == asBatch {
		return p.sendBatch(a, to)
	}
	return p.sendRequest(a, to)
}

// sendBatch is send for a batch.
func (p *Pool) sendBatch(a *resend, to *Conn) bool {
	if !to.TakesMulti() {
		if !to.proving {
			to.proving = to.ProveMulti(func([]byte, *ask.Failure) { to.proving = false }) == nil // whoever waits looks at TakesMulti
		}
		return false
	}
	r, first := a.batch, to.ring.Tail
	if to.Enqueue(&r.Request) != nil {
		return false
	}
	for i := first; i < first+uint64(r.Count()); i++ {
		to.ring.At(i).At = r.Since
	}
	r.From = to
	p.sentAgain(a, to, to.ring.At(first+uint64(r.Batch.Exec)))
	return true
}

// sendRequest is send for a request that has a place in its client's order.
func (p *Pool) sendRequest(a *resend, to *Conn) bool {
	if a.couldLandLate(to) && to.hasLaterRequest(a) {
		return false
	}
	requests := 1
	if a.asking = a.asking && to.server.index == a.server; a.asking {
		requests = 2
	}
	carrier := a.carrier()
	if carrier != 0 {
		requests += maxWrapping
	}
	if to.admit(len(a.raw)+fenceSize, requests) != nil {
		return false
	}
	if a.asking {
		_ = to.Enqueue(&ask.Request{Raw: asking, Recv: swallowed{}, Manner: ask.Here})
	}
	at, e := to.ring.Tail, &a.request
	if carrier != 0 {
		at = to.putCarried(&ask.Request{Raw: a.raw, Recv: e.Recv, Tag: e.Tag, Keys: e.Keys, Carrier: carrier}, e.At)
	} else {
		to.out.Write(a.raw)
		to.owe(len(a.raw), e.Recv, e.Tag)
		to.remember(a.raw, e.Keys)
	}
	to.ring.At(at).At = e.At
	p.sentAgain(a, to, to.ring.At(at))
	return true
}

var asking = appendCommand(nil, "ASKING")

// carrier is what a carries.
func (a *resend) carrier() ask.Carrier {
	if a.batch != nil {
		return a.batch.Carrier
	}
	return a.request.Is.Carrier()
}

// sentAgain counts in e, as which a stands on the ring of to.
func (p *Pool) sentAgain(a *resend, to *Conn, e *queue.Pending) {
	to.early = true
	e.Is = e.Is.WithHops(a.request.Is.Hops() + 1)
	if a.policy != freely {
		p.orders.SentOn(a.client, to, a.slot, a.last)
	}
}

// arrived counts out a request that was sent again and has ended, or is to be sent once more.
func (c *Conn) arrived(e *queue.Pending) {
	if e.Is.Hops() == 0 || e.Recv == nil || e.Is.Has(queue.Reading) {
		return
	}
	client, _, _ := e.Client()
	c.pool.orders.Arrived(client, c)
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
		p.fail(e.Recv, e.Tag, f)
		return
	}
	for i := range a.batch.Count() {
		p.fail(e.Recv, uint64(i), f)
	}
}

// ran tells of a request on a connection that it has run, or may have.
func (p *Pool) ran(e *queue.Pending) {
	if client, place, ok := e.Client(); ok && p.orders.Listens(client) {
		p.Ran(client, place, e.Keys.Slot(), e.Keys.Reads())
	}
}

// Ran tells that a client's request with this place, for keys of a hash slot (below 0: for none), has run, so that none of its client
// that was sent before it may be sent again any more, unless both only read. Loop-only.
func (p *Pool) Ran(client ask.Client, place uint64, slot int, reads bool) {
	p.orders.Ran(client, place, slot, reads)
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

// mustNotRunAgain reports whether a request that was sent again must not be sent once more: one after it has run.
func (p *Pool) mustNotRunAgain(e *queue.Pending) bool {
	if e.Is.Hops() == 0 || e.Is.Has(queue.Reading) || e.Recv == nil {
		return false
	}
	client, place, _ := e.Client()
	return p.orders.MustNotRunAgain(client, place, e.Keys.Slot(), e.Keys.Reads())
}

// couldLandLate reports whether a, sent to to, could land after requests that its client sent later. It could not on the connection
// that has just refused it.
func (a *resend) couldLandLate(to *Conn) bool {
	if a.after == nil {
		return a.back
	}
	return a.after != to
}

// hasLaterRequest reports whether a reply is owed here to what the client has sent after a, and which a must not follow.
func (c *Conn) hasLaterRequest(a *resend) bool {
	if a.last {
		return false
	}
	keys := a.request.Keys
	for i := c.ring.Head; i != c.ring.Tail; i++ {
		e := c.ring.At(i)
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
