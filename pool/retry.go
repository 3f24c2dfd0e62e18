package pool

import (
	"ringmaster/pool/ask"
	"ringmaster/pool/conn"
	"ringmaster/pool/queue"
)

// When what waits is sent, and where. See resend.go.

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
		return a.rings.readyTo(a.server, a.nth)
	}
	if !a.unnamed || a.slot < 0 || !p.m.Slotted() {
		if c := a.rings.readyTo(a.server, a.nth); c != nil {
			return c
		}
	}
	if a.slot >= 0 && p.m.Slotted() {
		if c := a.rings.readyTo(p.m.SlotServer(uint16(a.slot)), a.nth); c != nil {
			return c
		}
	}
	return a.rings.ready(a.nth)
}

// readyTo is the connection to server if it is ready; otherwise nil.
func (r *Rings) readyTo(server, nth int) *conn.Conn {
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
	to := a.rings.readyTo(a.server, a.nth)
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
