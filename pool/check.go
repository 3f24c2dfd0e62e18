package pool

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"ringmaster/stats"
)

// Key says which protocol and database the connection is for. Loop-only.
func (c *Conn) Key() Key { return c.rings.key }

// Check says which of the package's invariants is broken; nil: none. It walks everything: for tests and
// debug builds. Loop-only.
func (l *Loop) Check() error {
	owed, lent, opened := 0, 0, 0
	for _, p := range l.pools {
		opened += len(p.own.all)
		if err := p.check(); err != nil {
			return err
		}
		p.each(func(c *Conn) { owed += c.ring.waiting() })
		for c := range p.own.all {
			if c.owner != nil {
				lent++
			}
		}
	}
	if len(l.pools) > 0 && l.pools[0].stats.OwnOpen != uint64(opened) {
		return fmt.Errorf("%d connections were made for owners, %d are counted", opened, l.pools[0].stats.OwnOpen)
	}
	if lent != l.lent {
		return fmt.Errorf("%d connections have an owner, %d are counted", lent, l.lent)
	}
	if owed != l.InFlight {
		return fmt.Errorf("InFlight is %d, the rings hold %d", l.InFlight, owed)
	}
	return nil
}

func (p *Pool) check() error {
	for key, r := range p.rings {
		if r.key != key {
			return fmt.Errorf("the rings of %v are listed under %v", r.key, key)
		}
		if r.sessions < 0 {
			return fmt.Errorf("%d sessions use the rings of %v", r.sessions, key)
		}
		for _, c := range r.conns {
			if err := c.check(); err != nil {
				return fmt.Errorf("connection to %s of %v, %s: %w", c.server.Name, key, c.state, err)
			}
		}
	}
	for _, c := range p.leaving {
		if err := c.check(); err != nil {
			return fmt.Errorf("connection to %s, which leaves, %s: %w", c.server.Name, c.state, err)
		}
	}
	if p.stats.Draining != uint64(len(p.leaving)) {
		return fmt.Errorf("%d connections are counted as draining, there are %d", p.stats.Draining, len(p.leaving))
	}
	for addr, i := range p.at {
		if p.servers[i].Addr != addr {
			return fmt.Errorf("server %d is looked for at %s, it is at %s", i, addr, p.servers[i].Addr)
		}
	}
	if err := errors.Join(p.checkAgain(), p.checkReads()); err != nil {
		return err
	}
	queued := 0
	for at, l := range p.lanes {
		queued += l.waiting()
		if at.server != l.server || at.key != l.key {
			return fmt.Errorf("the lanes of %v are listed under %v", l.key, at.key)
		}
		for _, c := range l.conns {
			if _, open := p.own.all[c]; !open || c.lane != l {
				return fmt.Errorf("a lane to %s is not among the connections that are open", l.server.Name)
			}
		}
	}
	if queued != p.queued {
		return fmt.Errorf("%d requests wait for lanes, %d are counted", queued, p.queued)
	}
	for c := range p.own.all {
		if err := c.check(); err != nil {
			return fmt.Errorf("own connection to %s, %s: %w", c.server.Name, c.state, err)
		}
	}
	ready := map[*stats.Server]int{}
	seen := map[*Server]bool{}
	p.each(func(c *Conn) {
		if !seen[c.server] {
			seen[c.server] = true
			ready[c.server.stats] += c.server.ready
		}
	})
	for i, st := range p.stats.Servers {
		if n := ready[st]; st.Connections != uint64(n) {
			return fmt.Errorf("server %d has %d ready connections, the gauge shows %d", i, n, st.Connections)
		}
	}
	return nil
}

