package pool

import "slices"

// A client's requests for keys of one hash slot must not run in another order than they were sent in, unless they only read. A
// slot may come back to a node that has refused some of them while they are on their way: then it runs the rest.

// passed is how far a client's requests for a hash slot have run, where some were sent again while others were behind them: the
// place of the latest that has, and of the latest of those that did not only read, and 1.
type passed struct {
	slot       int
	ran, wrote uint64
}

// overtaken is Ran for a request on a connection.
func (p *Pool) overtaken(e *pending) {
	if client, place, ok := e.client(); ok {
		if w := p.wanderers[client]; w != nil && w.waiting+len(w.passed) > 0 {
			p.Ran(client, place, e.keys.slot(), e.keys.reads())
		}
	}
}

// Ran tells that a client's request with this place, for keys of a hash slot (below 0: for none), has run, so that none of its client that was sent
// before it may be sent again any more, unless both only read. Loop-only.
func (p *Pool) Ran(client Client, place uint64, slot int, reads bool) {
	if w := p.wanderers[client]; w != nil && slot >= 0 {
		w.ran(slot, place+1, reads)
	}
	for i := 0; slot >= 0 && i < len(p.again); i++ {
		if a := p.again[i]; a.client == client && a.place < place && a.slot == slot && !(reads && a.reads) {
			if a.doubt != nil {
				a.doubt.overtaken = true
				continue
			}
			p.again = slices.Delete(p.again, i, i+1)
			p.taken(&a)
			p.giveUp(&a, p.overtakenAt(a.server))
			i--
		}
	}
}

func (p *Pool) overtakenAt(server int) *Failure {
	return &Failure{Kind: Overtaken, Server: p.servers[server].Name}
}

func (w *wanderer) ran(slot int, upTo uint64, reads bool) {
	for i := range w.passed {
		if at := &w.passed[i]; at.slot == slot {
			at.ran = max(at.ran, upTo)
			if !reads {
				at.wrote = max(at.wrote, upTo)
			}
		}
	}
}

// follows begins to note how far the requests run that the client has sent behind a.
func (w *wanderer) follows(a *again) {
	if !a.last && !slices.ContainsFunc(w.passed, func(at passed) bool { return at.slot == a.slot }) {
		w.passed = append(w.passed, passed{slot: a.slot})
	}
}

// outrun reports whether a request that was sent again must not be sent once more: one behind it has run.
func (p *Pool) outrun(e *pending) bool {
	if e.is.hops() == 0 || e.is.has(reading) || e.recv == nil {
		return false
	}
	client, place, _ := e.client()
	w := p.wanderers[client]
	if w == nil || len(w.passed) == 0 {
		return false
	}
	slot, reads := e.keys.slot(), e.keys.reads()
	return slices.ContainsFunc(w.passed, func(at passed) bool {
		return at.slot == slot && (place < at.wrote || place < at.ran && !reads)
	})
}

// strays reports whether a may meet, at to, what its client has sent behind it: it does not come back there from a refusal.
func (a *again) strays(to *Conn) bool {
	if a.behind == nil {
		return a.back
	}
	return a.behind != to
}

// owesLater reports whether a reply is owed here to what the client has sent behind a, and which a, put behind it, would follow.
func (c *Conn) owesLater(a *again) bool {
	slot, reads := a.slot, a.reads
	if a.piece == nil {
		slot, reads = a.request.keys.slot(), a.request.keys.reads()
	}
	for i := c.ring.head; i != c.ring.tail && !a.last; i++ {
		e := c.ring.at(i)
		if e.recv == nil || e.is.has(reading) {
			continue
		}
		if client, place, ok := e.client(); !ok || client != a.client || place <= a.place {
			continue
		}
		if e.size == 0 || e.keys.slot() == slot && !(reads && e.keys.reads()) {
			return true
		}
	}
	return false
}
