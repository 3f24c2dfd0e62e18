package conn

import "ringmaster/stats"

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
