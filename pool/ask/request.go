package ask

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

// Has reports whether any of the bits is set.
func (m Manner) Has(bits Manner) bool { return m&bits != 0 }

// Count is how many requests r is.
func (r *Request) Count() int { return max(1, r.Batch.Requests) }

// Stays reports whether r is for its server only.
func (r *Request) Stays() bool { return r.Batch.Requests > 0 || r.Manner.Has(Here) }
