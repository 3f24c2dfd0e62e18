package pool

import (
	"time"

	"ringmaster/pool/ask"
	"ringmaster/pool/conn"
	"ringmaster/pool/queue"
	"ringmaster/shard"
)

// Judge takes over what is known of the servers' replication; start is when Now was 0. Reads that wait at a replica that may
// not be read from any more go elsewhere. What was found out before a connection was made is asked for again. Loop-only.
func (p *Pool) Judge(h conn.Health, start time.Time) {
	p.health, p.start = h, start
	outdated := false
	for i, s := range p.servers {
		before := s.Health.Reads
		judge(s, p)
		if before != conn.ReadsNever && s.Health.Reads == conn.ReadsNever && s.Replica {
			p.withdraw(i)
		}
		for _, r := range p.rings {
			for _, c := range r.of(i) {
				if c.State() == conn.Closed && c.HeardSinceFailure() {
					c.DialAtOnce()
				}
				outdated = outdated || c.State() == conn.Ready && s.Replica && c.HealthStale()
			}
		}
	}
	if outdated {
		p.Hint()
	}
}

// PickRead gives the connection for a command that only reads keys of the shard whose primary has this number, by
// Config.Reads; nil: the policy wants a replica, and none can be read from (NoReplica). Of servers that are as good the one
// is taken that owes this loop the fewest replies. seat is as for Pick. Loop-only.
func (r *Rings) PickRead(primary int, seat uint64) *conn.Conn { return r.pickRead(primary, seat, nil) }

func (r *Rings) pickRead(primary int, seat uint64, avoid *conn.Server) *conn.Conn {
	p := r.pool
	own, policy := r.Pick(primary, seat), p.Config.Reads
	up := own.State() == conn.Ready && own.Server() != avoid && !own.Server().Health.Silent
	if policy == shard.ReadPreferPrimary && up {
		return own
	}
	replicas := p.m.Replicas(primary)
	count := len(replicas)
	if up && policy >= shard.ReadAny {
		count++ // the primary comes behind them
	}
	var best *conn.Conn
	p.nextReplica++
	for n := range count {
		c := own
		if k := (n + p.nextReplica) % count; k < len(replicas) {
			if c = r.Pick(replicas[k], seat); c.State() != conn.Ready || c.Server() == avoid || !c.Readable(up) {
				continue
			}
		}
		if best == nil || better(c, best) {
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

// better reports whether c is to be preferred to d.
func better(c *conn.Conn, d *conn.Conn) bool {
	if c.Up.Config.Reads == shard.ReadNearest && c.Server().Health.Near != d.Server().Health.Near {
		return c.Server().Health.Near
	}
	return c.Ring.Len() < d.Ring.Len()
}

// readLater takes a read that c could not take because of f. A nil f: the policy wants a replica, and none can be read from.
func (p *Pool) readLater(c *conn.Conn, r ask.Request, f *ask.Failure) *ask.Failure {
	if f == nil {
		f = p.servers[c.Server().Primary].NoReplica
	}
	if p.Stopped || f.Kind != ask.Down && f.Kind != ask.NoReplica {
		return f
	}
	e := conn.PendingOf(&r, p.Now)
	e.Is = queue.Reading
	a, ok := p.asRead(c, e, r.Raw)
	if a.nth = 0; !ok {
		return f
	}
	return p.waitToRead(&a, f)
}

// withdraw sends the reads that wait at a replica elsewhere. Their places stay, for the replies may yet come.
func (p *Pool) withdraw(server int) {
	for _, r := range p.rings {
		for _, c := range r.of(server) {
			p.withdrawFrom(c)
		}
	}
}

// withdrawFrom is withdraw for one connection.
func (p *Pool) withdrawFrom(c *conn.Conn) {
	c.WaitingReads(func(e *queue.Pending, raw []byte) { p.readAgain(c, e, raw) })
}
