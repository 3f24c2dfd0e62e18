package conn

import "ringmaster/pool/queue"

// Adapt tells a node of a cluster whether this connection wants to read from a replica. Without READONLY a replica sends
// every command to its primary.
func (c *Conn) Adapt() {
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

func (c *Conn) wantsReadOnly() bool { return c.server.Replica && c.Up.Config.Cluster && !c.own }

// Readable reports whether a replica may be read from over this connection; up: its primary is there.
func (c *Conn) Readable(up bool) bool {
	return c.server.Asked > c.ReadyAt && (c.server.Health.Reads == ReadsAlways || c.server.Health.Reads == ReadsAlone && !up)
}

// HealthStale reports whether it is still open if this connection leads to a replica that may be read from: the replica was not
// asked since the connection was made, or has answered since it failed.
func (c *Conn) HealthStale() bool {
	if c.state == Ready {
		return c.server.Health.Reads != ReadsNever && c.server.Asked <= c.ReadyAt
	}
	return c.server.Health.Reads != ReadsNever && (c.dialPending() || c.HeardSinceFailure())
}

// HeardSinceFailure reports whether the server has answered the control plane since this connection failed.
func (c *Conn) HeardSinceFailure() bool {
	h := &c.server.Health
	return c.server.Heard > c.failedAt && !h.Silent && (h.Reads != ReadsNever || !c.server.Replica)
}

// WaitingReads calls f for each read of which no reply has begun.
func (c *Conn) WaitingReads(f func(e *queue.Pending, raw []byte)) {
	raw := c.sent.All()
	for i := c.Ring.Head; i != c.Ring.Tail; i++ {
		e := c.Ring.At(i)
		one := raw[:e.Size]
		raw = raw[e.Size:]
		if e.Is.Has(queue.Reading) && e.Recv != nil && e.Size > 0 && (i != c.Ring.Head || !c.Replying()) {
			f(e, one)
		}
	}
}
