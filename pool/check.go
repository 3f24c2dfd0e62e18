package pool

import (
	"fmt"

	"ringmaster/pool/ask"
	"ringmaster/pool/conn"
	"ringmaster/pool/queue"
	"ringmaster/stats"
)

// What tests look at. These are functions and no methods: the linker leaves out a function that nothing calls.

// Check says which of the package's invariants is broken; nil: none. It walks everything. For tests. Loop-only.
func Check(l *Loop) error {
	owed, lent, opened := 0, 0, 0
	for _, p := range l.pools {
		opened += len(p.own.all)
		if err := checkUpstream(p); err != nil {
			return err
		}
		p.each(func(c *conn.Conn) { owed += c.Ring.Waiting() })
		for c := range p.own.all {
			if c.Owner != nil {
				lent++
			}
		}
	}
	if len(l.pools) > 0 && l.pools[0].Counters.OwnOpen != uint64(opened) {
		return fmt.Errorf("%d connections were made for owners, %d are counted", opened, l.pools[0].Counters.OwnOpen)
	}
	if lent != l.lent {
		return fmt.Errorf("%d connections have an owner, %d are counted", lent, l.lent)
	}
	if owed != l.InFlight {
		return fmt.Errorf("InFlight is %d, the rings hold %d", l.InFlight, owed)
	}
	return nil
}

// checkUpstream is Check for one upstream.
func checkUpstream(p *Pool) error {
	for key, r := range p.rings {
		if r.ForKey != key {
			return fmt.Errorf("the rings of %v are listed under %v", r.ForKey, key)
		}
		if r.sessions < 0 {
			return fmt.Errorf("%d sessions use the rings of %v", r.sessions, key)
		}
		for _, c := range r.conns {
			if err := c.Check(); err != nil {
				return fmt.Errorf("connection to %s of %v, %s: %w", c.Server().Name, key, c.State(), err)
			}
		}
	}
	for _, c := range p.leaving {
		if err := c.Check(); err != nil {
			return fmt.Errorf("connection to %s, which leaves, %s: %w", c.Server().Name, c.State(), err)
		}
	}
	if p.Counters.Draining != uint64(len(p.leaving)) {
		return fmt.Errorf("%d connections are counted as draining, there are %d", p.Counters.Draining, len(p.leaving))
	}
	for addr, i := range p.at {
		if p.servers[i].Addr != addr {
			return fmt.Errorf("server %d is looked for at %s, it is at %s", i, addr, p.servers[i].Addr)
		}
	}
	if err := checkResends(p); err != nil {
		return err
	}
	queued := 0
	for at, l := range p.lanes {
		queued += l.backlogged()
		if at.server != l.server || at.key != l.key {
			return fmt.Errorf("the lanes of %v are listed under %v", l.key, at.key)
		}
		for _, c := range l.conns {
			if _, open := p.own.all[c]; !open || c.Owner != l {
				return fmt.Errorf("a lane to %s is not among the connections that are open", l.server.Name)
			}
		}
	}
	if queued != p.queued {
		return fmt.Errorf("%d requests wait for lanes, %d are counted", queued, p.queued)
	}
	for c := range p.own.all {
		if err := c.Check(); err != nil {
			return fmt.Errorf("own connection to %s, %s: %w", c.Server().Name, c.State(), err)
		}
	}
	ready := map[*stats.Server]int{}
	seen := map[*conn.Server]bool{}
	p.each(func(c *conn.Conn) {
		if !seen[c.Server()] {
			seen[c.Server()] = true
			ready[c.Server().Stats] += c.Server().Ready
		}
	})
	for i, st := range p.Counters.Servers {
		if n := ready[st]; st.Connections != uint64(n) {
			return fmt.Errorf("server %d has %d ready connections, the gauge shows %d", i, n, st.Connections)
		}
	}
	return nil
}

// checkResends compares what is counted of requests that are sent again with what there is.
func checkResends(p *Pool) error {
	waiting := map[*Rings]int{}
	for _, q := range []*resends{&p.resends, &p.freeResends} {
		size := 0
		for i := range q.list {
			size += len(q.list[i].raw)
			waiting[q.list[i].rings]++
		}
		if size != q.bytes {
			return fmt.Errorf("%d bytes wait to be sent again, %d are counted", size, q.bytes)
		}
	}
	for key, r := range p.rings {
		if waiting[r] != r.waiting {
			return fmt.Errorf("%d requests of %v wait to be sent again, %d are counted", waiting[r], key, r.waiting)
		}
	}
	return checkOrders(p)
}

// checkOrders compares the orders of clients with what is sent again of theirs.
func checkOrders(p *Pool) (err error) {
	type count struct{ waiting, resent int }
	found, highest := map[ask.Client]count{}, map[ask.Client]uint64{}
	for i := range p.resends.list {
		a := &p.resends.list[i]
		n := found[a.client]
		n.waiting++
		found[a.client] = n
		if a.place < highest[a.client] {
			return fmt.Errorf("request %d of a client waits to be sent again after request %d", a.place, highest[a.client])
		}
		highest[a.client] = a.place
	}
	p.each(func(c *conn.Conn) {
		for i := c.Ring.Head; i != c.Ring.Tail; i++ {
			if e := c.Ring.At(i); e.Is.Hops() > 0 && e.Recv != nil && !e.Is.Has(queue.Reading) {
				client, _, _ := e.Client()
				n := found[client]
				n.resent++
				found[client] = n
			}
		}
	})
	p.Orders.Each(func(client ask.Client, waiting, resent int) {
		if n := found[client]; n.waiting != waiting || n.resent != resent {
			err = fmt.Errorf("%d requests of a client wait to be sent again and %d were, %d and %d are counted", n.waiting, n.resent, waiting, resent)
		}
		delete(found, client)
	})
	if err == nil && len(found) > 0 {
		err = fmt.Errorf("%d clients with requests that are sent again are not counted", len(found))
	}
	return err
}

// Users is how many sessions use the rings of key. For tests. Loop-only.
func Users(p *Pool, key conn.Key) int {
	if r := p.rings[key]; r != nil {
		return r.sessions
	}
	return 0
}

// Seed makes what the loop draws by chance repeatable. For tests. Loop-only.
func Seed(l *Loop, seed uint64) { l.Seed(seed) }
