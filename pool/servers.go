package pool

import (
	"ringmaster/pool/conn"
	"ringmaster/shard"
	"ringmaster/stats"
)

func (p *Pool) newServer(i int, name, addr string) *conn.Server {
	return conn.NewServer(i, name, addr, p.Counters.Servers[i])
}

// succeed makes the server that has the number of old from now on. One without an address keeps the name, for what still fails
// because of old.
func (p *Pool) succeed(old *conn.Server, to shard.Server) *conn.Server {
	formerly := old.Addr
	if formerly == "" {
		formerly = old.Formerly
	}
	if to.Addr == "" {
		to.Name = old.Name
	}
	if p.Config.Fixed && to.Addr != "" && old.Addr == "" && !shard.SameAddr(formerly, to.Addr) {
		p.Counters.Servers[old.Index()] = new(stats.Server) // what was counted is of another server
	}
	s := p.newServer(old.Index(), to.Name, to.Addr)
	s.Formerly = formerly
	if s.Name == old.Name {
		s.Logged = old.Logged
	}
	return s
}

// rename has a server be called, and looked for, as its map says now. Its connections stay.
func (p *Pool) rename(s *conn.Server, as shard.Server) {
	if s.Name == as.Name && s.Addr == as.Addr {
		return
	}
	p.register(s.Index(), as.Addr)
	s.Addr = as.Addr
	s.Call(as.Name)
	p.each(func(c *conn.Conn) {
		if c.Server() == s {
			c.Renamed()
		}
	})
}

// updateState keeps the gauge that /readyz and /metrics show.
func (p *Pool) updateState(s *conn.Server) {
	if p.servers[s.Index()] != s {
		return // it is gone: its last connections say nothing of who has the number now
	}
	st := stats.ServerDown
	if s.Ready > 0 {
		st = stats.ServerUp
	} else if r := p.rings[conn.Key{Proto: 2}]; r != nil && r.Pick(s.Index(), 0).WaitsForDial() {
		st = stats.ServerConnecting
	}
	s.Stats.State = st
}

// register notes that server i, which may be new, is at addr from now on.
func (p *Pool) register(i int, addr string) {
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

func judge(s *conn.Server, p *Pool) {
	s.Health = p.health[s.Addr]
	s.Asked, s.Heard = int64(s.Health.At.Sub(p.start)), int64(s.Health.Heard.Sub(p.start))
}

// assign notes which servers are replicas, and of whom.
func (p *Pool) assign(m *shard.Map) {
	for i, s := range p.servers {
		s.Replica = false
		judge(s, p)
		if s.Primary < 0 {
			s.Primary = i
		}
	}
	for _, i := range m.Shards() {
		p.servers[i].Primary = i
		for _, r := range m.Replicas(i) {
			p.servers[r].Primary, p.servers[r].Replica = i, true
		}
	}
	for _, r := range p.rings {
		for _, c := range r.conns {
			c.Adapt()
		}
	}
}
