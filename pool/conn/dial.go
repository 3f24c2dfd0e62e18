package conn

import "time"

// Dial asks the event loop for a socket.
func (c *Conn) Dial() {
	if c.Up.Stopped {
		return
	}
	c.dialledAt, c.dialTimeout = c.Up.Loop.Now, int64(c.Up.Config.DialTimeout)
	c.transition(Dialing)
	c.Up.Loop.dials = append(c.Up.Loop.dials, c)
}

// dialPending reports whether requests may wait for the dial.
func (c *Conn) dialPending() bool {
	return c.waitForDial && (c.state == Dialing || c.state == Handshaking)
}

// Forgive has the connection log in again if its server has refused that.
func (c *Conn) Forgive() {
	if !c.denied {
		return
	}
	c.denied, c.waitForDial, c.backoff = false, true, 0
	if c.state == Closed {
		c.Dial()
	}
	c.Up.Keeper.Changed(c.server)
}

// DialAtOnce has the connection be dialled with the next tick, whatever its pause.
func (c *Conn) DialAtOnce() { c.retryAt = c.Up.Loop.Now }

// DialBy has its pause be over at a time, ns.
func (c *Conn) DialBy(last int64) { c.retryAt = min(c.retryAt, last) }

// WaitsForDial reports whether requests may wait for the dial, if there is one.
func (c *Conn) WaitsForDial() bool { return c.waitForDial }

// DialTimeout bounds connecting plus handshake, for the dial that is under way. Loop-only: whoever dials on a goroutine of its own takes it
// with it.
func (c *Conn) DialTimeout() time.Duration { return time.Duration(c.dialTimeout) }
