package pool

import (
	"ringmaster/pool/ask"
	"ringmaster/shard"
	"ringmaster/stats"
)

// Server is one server as a loop sees it.
type Server struct {
	Name, Addr string
	index      int
	stats      *stats.Server
	primary    int // the number of the primary whose keys it has, or had last; below 0: unknown
	replica    bool
	health     ServerHealth
	asked      int64 // health.At, ns
	heard      int64 // health.Heard, ns
	ready      int   // connections in state Ready
	goneAt     int64 // when it ceased to be part of the topology, ns; 0: it is
	left       bool  // it is gone since it was taken out of a fixed list: it goes on answering (Config.Fixed)
	// formerly is the address of the latest server that had this number before.
	formerly string
	// graceUntil is until when it is no trouble that it has no connection, as long as no dial fails, ns.
	graceUntil int64
	logged     *logged // shared with the one that had its number and name before
	lowMemory  bool
	bareUntil  int64 // until when it gets scripts as they are, ns (wrapped.go)
	renewal    renewal
	prober     prober

	// Of carriers (fence.go).
	unescaped ask.Carrier // what it is known to write as it came
	version   string      // as it said at the latest login; "": it has not said
	probed    bool        // it was asked what it writes so
	probedAs  string      // its version then
	unsure    bool        // it was asked that, and could not say
	noScripts bool        // it does not let us say EVAL, and so can't be asked; EVALSHA or FCALL may be permitted
	noEcho    bool        // it does not let us say ECHO
	muteUntil int64       // it answers nobody for a while, ns
	// refusedUntil is until when it gets no ECHO for a fence, since it has refused one, ns
	refusedUntil int64

	// The failures without a cause of their own, made once.
	lost, overloaded, stopping, timedOut, timedOutUnsent, noReplica *ask.Failure
}

func (p *Pool) newServer(i int, name, addr string) *Server {
	s := &Server{Addr: addr, index: i, primary: -1, stats: p.stats.Servers[i], logged: &logged{}}
	s.call(name)
	return s
}

// call gives the server a name.
func (s *Server) call(name string) {
	s.Name = name
	s.lost = &ask.Failure{Kind: ask.Down, Server: name}
	s.overloaded = &ask.Failure{Kind: ask.Overloaded, Server: name}
	s.stopping = &ask.Failure{Kind: ask.Stopping, Server: name}
	s.timedOut = &ask.Failure{Kind: ask.TimedOut, Sent: true, Server: name}
	s.noReplica = &ask.Failure{Kind: ask.NoReplica, Server: name}
	s.timedOutUnsent = &ask.Failure{Kind: ask.TimedOut, Server: name}
}

// succeed makes the server that has the number of old from now on. One without an address keeps the name, for what still fails
// because of old.
func (p *Pool) succeed(old *Server, to shard.Server) *Server {
	formerly := old.Addr
	if formerly == "" {
		formerly = old.formerly
	}
	if to.Addr == "" {
		to.Name = old.Name
	}
	if p.cfg.Fixed && to.Addr != "" && old.Addr == "" && !shard.SameAddr(formerly, to.Addr) {
		p.stats.Servers[old.index] = new(stats.Server) // what was counted is of another server
	}
	s := p.newServer(old.index, to.Name, to.Addr)
	s.formerly = formerly
	if s.Name == old.Name {
		s.logged = old.logged
	}
	return s
}

// rename has a server be called, and looked for, as its map says now. Its connections stay.
func (p *Pool) rename(s *Server, as shard.Server) {
	if s.Name == as.Name && s.Addr == as.Addr {
		return
	}
	p.place(s.index, as.Addr)
	s.Addr = as.Addr
	s.call(as.Name)
	p.each(func(c *Conn) {
		if c.server == s {
			f := *c.down
			f.Server = s.Name
			c.down = &f
		}
	})
}

// updateState keeps the gauge that /readyz and /metrics show.
func (s *Server) updateState(p *Pool) {
	if p.servers[s.index] != s {
		return // it is gone: its last connections say nothing of who has the number now
	}
	st := stats.ServerDown
	if s.ready > 0 {
		st = stats.ServerUp
	} else if r := p.rings[Key{Proto: 2}]; r != nil && r.Pick(s.index, 0).waitForDial {
		st = stats.ServerConnecting
	}
	s.stats.State = st
}
