package conn

import (
	"ringmaster/pool/ask"
	"ringmaster/pool/queue"
)

// A request that waits longer than Config.Timeout is answered with an error. Its place in the ring stays, and the reply is
// dropped when it comes: its bytes may go out yet even if they have not so far.

// expire answers the requests that waited longer than the timeout. Three are left: a reply of which a client has a part already,
// or that is coming in; a request that waits for scripts of its own client; and one whose receiver sees to it.
func (c *Conn) expire(now int64) {
	limit := int64(c.Up.Config.Timeout)
	i := max(c.expired, c.Ring.Head)
	if limit <= 0 || i == c.Ring.Tail {
		c.early = c.early && i != c.Ring.Tail
		return
	}
	if e := c.Ring.At(i); !c.early && (e.Is.Has(queue.Blocking) || now-e.At <= limit) {
		return
	}
	if c.state == Dialing || c.state == Handshaking {
		if e := c.Ring.At(i); !e.Is.Has(queue.Blocking) && now-e.At > limit {
			c.abandon()
		}
		return
	}
	scripts, tail, kept := c.scriptsOf(), c.Ring.Tail, false
	sorted, last := true, int64(0)
	for ; i < tail; i++ {
		e := c.Ring.At(i)
		sorted, last = sorted && e.At >= last, e.At
		young := now-e.At <= limit
		if e.Is.Has(queue.Blocking) || young && !c.early {
			break
		}
		if e.Recv == nil {
			continue // it is the pool's own, or has ended
		}
		if young || e.Is.Has(queue.Lasting) || i == c.Ring.Head && c.coming(e, now) || scripts != nil && c.waitsForOwn(e, now, scripts) {
			if !kept {
				c.expired, kept = i, true
			}
			continue
		}
		c.Up.Counters.Timeouts++
		c.server.Stats.Timeouts++
		if c.fail(e, c.server.TimedOut); c.Ring.Tail != tail || c.Ring.Head > i {
			return // whoever waited has given the connection back
		}
	}
	if !kept {
		c.expired = i
	}
	c.early = c.early && !sorted
}

// ExpireIfBegun is expire for a connection of which a reply has begun.
func (c *Conn) ExpireIfBegun() {
	if c.state == Ready && c.Replying() {
		c.expire(c.Up.Loop.Now)
	}
}

// coming reports whether the head's reply must be left to finish: a client has a part of it, or its bytes come in.
func (c *Conn) coming(e *queue.Pending, now int64) bool {
	if !c.Replying() {
		return false
	}
	client, place, ok := e.Client()
	return ok && client.Begun(place) || now-c.came <= int64(c.Up.Config.Timeout)/4
}

// scriptsOf counts, by client, the scripts under way here. A server runs what it has read at once and keeps the replies until all of
// it is done, so that the first of several waits for the last. nil: there is none.
func (c *Conn) scriptsOf() (n map[ask.Client]int) {
	for i := c.Ring.Head; i != min(c.Ring.Tail, c.Ring.Head+maxBatch); i++ {
		e := c.Ring.At(i)
		if e.Recv == nil || !e.Is.Has(queue.Scripting) {
			continue
		}
		if client, _, ok := e.Client(); ok {
			if n == nil {
				n = map[ask.Client]int{}
			}
			n[client]++
		}
	}
	return n
}

// waitsForOwn reports whether a request has time left because scripts of its own client are under way. Each of them may
// take the timeout, and together they may take the stall timeout. Requests of other clients get no more time for that.
// Nor does a request that was sent again: later requests of its client, at other servers, must not end before it.
func (c *Conn) waitsForOwn(e *queue.Pending, now int64, scripts map[ask.Client]int) bool {
	client, _, ok := e.Client()
	n := scripts[client]
	if !ok || n == 0 || e.Is.Hops() > 0 {
		return false
	}
	since, limit := e.At, int64(c.Up.Config.Timeout)*int64(n)
	if stall := int64(c.Up.Config.StallTimeout); stall > 0 {
		limit = min(limit, stall)
	}
	since = max(since, client.Replied()) // those before it have ended
	return now-since <= limit
}

// abandon gives up the requests that wait for a connection, so that they can't run after all, and lets
// none wait until there is one.
func (c *Conn) abandon() {
	c.waitForDial, c.down = false, c.server.Lost
	if c.own {
		c.transition(Retired) // first: those whose requests end may give the connection back
	}
	c.drop(func(e *queue.Pending) *ask.Failure {
		if c.Up.Loop.Now-e.At <= int64(c.Up.Config.Timeout) {
			return c.down
		}
		c.Up.Counters.Timeouts++
		c.server.Stats.Timeouts++
		return c.server.TimedOutUnsent
	})
	if c.own {
		c.end(errDial)
		c.Up.Keeper.Disowned(c, c.server.TimedOutUnsent)
		return
	}
	c.Up.Keeper.Changed(c.server)
}

// OwesScript reports whether a script is among what is owed. It may not be the first: a server keeps the replies to what it
// got in the same batch until the script has ended.
func (c *Conn) OwesScript() bool {
	for i := c.Ring.Head; i != min(c.Ring.Tail, c.Ring.Head+maxBatch); i++ {
		if c.Ring.At(i).Is.Has(queue.Scripting) {
			return true
		}
	}
	return false
}

// maxBatch is how many requests are looked through.
const maxBatch = 1024
