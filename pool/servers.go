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
	p.place(s.Index(), as.Addr)
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
