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
	a := resend{policy: inOrder, raw: raw, request: *e, rings: p.ringsOf(c), nth: c.Nth, server: c.Server().Index(), slot: e.Keys.Slot(), reads: e.Keys.Reads()}
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

// queueOf is where a waits.
func (p *Pool) queueOf(a *resend) *resends {
	if a.policy == freely {
		return &p.freeResends
	}
	return &p.resends
}

// keep has a wait until it can be sent, after those of its client that were sent before it; false: too many wait. Borrows a.raw until
// return.
func (p *Pool) keep(a *resend) bool {
	q := p.queueOf(a)
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
	p.queueOf(a).bytes -= len(a.raw)
	a.rings.waiting--
	if a.policy != freely {
		p.Orders.Taken(a.client)
	}
}

// answerable is the server with whose failures a ends.
func (p *Pool) answerable(a *resend) *conn.Server {
	if a.policy == freely {
		return p.servers[a.primary]
	}
	return p.servers[a.server]
}

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

// retryAfter is the pause before a request is sent again to a server that can't answer it yet, ns.
const retryAfter = 20e6