// checkAgain compares what is counted of requests that are sent again with what there is.
func (p *Pool) checkAgain() error {
	type count struct{ waiting, away int }
	found, waits := map[any]count{}, 0
	highest := map[any]uint64{}
	for i := range p.again {
		a := &p.again[i]
		n := found[a.client]
		n.waiting++
		found[a.client] = n
		waits += len(a.raw)
		if a.place < highest[a.client] {
			return fmt.Errorf("request %d of a client waits to be sent again behind request %d", a.place, highest[a.client])
		}
		highest[a.client] = a.place
	}
	p.each(func(c *Conn) {
		for i := c.ring.head; i != c.ring.tail; i++ {
			if e := c.ring.at(i); e.is.hops() > 0 && e.recv != nil && !e.is.has(reading) {
				client, _, _ := e.recv.(Holder).Place(e.tag)
				n := found[client]
				n.away++
				found[client] = n
			}
		}
	})
	for client, w := range p.wanderers {
		away := 0
		for _, at := range w.away {
			away += at.n
		}
		if n := found[client]; n.waiting != w.waiting || n.away != away {
			return fmt.Errorf("%d requests of a client wait to be sent again and %d were, %d and %d are counted", n.waiting, n.away, w.waiting, away)
		}
		delete(found, client)
	}
	if len(found) > 0 || waits != p.waits {
		return fmt.Errorf("%d clients with requests that are sent again are not counted; %d bytes wait, %d are counted", len(found), waits, p.waits)
	}
	return nil
}

// checkReads does so for reads.
func (p *Pool) checkReads() error {
	size := 0
	for i := range p.reads {
		size += len(p.reads[i].raw)
	}
	if size != p.readBytes {
		return fmt.Errorf("%d bytes of reads wait to be sent again, %d are counted", size, p.readBytes)
	}
	waiting := map[*Rings]int{}
	for i := range p.again {
		waiting[p.again[i].rings]++
	}
	for i := range p.reads {
		waiting[p.reads[i].rings]++
	}
	for key, r := range p.rings {
		if waiting[r] != r.waiting {
			return fmt.Errorf("%d requests of %v wait to be sent again, %d are counted", waiting[r], key, r.waiting)
		}
	}
	return nil
}

func (c *Conn) check() error {
	size := -c.out.off
	for _, b := range c.out.full {
		size += len(b.B)
	}
	if c.out.cur != nil {
		size += len(c.out.cur.B)
	}
	if err := c.checkFences(); err != nil {
		return err
	}
	wired := c.state == Handshaking || c.state == Ready || c.state == Draining
	switch {
	case size != c.out.size:
		return fmt.Errorf("output counts %d bytes, its chunks hold %d", c.out.size, size)
	case uint64(c.out.size) != c.queued-c.written:
		return fmt.Errorf("output holds %d bytes, %d were enqueued and %d written", c.out.size, c.queued, c.written)
	case wired != (c.sock != nil):
		return fmt.Errorf("has a socket: %t", c.sock != nil)
	case c.ring.len() > 0 && !wired && !(c.patient && c.state == Dialing):
		return fmt.Errorf("owes %d replies that can't come", c.ring.len())
	}
	return nil
}

// checkFences compares the fences with the ring, and what wraps a script.
func (c *Conn) checkFences() error {
	next, guard := c.fences.first, noGuard
	for i := c.ring.head; i != c.ring.tail; i++ {
		if !c.ring.at(i).is.has(fencing) {
			continue
		}
		if next == len(c.fences.list) || c.fences.list[next].at != i {
			return fmt.Errorf("request %d is a fence that is not listed", i)
		}
		if next == c.fences.first {
			guard = c.fences.list[next].from
		}
		next++
	}
	if next != len(c.fences.list) {
		return fmt.Errorf("%d fences are listed, %d are in the ring", len(c.fences.list)-c.fences.first, next-c.fences.first)
	}
	if c.fences.guard != guard {
		return fmt.Errorf("guards from request %d on, want %d", c.fences.guard, guard)
	}
	return nil
}

// Users is how many sessions use the rings of key. Loop-only.
func (p *Pool) Users(key Key) int {
	if r := p.rings[key]; r != nil {
		return r.sessions
	}
	return 0
}

// Seed makes what the pool draws by chance repeatable, for tests.
func (p *Pool) Seed(seed uint64) { p.random = rand.New(rand.NewPCG(seed, seed)) }

// each calls f for every connection.
func (p *Pool) each(f func(*Conn)) {
	for _, r := range p.rings {
		for _, c := range r.conns {
			f(c)
		}
	}
	for _, c := range p.leaving {
		f(c)
	}
	for c := range p.own.all {
		f(c)
	}
}
