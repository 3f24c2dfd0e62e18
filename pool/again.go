package pool

import (
	"bytes"
	"slices"
)

// again is a request, or a piece, that waits to be sent again. No request of a client overtakes another, except that they go
// to different servers from the beginning.
type again struct {
	raw     []byte
	request pending
	piece   *Resend // nil: a request
	client  Client
	place   uint64
	last    bool // nothing of the client was sent behind it
	rings   *Rings
	nth     int
	server  int
	unnamed bool // the node that was named is not known
	slot    int  // its hash slot; -1: not known
	reads   bool // it changes nothing
	asking  bool
	at      int64 // when to send it, ns
	// It is not sent before that connection has answered what the client had sent behind it: if that runs, this must not.
	behind *Conn
	until  uint64
	back   bool // it was sent again before

	refused bool   // a server has refused it
	doubt   *doubt // nil: there is none whether that was the server
}

// wanderer is a client with requests that are sent again.
//
// Invariant: waiting is how many of its requests are in Pool.again, and those of away are on rings, with hops.
type wanderer struct {
	waiting int
	highest uint64 // none of those has a higher place
	stuck   uint64 // the pass over Pool.again that has left one of them there
	away    []away
	passed  []passed // since requests are away; overtaking.go
}

// away is where requests of a wanderer are that were sent again.
type away struct {
	conn *Conn
	n    int
}

// Resend is a batch that may be sent again. Its Raw must not change before the batch has ended, and its tags begin at 0.
type Resend struct {
	Request
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
	e := pending{recv: r.Recv, tag: uint64(r.Batch.Exec), at: r.Since}
	a := again{request: e, piece: r, rings: r.Rings, nth: int(r.Seat % uint64(p.cfg.Connections)), server: r.Server, slot: r.Slot, reads: r.Reads}
	a.client, a.place, _ = e.client()
	a.last = a.client.Latest(a.place)
	a.wait(r.From)
	switch {
	case p.stopped:
		p.giveUp(&a, p.servers[a.server].stopping)
	case p.late(p.Now + retryAfter - r.Since):
		p.giveUp(&a, p.servers[a.server].timedOutUnsent)
	case !a.client.Hold():
		p.giveUp(&a, p.Moved(a.server))
	case !p.put(&a):
		p.giveUp(&a, p.servers[a.server].overloaded)
	default:
		p.Hint()
	}
}

// anew is a request of c as it would be sent again; false: it can't be.
func (c *Conn) anew(e *pending, raw []byte) (again, bool) {
	a := again{raw: raw, request: *e, rings: c.rings, nth: c.nth, server: c.server.index, slot: e.keys.slot(), reads: e.keys.reads()}
	if c.own {
		a.rings = c.pool.rings[c.rings.key]
	}
	var ok bool
	if a.client, a.place, ok = e.client(); !ok || len(raw) == 0 || a.rings == nil || c.pool.rings[a.rings.key] != a.rings {
		return a, false
	}
	a.last = a.client.Latest(a.place)
	a.back = e.is.hops() > 0
	return a, true
}

// wait keeps a back until what its client has sent behind it to c is answered.
func (a *again) wait(c *Conn) {
	if c != nil && !a.last {
		a.behind, a.until = c, c.ring.tail
	}
}

// put keeps a request until it can be sent, behind those of its client that were sent before it; false: too many are kept.
// Borrows a.raw until return.
func (p *Pool) put(a *again) bool {
	if len(p.again) >= p.cfg.MaxPending || p.waits > 0 && p.waits+len(a.raw) > p.cfg.MaxPendingBytes {
		return false
	}
	a.raw = bytes.Clone(a.raw)
	p.waits += len(a.raw)
	a.rings.waiting++
	a.at = p.Now + retryAfter
	w := p.wanderer(a.client)
	i := len(p.again)
	if w.waiting > 0 && a.place < w.highest {
		for n := range p.again {
			if o := &p.again[n]; o.client == a.client && o.place > a.place {
				i = n
				break
			}
		}
	}
	p.again = slices.Insert(p.again, i, *a)
	w.waiting++
	w.highest = max(w.highest, a.place)
	return true
}

func (p *Pool) wanderer(client Client) *wanderer {
	w := p.wanderers[client]
	if w == nil {
		if p.wanderers == nil {
			p.wanderers = map[Client]*wanderer{}
		}
		if n := len(p.settled); n > 0 {
			w, p.settled = p.settled[n-1], p.settled[:n-1]
		} else {
			w = &wanderer{}
		}
		p.wanderers[client] = w
	}
	return w
}

// maxSettled is the most wanderers that are kept to be used again.
const maxSettled = 64

// settle forgets a client of which nothing is sent again any more.
func (p *Pool) settle(client Client, w *wanderer) {
	if w.waiting > 0 {
		return
	}
	if w.highest = 0; len(w.away) == 0 {
		delete(p.wanderers, client)
		if w.stuck, w.passed = 0, w.passed[:0]; len(p.settled) < maxSettled {
			p.settled = append(p.settled, w)
		}
	}
}

// taken counts a out of Pool.again.
func (p *Pool) taken(a *again) {
	p.waits -= len(a.raw)
	a.rings.waiting--
	w := p.wanderers[a.client]
	w.waiting--
	p.settle(a.client, w)
}

