package conn

import (
	"time"

	"ringmaster/pool/ask"
	"ringmaster/pool/queue"
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

// dialPending reports whether requests may wait for the dial.
func (c *Conn) dialPending() bool {
	return c.waitForDial && (c.state == Dialing || c.state == Handshaking)
}

// PutRead puts a read on the connection, which admit has allowed.
func (c *Conn) PutRead(raw []byte, recv ask.Receiver, tag uint64, keys ask.Keys) {
	c.out.Write(raw)
	c.owe(len(raw), recv, tag)
	c.keepSent(raw, keys)
	c.Ring.Latest().Is = queue.Reading
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
