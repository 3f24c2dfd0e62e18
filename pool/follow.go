package pool

import (
	"ringmaster/pool/ask"
	"ringmaster/pool/queue"
	"ringmaster/shard"
	"ringmaster/stats"
)

// Follow takes over the servers of a new map, which has at least as many numbers as the one before. Nothing changes but
//
//   - a server that is new is dialled;
//   - one that was taken out of a fixed list answers what was sent to it or waits for it, and then its connections end. Those that are
//     lent are for their owners to return; see overstays;
//   - one that is gone otherwise answers what was sent to it. What waits goes to the server that has its number now, if there is one,
//     or where servers say;
//   - a server may have another name, or another spelling of its address.
//
// Loop-only.
func (p *Pool) Follow(m *shard.Map) {
	var replaced []int
	calm := p.calm()
	for i := range m.Len() {
		s := m.Server(i)
		if i == len(p.servers) {
			p.place(i, s.Addr)
			p.stats.AddServer()
			p.servers = append(p.servers, p.newServer(i, s.Name, s.Addr))
		} else {
			old := p.servers[i]
			if shard.SameAddr(old.Addr, s.Addr) {
				if s.Addr != "" {
					p.rename(old, s)
				}
				continue
			}
			p.place(i, s.Addr)
			old.goneAt, old.left = p.Now, p.cfg.Fixed && s.Addr == "" && !old.replica
			p.leave(old)
			p.servers[i] = p.succeed(old, s)
			if s.Addr != "" && (old.Addr != "" || !p.cfg.Fixed) {
				replaced = append(replaced, i)
			}
		}
		if calm {
			p.servers[i].graceUntil = p.Now + int64(p.cfg.DialTimeout)
		}
		first := p.Default()
		first.serve(i) // the server's state is that of its default connection
		for _, r := range p.rings {
			if r != first {
				r.serve(i)
			}
		}
		if s.Addr == "" {
			p.stats.Servers[i].State = stats.ServerGone
		}
	}
	p.m = m // not before there are connections to all of its servers: what is lost above is sent again
	p.assign(m)
	p.noteUnescaped()
	p.closeLeft()
	for _, r := range p.rings {
		r.judge(errGone)
	}
	for _, i := range replaced {
		p.recall(i)
	}
}

// recall ends the connections lent of the server that had number i before: what they are for is at the new one. Those that
// owe replies have them first.
func (p *Pool) recall(i int) {
	for c := range p.own.all {
		if c.server.index != i || c.server == p.servers[i] {
			continue
		}
		c.recalled = true
		if c.drain(); c.state == Draining {
			c.down = &ask.Failure{Kind: ask.Down, Server: c.server.Name, Cause: errGone}
		}
	}
}

// leave lets the connections to a server finish what they owe, or ends them.
func (p *Pool) leave(s *Server) {
	i := s.index
	for _, r := range p.rings {
		for _, c := range r.of(i) {
			switch {
			case c.state == Ready:
				c.leave()
				p.leaving = append(p.leaving, c)
			case s.left && (c.ring.Len() > 0 || c.staysOpen()):
				p.leaving = append(p.leaving, c) // it drains once it is ready
			default:
				c.drain()
			}
		}
	}
	if s.left && s.prober.conn != nil {
		s.prober.conn.retire()
	}
	for at, warm := range p.own.warm {
		if at.server == i {
			delete(p.own.warm, at)
			for _, c := range warm {
				c.retire()
			}
		}
	}
	for at, spare := range p.own.spare {
		if at.server == i {
			delete(p.own.spare, at)
			p.stats.Left += uint64(len(spare))
			for _, c := range spare {
				c.retire()
			}
		}
	}
}

// leave has a connection that is Ready take nothing more, and write what it holds.
func (c *Conn) leave() {
	c.pool.stats.Left++
	c.down = c.server.stopping
	c.endRenewal()
	c.transition(Draining)
	c.markDirty()
}

// serve makes the connections to server i, or says of each why there is none.
func (r *Rings) serve(i int) {
	p, per := r.pool, r.pool.cfg.Connections
	s := p.servers[i]
	for n := range per {
		c := &Conn{pool: p, server: s, rings: r, nth: n, fences: fences{guard: noGuard}, waitForDial: true, down: s.lost, out: queue.NewOutput(&p.Buffers)}
		if at := i*per + n; at < len(r.conns) {
			r.conns[at] = c
		} else {
			r.conns = append(r.conns, c)
		}
		if s.Addr == "" {
			c.waitForDial, c.down, c.state = false, &ask.Failure{Kind: ask.Down, Server: s.Name, Cause: errGone}, Retired
			continue
		}
		c.dial()
	}
}

// atOnce bounds how many sockets a loop opens and how many it closes in a turn because of a new map: each takes the loop
// several µs, and the cluster may have a thousand.
const atOnce = 64

// tickLeaving looks at the connections to servers that are gone.
func (p *Pool) tickLeaving() {
	for _, c := range p.leaving {
		if c.state != Retired && c.state != Closed {
			c.tick()
		}
	}
	p.closeLeft()
}

// closeLeft closes connections to servers that are gone which owe nothing, some at a time.
func (p *Pool) closeLeft() {
	kept, closed := p.leaving[:0], 0
	for _, c := range p.leaving {
		if c.state != Retired && c.ring.Len() == 0 && closed < atOnce && !c.staysOpen() {
			c.retire()
			closed++
		}
		if c.state != Retired {
			kept = append(kept, c)
		}
	}
	clear(p.leaving[len(kept):])
	p.leaving = kept
	p.stats.Draining = uint64(len(p.leaving))
}

// place notes that server i, which may be new, is at addr from now on.
func (p *Pool) place(i int, addr string) {
	if i < len(p.servers) && p.at[p.servers[i].Addr] == i {
		delete(p.at, p.servers[i].Addr)
	}
	if _, taken := p.at[addr]; addr != "" && !taken {
		p.at[addr] = i
	}
}

// serverAt is the number of the server with an address; -1: there is none.
func (p *Pool) serverAt(addr []byte) int {
	if i, known := p.at[string(addr)]; known {
		return i
	}
	return -1
}
