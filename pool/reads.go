package pool

import (
	"ringmaster/shard"
	"ringmaster/stats"
)

// Health is what is known of the servers' replication, by address. It is not changed once made.
type Health map[string]ServerHealth

// ServerHealth is what is known of one server's replication.
type ServerHealth struct {
	// Reads says whether a replica may be read from.
	Reads Reads
	// Silent: a primary does not answer.
	Silent bool
	// Near: the server is in the proxy's own zone.
	Near bool
}

// Reads says whether a replica may be read from. What nothing is known of may not.
type Reads uint8

const (
	// ReadsNever: it may have lost its primary, or be too far behind it.
	ReadsNever Reads = iota
	// ReadsAlone: it has lost its primary, and had all that was written until a moment ago: it may be read from while the
	// primary is down.
	ReadsAlone
	// ReadsAlways: it follows its primary closely.
	ReadsAlways
)

// Judge takes over what is known of the servers' replication. Reads that wait at a replica that may not be read from any
// more go elsewhere. Loop-only.
func (p *Pool) Judge(h Health) {
	p.health = h
	for i, s := range p.servers {
		before := s.health.Reads
		s.health = h[s.Addr]
		if before != ReadsNever && s.health.Reads == ReadsNever && s.replica {
			p.withdraw(i)
		}
	}
}

// assign notes which servers are replicas, and of whom.
func (p *Pool) assign(m *shard.Map) {
	p.shards = m
	for i, s := range p.servers {
		s.replica = false
		s.health = p.health[s.Addr]
		if s.home < 0 {
			s.home = i
		}
	}
	for _, i := range m.Shards() {
		p.servers[i].home = i
		for _, r := range m.Replicas(i) {
			p.servers[r].home, p.servers[r].replica = i, true
		}
	}
	for _, r := range p.rings {
		for _, c := range r.conns {
			c.adapt()
		}
	}
}

// adapt tells a node of a cluster whether this connection wants to read from a replica. Without READONLY a replica sends
// every command to its primary.
func (c *Conn) adapt() {
	if c.readOnly == c.wantsReadOnly() || c.state != Ready {
		return
	}
	word := "READWRITE"
	if !c.readOnly {
		word = "READONLY"
	}
	if c.Tell(word) == nil {
		c.readOnly = !c.readOnly
	}
}

func (c *Conn) wantsReadOnly() bool { return c.server.replica && c.pool.cfg.Cluster && !c.own }

// PickRead gives the connection for a command that only reads keys of the shard whose primary has this number, by
// Config.Reads; nil: the policy wants a replica, and none can be read from (NoReplica). Of servers that are as good the one
// is taken that owes this loop the fewest replies. seat is as for Pick. Loop-only.
func (r *Rings) PickRead(primary int, seat uint64) *Conn { return r.pickRead(primary, seat, nil) }

func (r *Rings) pickRead(primary int, seat uint64, avoid *Server) *Conn {
	p := r.pool
	own, policy := r.Pick(primary, seat), p.cfg.Reads
	up := own.state == Ready && own.server != avoid && !own.server.health.Silent
	if policy == shard.ReadPreferPrimary && up {
		return own
	}
	replicas := p.shards.Replicas(primary)
	count := len(replicas)
	if up && policy >= shard.ReadAny {
		count++ // the primary comes behind them
	}
	var best *Conn
	p.turn++
	for n := range count {
		c := own
		if k := (n + p.turn) % count; k < len(replicas) {
			if c = r.Pick(replicas[k], seat); c.state != Ready || c.server == avoid || !c.server.readable(up) {
				continue
			}
		}
		if best == nil || c.better(best) {
			best = c
		}
	}
	if best != nil {
		return best
	}
	if policy != shard.ReadReplica && (own.state == Ready || own.promising()) {
		return own
	}
	for _, i := range replicas {
		if c := r.Pick(i, seat); c.promising() && c.server != avoid && c.server.readable(up) {
			return c
		}
	}
	if policy == shard.ReadReplica {
		return nil
	}
	return own
}

// readable reports whether a replica may be read from; up: its primary is there.
func (s *Server) readable(up bool) bool {
	return s.health.Reads == ReadsAlways || s.health.Reads == ReadsAlone && !up
}

// promising reports whether requests may wait for the dial.
func (c *Conn) promising() bool { return c.patient && (c.state == Dialing || c.state == Handshaking) }

// better reports whether c is to be preferred to d.
func (c *Conn) better(d *Conn) bool {
	if c.pool.cfg.Reads == shard.ReadNearest && c.server.health.Near != d.server.health.Near {
		return c.server.health.Near
	}
	return c.ring.len() < d.ring.len()
}

// NoReplica is the failure of a read of this primary's keys for which PickRead finds no server. Loop-only.
func (p *Pool) NoReplica(primary int) *Failure { return p.servers[primary].noReplica }

// EnqueueRead is Enqueue for a command that only reads, on a connection of PickRead: lost, it is sent again to another
// server of its shard. Borrows raw until return.
func (c *Conn) EnqueueRead(raw []byte, recv Receiver, tag uint64, cmd uint16) *Failure {
	if f := c.admit(len(raw), 1); f != nil {
		return c.detour(raw, pending{recv: recv, tag: tag, cmd: cmd, is: reading}, f)
	}
	c.out.write(raw)
	c.owe(raw, recv, tag, cmd)
	c.reads(raw)
	return nil
}

// reads marks the latest request, raw, as one that only reads.
func (c *Conn) reads(raw []byte) {
	e := c.ring.at(c.ring.tail - 1)
	e.is = reading
	if e.size == 0 {
		c.remember(raw)
	}
}

// withdraw sends the reads that wait at a replica elsewhere. Their places stay, for the replies may yet come.
func (p *Pool) withdraw(server int) {
	for _, r := range p.rings {
		for _, c := range r.conns[server*p.cfg.Connections : (server+1)*p.cfg.Connections] {
			c.withdraw()
		}
	}
}

func (c *Conn) withdraw() {
	raw := c.sent.buf[c.sent.head:]
	for i := c.ring.head; i != c.ring.tail; i++ {
		e := c.ring.at(i)
		one := raw[:e.size]
		raw = raw[e.size:]
		if e.is == reading && e.recv != nil && e.size > 0 && (i != c.ring.head || !c.replying()) {
			c.reroute(e, one)
		}
	}
}

// elsewhere sends a read to another server of its shard at once; false: there is none now.
func (p *Pool) elsewhere(a *again, raw []byte, avoid *Server) bool {
	if a.request.is != reading || a.request.hops >= maxHops {
		return false
	}
	a.request.hops++
	if !p.resend(a, raw, avoid) {
		return false
	}
	p.stats.Redirects[stats.RedirectRead]++
	return true
}

// hopeless says why a read need not wait on: no server of its shard can be reached; nil: it may wait. In front of a cluster
// the map may change.
func (p *Pool) hopeless(a *again) *Failure {
	if a.request.is != reading || a.told {
		return nil
	}
	to := a.rings.pickRead(a.home, uint64(a.nth), nil)
	if to == nil {
		return p.NoReplica(a.home)
	}
	if f := to.admit(0, 1); f != nil && f.Kind == Down && !p.cfg.Cluster {
		return f
	}
	return nil
}
