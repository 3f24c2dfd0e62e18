package conn

import (
	"ringmaster/pool/ask"
	"ringmaster/pool/queue"
	"ringmaster/stats"
)

// Tick answers late requests, closes a connection that stands still, and dials when it is time.
func (c *Conn) Tick() {
	now := c.Up.Loop.Now
	switch c.state {
	case Closed:
		if now >= c.retryAt {
			c.Dial()
		}
	case Handshaking:
		if now-c.dialledAt > c.dialTimeout {
			c.lose(stats.HandshakeTimeout, errHandshake)
			return
		}
		c.expire(now)
	case Dialing:
		// The dial has a deadline of its own; this is for a socket that never reached the loop.
		if now-c.dialledAt > 2*c.dialTimeout {
			c.OnDialFailed(errDial)
			return
		}
		c.expire(now)
	case Ready, Draining:
		if c.stalls(now) {
			c.lose(stats.ServerStalled, errStalled)
			return
		}
		if c.own && c.overstays(now) {
			c.lose(stats.ServerDropped, ErrGone) // what it waits for happens elsewhere, if the server has not said so
			return
		}
		if c.unreachable(now) {
			c.lose(stats.ServerUnreachable, errLink)
			return
		}
		c.expire(now)
		if c.stale != fresh && c.state == Ready {
			c.Renew()
			return
		}
		c.Up.Keeper.Ticked(c)
	}
}

// stalls reports whether a server that owes replies stands still: it neither sends nor takes anything, or sends no more of a
// reply that has begun, whatever it takes.
func (c *Conn) stalls(now int64) bool {
	stall := int64(c.Up.Config.StallTimeout)
	if stall <= 0 || c.Ring.Len() == 0 || c.Ring.At(c.Ring.Head).Is.Has(queue.Blocking) {
		return false
	}
	return now-c.progress > stall || c.Replying() && now-c.came > stall
}

// unreachable reports whether the link to a server that owes replies is dead. The system goes on sending after pauses that double
// each time, so that a link that works again would not be noticed for as long as it did not; a new connection finds out.
func (c *Conn) unreachable(now int64) bool {
	if c.Ring.Len() == 0 || now-c.heard <= int64(c.Up.Config.DialTimeout) {
		return false
	}
	c.heard = now // asks the system, which costs a call, not at each tick
	return c.sock.Unacknowledged()
}

// overstays reports whether an own connection must end because its server is gone. Owners have the dial timeout to give it back, or to
// end what waits there. One that was taken out of a fixed list also answers what it runs.
func (c *Conn) overstays(now int64) bool {
	s := c.server
	return s.GoneAt > 0 && now-s.GoneAt > int64(c.Up.Config.DialTimeout) && !(s.Left && c.works())
}

// works reports whether somebody waits for what the server runs: a command that ends by itself, and that none which blocks is before.
func (c *Conn) works() bool {
	for i := c.Ring.Head; i != c.Ring.Tail; i++ {
		e := c.Ring.At(i)
		if e.Is.Has(queue.Blocking) {
			return false
		}
		if _, unwanted := e.Recv.(Swallowed); e.Recv != nil && !unwanted {
			return true
		}
	}
	return false
}

// A connection that works may have to be made again: its server is no primary any more, or it is logged in as a user
// that the settings do not name any more. Nothing of that may be lost or overtaken, so what comes meanwhile waits.
//
//	stale ─ all is sent ▸ frozen ─ what is owed has come ▸ closed, dialled ▸ what waits is sent
//
// Own connections are not made again: they end once they owe nothing.

// Renew goes on with a connection that is to be made again. Called with every tick while Ready, and when replies have come.
func (c *Conn) Renew() {
	if c.own {
		if c.Ring.Len() == 0 {
			reason, err := c.stale.reason()
			c.server.Stats.Disconnects[reason]++
			c.transition(Retired)
			c.end(err)
			c.Up.Keeper.Disowned(c, &ask.Failure{Kind: ask.Lost, Sent: true, Server: c.server.Name, Cause: err})
		}
		return
	}
	if l := c.Up.Loop; !c.frozen && c.out.Size == 0 && l.frozen < AtOnce {
		c.frozen, c.frozenAt = true, c.Ring.Tail
		l.frozen++
	}
	if !c.frozen || c.Ring.Head < c.frozenAt {
		return
	}
	reason, _ := c.stale.reason()
	c.server.Stats.Disconnects[reason]++
	if c.stale == OtherLogin { // nothing is wrong with the server
		c.server.GraceUntil = c.Up.Loop.Now + int64(c.Up.Config.DialTimeout)
		c.Up.Log.otherLogin(c)
	}
	c.endRenewal()
	c.multi, c.unsent, c.waitForDial = false, 0, true
	c.refusal, c.headerCut = nil, false
	c.Redial()
	c.Up.Keeper.Remade(c)
}
