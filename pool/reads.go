package pool

import (
	"time"

	"ringmaster/pool/ask"
	"ringmaster/pool/queue"
	"ringmaster/shard"
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
	// At is when the server was asked, for a silent primary the last time that it answered. A connection that is newer than
	// that may lead to a server that has restarted since and has lost its data.
	At time.Time
	// Heard is when the server has answered last. A dial that began before that says nothing of it any more.
	Heard time.Time
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

// Judge takes over what is known of the servers' replication; start is when Now was 0. Reads that wait at a replica that may
// not be read from any more go elsewhere. What was found out before a connection was made is asked for again. Loop-only.
func (p *Pool) Judge(h Health, start time.Time) {
	p.health, p.start = h, start
	outdated := false
	for i, s := range p.servers {
		before := s.health.Reads
		s.judge(p)
		if before != ReadsNever && s.health.Reads == ReadsNever && s.replica {
			p.withdraw(i)
		}
		for _, r := range p.rings {
			for _, c := range r.of(i) {
				if c.state == Closed && c.heardSinceFailure() {
					c.retryAt = p.Now
				}
				outdated = outdated || c.state == Ready && s.replica && c.healthStale()
			}
		}
	}
	if outdated {
		p.Hint()
	}
}

// of are the connections to a server.
func (r *Rings) of(server int) []*Conn {
	return r.conns[server*r.pool.cfg.Connections : (server+1)*r.pool.cfg.Connections]
}

func (s *Server) judge(p *Pool) {
	s.health = p.health[s.Addr]
	s.asked, s.heard = int64(s.health.At.Sub(p.start)), int64(s.health.Heard.Sub(p.start))
}

// assign notes which servers are replicas, and of whom.
func (p *Pool) assign(m *shard.Map) {
	for i, s := range p.servers {
		s.replica = false
		s.judge(p)
		if s.primary < 0 {
			s.primary = i
		}
	}
	for _, i := range m.Shards() {
		p.servers[i].primary = i
		for _, r := range m.Replicas(i) {
			p.servers[r].primary, p.servers[r].replica = i, true
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
	replicas := p.m.Replicas(primary)
	count := len(replicas)
	if up && policy >= shard.ReadAny {
		count++ // the primary comes behind them
	}
	var best *Conn
	p.nextReplica++
	for n := range count {
		c := own
		if k := (n + p.nextReplica) % count; k < len(replicas) {
			if c = r.Pick(replicas[k], seat); c.state != Ready || c.server == avoid || !c.readable(up) {
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
	if policy == shard.ReadReplica {
		return nil
	}
	return own
}

// readable reports whether a replica may be read from over this connection; up: its primary is there.
func (c *Conn) readable(up bool) bool {
	return c.server.asked > c.readyAt && (c.server.health.Reads == ReadsAlways || c.server.health.Reads == ReadsAlone && !up)
}

// healthStale reports whether it is still open if this connection leads to a replica that may be read from: the replica was not
// asked since the connection was made, or has answered since it failed.
func (c *Conn) healthStale() bool {
	if c.state == Ready {
		return c.server.health.Reads != ReadsNever && c.server.asked <= c.readyAt
	}
	return c.server.health.Reads != ReadsNever && (c.dialPending() || c.heardSinceFailure())
}

// heardSinceFailure reports whether the server has answered the control plane since this connection failed.
func (c *Conn) heardSinceFailure() bool {
	h := &c.server.health
	return c.server.heard > c.failedAt && !h.Silent && (h.Reads != ReadsNever || !c.server.replica)
}

// dialPending reports whether requests may wait for the dial.
func (c *Conn) dialPending() bool {
	return c.waitForDial && (c.state == Dialing || c.state == Handshaking)
}

// better reports whether c is to be preferred to d.
func (c *Conn) better(d *Conn) bool {
	if c.pool.cfg.Reads == shard.ReadNearest && c.server.health.Near != d.server.health.Near {
		return c.server.health.Near
	}
	return c.ring.Len() < d.ring.Len()
}

// enqueueRead is Enqueue for a command that only reads.
func (c *Conn) enqueueRead(r *ask.Request) *ask.Failure {
	p, primary := c.pool, c.server.primary
	f := p.servers[primary].noReplica
	if c.server.replica || p.cfg.Reads != shard.ReadReplica {
		if f = c.admit(len(r.Raw), 1); f == nil {
			c.putRead(r.Raw, r.Recv, r.Tag, r.Keys)
			return nil
		}
	}
	if p.stopped || f.Kind != ask.Down && f.Kind != ask.NoReplica {
		return f
	}
	e := pendingOf(r, p.Now)
	e.Is = queue.Reading
	a, ok := c.rings.of(primary)[0].asRead(e, r.Raw)
	if !ok {
		return f
	}
	return p.waitToRead(&a, f)
}

// putRead puts a read on the connection, which admit has allowed.
func (c *Conn) putRead(raw []byte, recv ask.Receiver, tag uint64, keys ask.Keys) {
	c.out.Write(raw)
	c.owe(len(raw), recv, tag)
	c.keepSent(raw, keys)
	c.ring.Latest().Is = queue.Reading
}

// withdraw sends the reads that wait at a replica elsewhere. Their places stay, for the replies may yet come.
func (p *Pool) withdraw(server int) {
	for _, r := range p.rings {
		for _, c := range r.of(server) {
			c.withdraw()
		}
	}
}

func (c *Conn) withdraw() {
	raw := c.sent.All()
	for i := c.ring.Head; i != c.ring.Tail; i++ {
		e := c.ring.At(i)
		one := raw[:e.Size]
		raw = raw[e.Size:]
		if e.Is.Has(queue.Reading) && e.Recv != nil && e.Size > 0 && (i != c.ring.Head || !c.replying()) {
			c.readAgain(e, one)
		}
	}
}
