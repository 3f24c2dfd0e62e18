package pool

import (
	"ringmaster/pool/ask"
	"ringmaster/pool/queue"
)

// natureOf is that of the ith request of r.
func natureOf(r *ask.Request, i int) queue.Nature {
	is := queue.CarriedBy(r.Carrier)
	if r.Batch.Requests > 0 {
		if is &^= queue.Scripting; i == r.Batch.Exec {
			is |= queue.Scripting
		}
	}
	return is
}

// pendingOf is r as it would stand in a ring; at is when it was sent, ns.
func pendingOf(r *ask.Request, at int64) *queue.Pending {
	return &queue.Pending{Recv: r.Recv, Tag: r.Tag, Keys: r.Keys, At: at, Is: queue.CarriedBy(r.Carrier)}
}

// Enqueue puts a request after those already sent. r.Recv gets its reply, unless a Failure is returned: then nothing was enqueued, and
// Recv hears nothing of it. Borrows r until return. Loop-only.
func (c *Conn) Enqueue(r *ask.Request) *ask.Failure {
	if r.Manner != 0 || r.Carrier != 0 || r.Buf != nil || r.Batch.Requests > 0 {
		return c.enqueueOdd(r)
	}
	if f := c.admit(len(r.Raw), 1); f != nil {
		return c.detour(pendingOf(r, c.pool.Now), r.Raw, f)
	}
	c.out.Write(r.Raw)
	c.owe(len(r.Raw), r.Recv, r.Tag)
	c.remember(r.Raw, r.Keys)
	return nil
}

// enqueueOdd is Enqueue for what is more than an ordinary request.
func (c *Conn) enqueueOdd(r *ask.Request) *ask.Failure {
	switch {
	case r.Carrier != 0:
		return c.carry(r)
	case r.Batch.Requests > 0:
		return c.enqueueBatch(r)
	case r.Manner.Has(ask.ByPolicy):
		return c.enqueueRead(r)
	case r.Buf != nil:
		return c.enqueueBuffer(r)
	}
	if f := c.admit(len(r.Raw), 1); f != nil {
		if r.Stays() {
			return f
		}
		return c.detour(pendingOf(r, c.pool.Now), r.Raw, f)
	}
	c.out.Write(r.Raw)
	c.owe(len(r.Raw), r.Recv, r.Tag)
	if !r.Stays() {
		c.remember(r.Raw, r.Keys)
	}
	c.behave(r.Manner)
	return nil
}

// behave marks the latest request with how it was sent.
func (c *Conn) behave(m ask.Manner) {
	if m.Has(ask.Lasts) {
		c.ring.Latest().Is |= queue.Lasting
	}
	if m.Has(ask.Blocks) {
		c.ring.Latest().Is |= queue.Blocking
		c.pool.InFlight-- // it is nothing to wait for
	}
}

// enqueueBuffer is Enqueue for a request that fills a buffer.
func (c *Conn) enqueueBuffer(r *ask.Request) *ask.Failure {
	raw := r.Buf.B
	if f := c.admit(len(raw), 1); f != nil {
		if f = c.detour(pendingOf(r, c.pool.Now), raw, f); f == nil {
			c.pool.Buffers.Put(r.Buf)
		}
		return f
	}
	c.owe(len(raw), r.Recv, r.Tag)
	c.remember(raw, r.Keys)
	c.out.Take(r.Buf)
	return nil
}

// enqueueBatch is Enqueue for a batch that carries nothing.
func (c *Conn) enqueueBatch(r *ask.Request) *ask.Failure {
	if f := c.admit(len(r.Raw), r.Count()); f != nil {
		return f
	}
	c.putBatch(r, c.pool.Now)
	return nil
}

// putBatch puts r, one request or a batch, on the connection, which admit has allowed; at is when it was sent first, ns.
func (c *Conn) putBatch(r *ask.Request, at int64) {
	last := c.queued
	if r.Batch.Requests > 0 {
		last += uint64(r.Batch.Needs) - 1
	}
	c.out.Write(r.Raw)
	for i := range r.Count() {
		c.oweFrom(last, r.Recv, r.Tag+uint64(i))
		e := c.ring.Latest()
		e.Is, e.At = natureOf(r, i), at
		c.behave(r.Manner)
	}
	c.queued += uint64(len(r.Raw))
	c.markDirty()
}

// Tell sends a command of the proxy's own whose reply is not wanted, such as UNWATCH. Loop-only.
func (c *Conn) Tell(args ...string) *ask.Failure {
	return c.Enqueue(&ask.Request{Raw: appendCommand(nil, args...), Recv: swallowed{}, Manner: ask.Here})
}

// swallowed is the Receiver of requests whose replies nobody wants.
type swallowed struct{ ask.Nobody }

func (swallowed) Reply(uint64, []byte, ask.Piece) {}
func (swallowed) Fail(uint64, *ask.Failure)       {}
