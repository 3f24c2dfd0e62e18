package pool

import "github.com/valyala/bytebufferpool"

// Request is what Enqueue puts on a connection. It is borrowed until Enqueue returns: whoever sends it makes it on its own stack.
type Request struct {
	// Raw is the whole RESP frame, or those of a batch. Borrowed until Enqueue returns, which copies it.
	Raw []byte
	// Buf, if not nil, stands for Raw: a large request that fills the buffer. Enqueue takes it, unless it fails. Only with no Manner,
	// no Carrier and no Batch.
	Buf *bytebufferpool.ByteBuffer
	// Recv gets the reply, or the failure, under Tag. Those of a batch have the tags from Tag on.
	Recv Receiver
	Tag  uint64
	// Batch: Raw is several requests. The zero value: it is one.
	Batch Batch
	// Keys count if the request may be sent again.
	Keys Keys
	// Manner is how it is sent; 0: in front of a cluster it goes to another server when its keys turn out to be there.
	Manner Manner
	// Carrier is what it carries. A fence follows it then. Where the server does not escape that, it goes over a lane if the
	// connection is a shared one. 0: nothing.
	Carrier Carrier
}

// Batch says that a Request is several, between which nothing of anybody else comes: MULTI, commands, EXEC. A batch is for its server
// only, like Here.
type Batch struct {
	// Requests is how many they are.
	Requests int
	// Needs is the bytes without which none of them can have run. The failure of each says whether all of these may have been sent.
	Needs int
	// Exec is the place of EXEC among them, which may run scripts; below 0: they run nothing.
	Exec int
}

// Manner says how a request is sent, as a set of bits.
type Manner uint8

const (
	// Here: it is for this server only, whatever servers say of where keys are. That is what is asked of every server, or of one by its
	// name, or what leaves state on the connection. It is never sent again.
	Here Manner = 1 << iota
	// Blocks: it waits at the server for as long as it says itself, or the server keeps it waiting, on a connection of its owner's.
	// Neither the timeout nor the stall timeout count for it.
	Blocks
	// ByPolicy: it only reads keys of a shard and goes by Config.Reads. The connection is the one that PickRead has given, or a primary's
	// where it has given none: then the request waits for a replica. Lost, it is sent again to another server of its shard.
	ByPolicy
	// Lasts: its receiver sees to the timeout itself, and needs the reply however late it comes. Only the stall timeout and a
	// connection that is not made in time end it.
	Lasts
)

func (m Manner) has(bits Manner) bool { return m&bits != 0 }

// count is how many requests r is.
func (r *Request) count() int { return max(1, r.Batch.Requests) }

// stays reports whether r is for its server only.
func (r *Request) stays() bool { return r.Batch.Requests > 0 || r.Manner.has(Here) }

// nature is that of the ith request of r.
func (r *Request) nature(i int) nature {
	is := r.Carrier.nature()
	if r.Batch.Requests > 0 {
		if is &^= scripting; i == r.Batch.Exec {
			is |= scripting
		}
	}
	return is
}

// pending is r as it would stand in a ring; at is when it was sent, ns.
func (r *Request) pending(at int64) *pending {
	return &pending{recv: r.Recv, tag: r.Tag, keys: r.Keys, at: at, is: r.Carrier.nature()}
}

// Enqueue puts a request after those already sent. r.Recv gets its reply, unless a Failure is returned: then nothing was enqueued, and
// Recv hears nothing of it. Borrows r until return. Loop-only.
func (c *Conn) Enqueue(r *Request) *Failure {
	if r.Manner != 0 || r.Carrier != 0 || r.Buf != nil || r.Batch.Requests > 0 {
		return c.enqueueOdd(r)
	}
	if f := c.admit(len(r.Raw), 1); f != nil {
		return c.detour(r.pending(c.pool.Now), r.Raw, f)
	}
	c.out.write(r.Raw)
	c.owe(len(r.Raw), r.Recv, r.Tag)
	c.remember(r.Raw, r.Keys)
	return nil
}

// enqueueOdd is Enqueue for what is more than an ordinary request.
func (c *Conn) enqueueOdd(r *Request) *Failure {
	switch {
	case r.Carrier != 0:
		return c.carry(r)
	case r.Batch.Requests > 0:
		return c.enqueueBatch(r)
	case r.Manner.has(ByPolicy):
		return c.enqueueRead(r)
	case r.Buf != nil:
		return c.enqueueBuffer(r)
	}
	if f := c.admit(len(r.Raw), 1); f != nil {
		if r.stays() {
			return f
		}
		return c.detour(r.pending(c.pool.Now), r.Raw, f)
	}
	c.out.write(r.Raw)
	c.owe(len(r.Raw), r.Recv, r.Tag)
	if !r.stays() {
		c.remember(r.Raw, r.Keys)
	}
	c.behave(r.Manner)
	return nil
}

// behave marks the latest request with how it was sent.
func (c *Conn) behave(m Manner) {
	if m.has(Lasts) {
		c.ring.at(c.ring.tail - 1).is |= lasting
	}
	if m.has(Blocks) {
		c.ring.at(c.ring.tail - 1).is |= blocking
		c.pool.InFlight-- // it is nothing to wait for
	}
}

// enqueueBuffer is Enqueue for a request that fills a buffer.
func (c *Conn) enqueueBuffer(r *Request) *Failure {
	raw := r.Buf.B
	if f := c.admit(len(raw), 1); f != nil {
		if f = c.detour(r.pending(c.pool.Now), raw, f); f == nil {
			c.pool.Buffers.Put(r.Buf)
		}
		return f
	}
	c.owe(len(raw), r.Recv, r.Tag)
	c.remember(raw, r.Keys)
	c.out.take(r.Buf)
	return nil
}

// enqueueBatch is Enqueue for a batch that carries nothing.
func (c *Conn) enqueueBatch(r *Request) *Failure {
	if f := c.admit(len(r.Raw), r.count()); f != nil {
		return f
	}
	c.putBatch(r, c.pool.Now)
	return nil
}

// putBatch puts r, one request or a batch, on the connection, which admit has allowed; at is when it was sent first, ns.
func (c *Conn) putBatch(r *Request, at int64) {
	last := c.queued
	if r.Batch.Requests > 0 {
		last += uint64(r.Batch.Needs) - 1
	}
	c.out.write(r.Raw)
	for i := range r.count() {
		c.oweFrom(last, r.Recv, r.Tag+uint64(i))
		e := c.ring.at(c.ring.tail - 1)
		e.is, e.at = r.nature(i), at
		c.behave(r.Manner)
	}
	c.queued += uint64(len(r.Raw))
	c.markDirty()
}

// Tell sends a command of the proxy's own whose reply is not wanted, such as UNWATCH. Loop-only.
func (c *Conn) Tell(args ...string) *Failure {
	return c.Enqueue(&Request{Raw: appendCommand(nil, args...), Recv: swallowed{}, Manner: Here})
}

// swallowed is the Receiver of requests whose replies nobody wants.
type swallowed struct{ Nobody }

func (swallowed) Reply(uint64, []byte, Piece) {}
func (swallowed) Fail(uint64, *Failure)       {}
