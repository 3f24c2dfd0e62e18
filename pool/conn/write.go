package conn

import (
	"math"

	"ringmaster/pool/ask"
	"ringmaster/pool/queue"
)

// HasRoom reports whether a request of n bytes can be taken now as far as its size goes. Loop-only.
func (c *Conn) HasRoom(n int) bool {
	return c.out.Size == 0 || c.out.Size+n <= c.Up.Config.MaxPendingBytes || c.state != Ready && !c.dialPending()
}

// Admit says why requests of n bytes in all can't be taken.
func (c *Conn) Admit(n, requests int) *ask.Failure {
	if c.state != Ready && !c.dialPending() {
		return c.down
	}
	if c.Ring.Len()+requests > c.Up.Config.MaxPending || c.out.Size+n > c.Up.Config.MaxPendingBytes && c.out.Size > 0 {
		return c.server.Overloaded
	}
	return nil
}

// owe puts a request of size bytes on the ring.
func (c *Conn) owe(size int, recv ask.Receiver, tag uint64) { c.oweFrom(c.queued, size, recv, tag) }

// remember keeps the bytes of the latest request, which may have to be sent again.
func (c *Conn) remember(raw []byte, keys ask.Keys) {
	if c.Up.Config.Resend {
		c.keepSent(raw, keys)
	}
}

func (c *Conn) keepSent(raw []byte, keys ask.Keys) {
	if len(raw) <= math.MaxUint32 {
		c.sent.Add(raw)
		e := c.Ring.Latest()
		e.Size, e.Keys = uint32(len(raw)), keys
	}
}

// oweFrom puts a request of size bytes on the ring that can't have run before the byte at offset from was sent.
func (c *Conn) oweFrom(from uint64, size int, recv ask.Receiver, tag uint64) {
	l := c.Up.Loop
	if c.Ring.Len() == 0 {
		c.progress, c.heard = l.Now, l.Now
	}
	c.Ring.Reserve()
	e := c.Ring.Add()
	e.Recv, e.Tag, e.At, e.From = recv, tag, l.Now, from
	l.InFlight++
	s := c.server.Stats
	s.Requests++
	s.InFlight++
	c.queued += uint64(size)
	c.MarkDirty()
}

// MarkDirty has what is held be written at the end of the turn.
func (c *Conn) MarkDirty() {
	if c.behind || c.state == Dialing || c.state == Handshaking || c.frozen {
		return // writing early would do nothing for it
	}
	if c.out.Size >= queue.UrgentSize {
		c.Up.Loop.urgent = true
	}
	if !c.dirty {
		c.dirty = true
		c.Up.Loop.dirty = append(c.Up.Loop.dirty, c)
	}
}

// off takes the head e off the ring.
func (c *Conn) off(e *queue.Pending) {
	if !e.Is.Has(queue.Blocking | queue.Fencing) {
		c.Up.Loop.InFlight--
	}
	if e.Size > 0 {
		c.sent.Release(e.Size)
	}
	c.Ring.Pop(e)
}

// Replying reports whether part of the head's reply has come. A push has nothing to do with the head.
func (c *Conn) Replying() bool {
	return c.Ring.Len() > 0 && c.scan.Started() && c.scan.Kind() != '>'
}