// arrived counts out a request that was sent again and has ended, or is to be sent once more.
func (c *Conn) arrived(e *pending) {
	if e.is.hops() == 0 || e.recv == nil || e.is.has(reading) {
		return
	}
	client, _, _ := e.client()
	w := c.pool.wanderers[client]
	for i := range w.away {
		if at := &w.away[i]; at.conn == c {
			if at.n--; at.n == 0 {
				w.away = slices.Delete(w.away, i, i+1)
			}
			break
		}
	}
	c.pool.settle(client, w)
}

// sendNow sends a request at once that from has refused (nil: it was not sent); false: it has to wait.
func (p *Pool) sendNow(a *again, from *Conn) bool {
	w := p.wanderers[a.client]
	if w != nil && w.waiting > 0 {
		return false
	}
	to := a.rings.at(a.server, a.nth)
	if to == nil && from == nil && p.cfg.Cluster {
		to = a.rings.ready(a.nth)
	}
	return to != nil && p.resend(a, to, from)
}

var asking = appendCommand(nil, "ASKING")

// resend puts a request behind what to has; false: not now. What the client has on from is behind it.
func (p *Pool) resend(a *again, to, from *Conn) bool {
	if to = p.laneFor(to, a.carrier()); to == nil {
		return false
	}
	if w := p.wanderers[a.client]; w != nil {
		for _, at := range w.away {
			if at.conn != to && at.conn != from {
				return false // it could overtake that
			}
		}
	}
	if a.piece != nil {
		if !to.TakesMulti() {
			if !to.proving {
				to.proving = to.ProveMulti(func([]byte, *Failure) { to.proving = false }) == nil // whoever waits looks at TakesMulti
			}
			return false
		}
		r, first := a.piece, to.ring.tail
		if to.Enqueue(&r.Request) != nil {
			return false
		}
		for i := first; i < first+uint64(r.count()); i++ {
			to.ring.at(i).at = r.Since
		}
		to.early = true
		r.From = to
		p.sent(a, to, to.ring.at(first+uint64(r.Batch.Exec)))
		return true
	}
	if a.strays(to) && to.owesLater(a) {
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
		_ = to.Enqueue(&Request{Raw: asking, Recv: swallowed{}, Manner: Here})
	}
	at := to.ring.tail
	if carrier != 0 {
		e := &a.request
		at = to.putCarried(&Request{Raw: a.raw, Recv: e.recv, Tag: e.tag, Keys: e.keys, Carrier: carrier}, e.at)
	} else {
		to.out.write(a.raw)
		to.owe(len(a.raw), a.request.recv, a.request.tag)
		to.remember(a.raw, a.request.keys)
	}
	e := to.ring.at(at)
	e.at = a.request.at
	to.early = true
	p.sent(a, to, e)
	return true
}

// carrier is what a carries.
func (a *again) carrier() Carrier {
	if a.piece != nil {
		return a.piece.Carrier
	}
	return a.request.is.carrier()
}

// sent counts in e, which was sent again.
func (p *Pool) sent(a *again, to *Conn, e *pending) {
	e.is = e.is.withHops(a.request.is.hops() + 1)
	w := p.wanderer(a.client)
	w.follows(a)
	for i := range w.away {
		if w.away[i].conn == to {
			w.away[i].n++
			return
		}
	}
	w.away = append(w.away, away{to, 1})
}

// at is the connection to server if it is ready; else nil.
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

// to is the connection for a: to the server that was named, to that of the map, or in front of a cluster to any other; nil:
// there is none.
func (p *Pool) to(a *again) *Conn {
	if !p.cfg.Cluster {
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

// tickAgain sends again what has waited long enough, and ends what has waited for too long.
func (p *Pool) tickAgain() {
	if len(p.again) == 0 {
		return
	}
	p.pass++
	waiting := p.again
	p.again = nil
	for i := range waiting {
		a := &waiting[i]
		switch {
		case p.stopped:
			p.taken(a)
			p.giveUp(a, p.servers[a.server].stopping)
			continue
		case p.late(p.Now - a.request.at):
			p.taken(a)
			f := p.servers[a.server].timedOutUnsent
			if a.doubt != nil {
				f = p.servers[a.server].timedOut
			}
			p.giveUp(a, f)
			continue
		case a.doubt != nil:
			if waits, gone := p.settleDoubt(a); gone {
				continue
			} else if !waits && p.sendsNow(a) {
				continue
			}
		case p.sendsNow(a):
			continue
		}
		p.wanderers[a.client].stuck = p.pass
		p.again = append(p.again, *a)
	}
}

// sendsNow sends a, if it may be sent; false: it waits.
func (p *Pool) sendsNow(a *again) bool {
	if !p.due(a) {
		return false
	}
	a.request.is = a.request.is.withHops(0)
	to := p.to(a)
	if to == nil || !p.resend(a, to, nil) {
		return false
	}
	p.taken(a)
	return true
}

// due reports whether a may be sent.
func (p *Pool) due(a *again) bool {
	return p.Now >= a.at && p.wanderers[a.client].stuck != p.pass && (a.behind == nil || a.behind.ring.head >= a.until)
}

// giveUp ends a request that was not sent again.
func (p *Pool) giveUp(a *again, f *Failure) {
	e := &a.request
	if a.refused && !f.Sent {
		g := *f
		g.Refused = true
		f = &g
	}
	if a.piece == nil {
		p.fail(e.recv, e.tag, f)
		return
	}
	for i := range a.piece.count() {
		p.fail(e.recv, uint64(i), f)
	}
}
