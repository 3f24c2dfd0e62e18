package pool

import "slices"

// A client's requests for keys of one hash slot must not run in another order than they were sent in, unless they only read. A
// slot may come back to a node that has refused some of them while they are on their way: then it runs the rest.

// overtaken is Ran for a request that has run on this connection.
func (c *Conn) overtaken(recv Receiver, tag uint64, raw []byte) {
	if h, ok := recv.(Holder); ok && c.pool.cfg.Slot != nil {
		client, _, _ := h.Place(tag)
		if c.pool.wanderers[client] != nil {
			slot, reads := c.pool.cfg.Slot(raw)
			c.pool.ran(h, tag, slot, reads, c)
		}
	}
}

// Ran tells that a request for keys of a hash slot (below 0: for none) has run, so that none of its client that was sent
// before it may be sent again any more, unless both only read. Loop-only.
func (p *Pool) Ran(h Holder, tag uint64, slot int, reads bool) { p.ran(h, tag, slot, reads, nil) }

// ran is Ran for a request that has run on a connection, where those before it have been answered.
func (p *Pool) ran(h Holder, tag uint64, slot int, reads bool, on *Conn) {
	client, place, _ := h.Place(tag)
	for i := 0; slot >= 0 && i < len(p.again); i++ {
		if a := p.again[i]; a.client == client && a.place < place && a.slot == slot && !(reads && a.reads) {
			p.again = slices.Delete(p.again, i, i+1)
			p.taken(&a)
			p.giveUp(&a, p.overtaken(a.server))
			i--
		}
	}
	w := p.wanderers[client]
	if w == nil || slot < 0 {
		return
	}
	for _, at := range w.away {
		if at.conn == on {
			continue
		}
		at.conn.ofClient(client, func(e *pending, its uint64, raw []byte) {
			if e.hops == 0 || its >= place {
				return
			}
			if s, r := p.slotOf(raw); s == slot && !(reads && r) {
				e.is = outrun
			}
		})
	}
}

func (p *Pool) overtaken(server int) *Failure {
	return &Failure{Kind: Overtaken, Server: p.servers[server].Name}
}

// slotOf is Config.Slot for a request whose bytes are kept, else -1.
func (p *Pool) slotOf(raw []byte) (slot int, reads bool) {
	if len(raw) == 0 || p.cfg.Slot == nil {
		return -1, false
	}
	return p.cfg.Slot(raw)
}

// strays reports whether a may meet, at to, what its client has sent behind it: it does not come back there from a refusal.
func (a *again) strays(to *Conn) bool {
	if a.behind == nil {
		return a.back
	}
	return a.behind != to
}

// owesLater reports whether a reply is owed here to what the client has sent behind a, and which a, put behind it, would follow.
func (c *Conn) owesLater(a *again) (owes bool) {
	if a.last {
		return false
	}
	slot, reads := a.slot, a.reads
	if a.piece == nil {
		slot, reads = c.pool.slotOf(a.raw)
	}
	c.ofClient(a.client, func(e *pending, place uint64, raw []byte) {
		s, r := c.pool.slotOf(raw)
		owes = owes || place > a.place && (len(raw) == 0 || s == slot && !(reads && r))
	})
	return owes
}

// ofClient calls f for each request of a client that is owed a reply here, with its place and what is kept of its bytes.
func (c *Conn) ofClient(client any, f func(e *pending, place uint64, raw []byte)) {
	kept := c.sent.buf[c.sent.head:]
	for i := c.ring.head; i != c.ring.tail; i++ {
		e := c.ring.at(i)
		raw := kept[:e.size]
		kept = kept[e.size:]
		if h, ok := e.recv.(Holder); ok && e.is != reading {
			if of, place, _ := h.Place(e.tag); of == client {
				f(e, place, raw)
			}
		}
	}
}
