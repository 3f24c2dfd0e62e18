package conn

import (
	"bytes"

	"ringmaster/pool/answer"
	"ringmaster/pool/ask"
	"ringmaster/pool/queue"
	"ringmaster/stats"
)

// Where servers come and go, a script is sent as a transaction of one: MULTI, the script, EXEC. What a server says against a
// script when it is queued is the server's own, and proves that the script has not run. What EXEC tells is the script's.

// wraps reports whether r is sent so here.
func (c *Conn) wraps(r *ask.Request) bool {
	return c.Up.Loop.Now >= c.server.bareUntil && c.Up.Config.Resend && c.TakesMulti() && r.Carrier == ask.Scripts && r.Batch.Requests == 0 && r.Manner == 0 && (!c.own || c.IsLane)
}

// bareFor is for how long scripts are sent as they are to a server that lacks memory, ns. It queues nothing then (up to Redis 7.2),
// but runs scripts that need no memory.
const bareFor = 1e9

var (
	MultiRequest = AppendCommand(nil, "MULTI")
	ExecRequest  = AppendCommand(nil, "EXEC")
	oneElement   = []byte("*1\r\n")
	execAbort    = []byte("-EXECABORT")
)

// putWrapped enqueues r, and gives the place in the ring of its reply. at is when it was sent first, ns.
func (c *Conn) putWrapped(r *ask.Request, at int64) (place uint64) {
	size := len(MultiRequest) + len(r.Raw) + len(ExecRequest)
	from := c.queued + uint64(size) - 1
	c.out.Write(MultiRequest)
	c.out.Write(r.Raw)
	c.out.Write(ExecRequest)
	for range 2 {
		c.oweFrom(from, 0, nil, 0)
		e := c.Ring.Latest()
		e.Is, e.At = queue.Wrapping, at // those before it are as old, so that its timeout is looked at
	}
	place = c.Ring.Tail
	c.oweFrom(from, 0, r.Recv, r.Tag)
	e := c.Ring.At(place)
	e.Is, e.At = queue.CarriedBy(r.Carrier)|queue.Wrapped, at
	c.queued += uint64(size)
	c.keepSent(r.Raw, r.Keys)
	return place
}

// unwrap takes a piece of a reply that belongs to a script which was sent so. It gives what of that is the script's reply; !ok:
// nothing is.
func (c *Conn) unwrap(e *queue.Pending, b []byte, p ask.Piece) (reply []byte, piece ask.Piece, ok bool) {
	if e.Is.Has(queue.Wrapping) {
		if p == ask.Whole && b[0] == '-' {
			c.refusal = append(c.refusal[:0], b...)
		}
		if p&ask.Last != 0 {
			s := c.server.Stats
			s.Replies++
			s.InFlight--
			c.off(e)
		}
		return nil, 0, false
	}
	if p&ask.First == 0 {
		if c.headerCut {
			c.headerCut = false
			p |= ask.First
		}
		return b, p, true
	}
	refusal := c.refusal
	c.refusal, c.headerCut = c.refusal[:0], false
	switch {
	case b[0] == '-' && p == ask.Whole: // the server itself has something against it
		if len(refusal) > 0 && bytes.HasPrefix(b, execAbort) {
			b = refusal
		}
		if answer.OutOfMemory(b) {
			c.server.bareUntil = c.Up.Loop.Now + bareFor
		}
		if e.Recv != nil && e.Size > 0 && (answer.Elsewhere(b) || answer.OutOfMemory(b)) {
			c.Up.Keeper.Redirect(c, *e, b)
			return nil, 0, false
		}
		return b, p, true
	case !bytes.HasPrefix(b, oneElement):
		c.lose(stats.ServerProtocolError, errUnexpected)
		return nil, 0, false
	}
	b = b[len(oneElement):]
	c.headerCut = len(b) == 0
	return b, p, !c.headerCut
}
