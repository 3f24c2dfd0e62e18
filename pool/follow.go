package pool

import (
	"ringmaster/pool/conn"
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
			p.register(i, s.Addr)
			p.Counters.AddServer()
			p.servers = append(p.servers, p.newServer(i, s.Name, s.Addr))
		} else {
			old := p.servers[i]
			if shard.SameAddr(old.Addr, s.Addr) {
				if s.Addr != "" {
					p.rename(old, s)
				}
				continue
			}
			p.register(i, s.Addr)
			old.GoneAt, old.Left = p.Now, p.Config.Fixed && s.Addr == "" && !old.Replica
			p.leave(old)
			p.servers[i] = p.succeed(old, s)
			if s.Addr != "" && (old.Addr != "" || !p.Config.Fixed) {
				replaced = append(replaced, i)
			}
		}
		if calm {
			p.servers[i].GraceUntil = p.Now + int64(p.Config.DialTimeout)
		}
		first := p.Default()
		first.serve(i) // the server's state is that of its default connection
		for _, r := range p.rings {
			if r != first {
				r.serve(i)
			}
		}
		if s.Addr == "" {
			p.Counters.Servers[i].State = stats.ServerGone
		}
	}
	p.m = m // not before there are connections to all of its servers: what is lost above is sent again
	p.assign(m)
	p.noteUnescaped()
	p.closeLeft()
	for _, r := range p.rings {
		r.judge(conn.ErrGone)
	}
	for _, i := range replaced {
		p.recall(i)
	}
}

// recall ends the connections lent of the server that had number i before: what they are for is at the new one. Those that
// owe replies have them first.
func (p *Pool) recall(i int) {
	for c := range p.own.all {
		if c.Server().Index() != i || c.Server() == p.servers[i] {
			continue
		}
		c.Recall()
	}
}

// leave lets the connections to a server finish what they owe, or ends them.
func (p *Pool) leave(s *conn.Server) {
	i := s.Index()
	for _, r := range p.rings {
		for _, c := range r.of(i) {
			switch {
			case c.State() == conn.Ready:
				c.Leave()
				p.leaving = append(p.leaving, c)
			case s.Left && (c.Ring.Len() > 0 || p.staysOpen(c)):
				p.leaving = append(p.leaving, c) // it drains once it is ready
			default:
				c.Drain()
			}
		}
	}
	if q := p.probers[s]; q != nil && q.conn == nil {
		delete(p.probers, s)
	} else if q != nil && s.Left {
		q.conn.Retire()
	}
	for at, warm := range p.own.warm {
		if at.server == i {
			delete(p.own.warm, at)
			for _, c := range warm {
				c.Retire()
			}
		}
	}
	for at, spare := range p.own.spare {
		if at.server == i {
			delete(p.own.spare, at)
			p.Counters.Left += uint64(len(spare))
			for _, c := range spare {
				c.Retire()
			}
		}
	}
}

// serve makes the connections to server i, or says of each why there is none.
func (r *Rings) serve(i int) {
	p, per := r.pool, r.pool.Config.Connections
	s := p.servers[i]
	for n := range per {
		c := p.newConn(s, &r.Group, n)
		if at := i*per + n; at < len(r.conns) {
			r.conns[at] = c
		} else {
			r.conns = append(r.conns, c)
		}
		if s.Addr == "" {
			c.Exclude()
			continue
		}
		c.Dial()
	}
}

// tickLeaving looks at the connections to servers that are gone.
func (p *Pool) tickLeaving() {
	for _, c := range p.leaving {
		if c.State() != conn.Retired && c.State() != conn.Closed {
			c.Tick()
		}
	}
	p.closeLeft()
}

// closeLeft closes connections to servers that are gone which owe nothing, some at a time.
func (p *Pool) closeLeft() {
	kept, closed := p.leaving[:0], 0
	for _, c := range p.leaving {
		if c.State() != conn.Retired && c.Ring.Len() == 0 && closed < conn.AtOnce && !p.staysOpen(c) {
			c.Retire()
			closed++
		}
		if c.State() != conn.Retired {
			kept = append(kept, c)
		}
	}
	clear(p.leaving[len(kept):])
	p.leaving = kept
	p.Counters.Draining = uint64(len(p.leaving))
}

// newConn makes a connection to a server, the nth of its group to that.
func (p *Pool) newConn(s *conn.Server, g *conn.Group, nth int) *conn.Conn {
	return conn.NewConn(&p.Upstream, s, g, nth)
}
