package conn

import (
	"ringmaster/pool/ask"
	"ringmaster/pool/queue"
	"ringmaster/shard"
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

// PendingOf is r as it would stand in a ring; at is when it was sent, ns.
func PendingOf(r *ask.Request, at int64) *queue.Pending {
	return &queue.Pending{Recv: r.Recv, Tag: r.Tag, Keys: r.Keys, At: at, Is: queue.CarriedBy(r.Carrier)}
}

// Enqueue puts a request after those already sent. r.Recv gets its reply, unless a Failure is returned: then nothing was enqueued, and
// Recv hears nothing of it. Borrows r until return. Loop-only.
func (c *Conn) Enqueue(r *ask.Request) *ask.Failure {
	if r.Manner != 0 || r.Carrier != 0 || r.Buf != nil || r.Batch.Requests > 0 {
		return c.enqueueOdd(r)
	}
	return c.EnqueuePlain(r.Raw, r.Recv, r.Tag, r.Keys)
}

// EnqueuePlain is Enqueue for a Request that has only these fields, as nearly all have. It saves making one. Borrows raw until return.
// Loop-only.
func (c *Conn) EnqueuePlain(raw []byte, recv ask.Receiver, tag uint64, keys ask.Keys) *ask.Failure {
	if f := c.Admit(len(raw), 1); f != nil {
		return c.Up.Keeper.Detour(c, queue.Pending{Recv: recv, Tag: tag, Keys: keys, At: c.Up.Loop.Now}, raw, f)
	}
	c.out.Write(raw)
	c.owe(len(raw), recv, tag)
	c.remember(raw, keys)
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
	if f := c.Admit(len(r.Raw), 1); f != nil {
		if r.Stays() {
			return f
		}
		return c.Up.Keeper.Detour(c, *PendingOf(r, c.Up.Loop.Now), r.Raw, f)
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
		c.Ring.Latest().Is |= queue.Lasting
	}
	if m.Has(ask.Blocks) {
		c.Ring.Latest().Is |= queue.Blocking
		c.Up.Loop.InFlight-- // it is nothing to wait for
	}
}

// enqueueBuffer is Enqueue for a request that fills a buffer.
func (c *Conn) enqueueBuffer(r *ask.Request) *ask.Failure {
	raw := r.Buf.B
	if f := c.Admit(len(raw), 1); f != nil {
		if f = c.Up.Keeper.Detour(c, *PendingOf(r, c.Up.Loop.Now), raw, f); f == nil {
			c.Up.Loop.Buffers.Put(r.Buf)
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
	if f := c.Admit(len(r.Raw), r.Count()); f != nil {
		return f
	}
	c.putBatch(r, c.Up.Loop.Now)
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
		c.oweFrom(last, 0, r.Recv, r.Tag+uint64(i))
		e := c.Ring.Latest()
		e.Is, e.At = natureOf(r, i), at
		c.behave(r.Manner)
	}
	c.queued += uint64(len(r.Raw))
}

// enqueueRead is Enqueue for a command that only reads.
func (c *Conn) enqueueRead(r *ask.Request) (f *ask.Failure) {
	if c.server.Replica || c.Up.Config.Reads != shard.ReadReplica {
		if f = c.Admit(len(r.Raw), 1); f == nil {
			c.PutRead(r.Raw, r.Recv, r.Tag, r.Keys)
			return nil
		}
	}
	return c.Up.Keeper.ReadLater(c, *r, f)
}

// PutAgain puts a request on the connection, which admit has allowed, and gives its place in the ring. at is when it was sent first, ns.
func (c *Conn) PutAgain(r *ask.Request, at int64) (place uint64) {
	place = c.Ring.Tail
	if r.Carrier != 0 {
		place = c.PutCarried(r, at)
	} else {
		c.out.Write(r.Raw)
		c.owe(len(r.Raw), r.Recv, r.Tag)
		c.remember(r.Raw, r.Keys)
	}
	c.Backdate(place, 1, at)
	return place
}

// Backdate says that n requests from a place in the ring on were sent first at a time, ns.
func (c *Conn) Backdate(place uint64, n int, at int64) {
	for i := range uint64(n) {
		c.Ring.At(place + i).At = at
	}
	c.early = true
}

// Tell sends a command of the proxy's own whose reply is not wanted, such as UNWATCH. Loop-only.
func (c *Conn) Tell(args ...string) *ask.Failure {
	return c.Enqueue(&ask.Request{Raw: AppendCommand(nil, args...), Recv: Swallowed{}, Manner: ask.Here})
}

// Swallowed is the Receiver of requests whose replies nobody wants.
type Swallowed struct{ ask.Nobody }

func (Swallowed) Reply(uint64, []byte, ask.Piece) {}
func (Swallowed) Fail(uint64, *ask.Failure)       {}

// carry is Enqueue for what carries something: with a fence after it, here or on a lane.
func (c *Conn) carry(r *ask.Request) *ask.Failure {
	if !c.own && c.Up.ApartAt(c.server)&r.Carrier != 0 {
		return c.Up.Keeper.Lane(c, *r)
	}
	if f := c.Admit(len(r.Raw)+FenceSize, r.Count()+MaxWrapping); f != nil {
		if !r.Stays() {
			return c.Up.Keeper.Detour(c, *PendingOf(r, c.Up.Loop.Now), r.Raw, f)
		}
		return f
	}
	c.PutCarried(r, c.Up.Loop.Now)
	return nil
}

// PutCarried enqueues r here, which admit has allowed, and gives the place in the ring of its reply, or of the first. at is when it was
// sent first, ns.
func (c *Conn) PutCarried(r *ask.Request, at int64) (place uint64) {
	first := c.Ring.Tail
	if c.wraps(r) {
		place = c.putWrapped(r, at)
		c.fence(first, r.Carrier)
		return place
	}
	c.putBatch(r, at)
	if !r.Stays() {
		c.remember(r.Raw, r.Keys)
	}
	if !c.streams && !c.tunnel {
		c.fence(first, r.Carrier)
	}
	return first
}

// PutRead puts a read on the connection, which admit has allowed.
func (c *Conn) PutRead(raw []byte, recv ask.Receiver, tag uint64, keys ask.Keys) {
	c.out.Write(raw)
	c.owe(len(raw), recv, tag)
	c.keepSent(raw, keys)
	c.Ring.Latest().Is = queue.Reading
}
