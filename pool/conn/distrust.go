package conn

import "ringmaster/stats"

// Distrust closes the connections that are out of step: a panic may have come between a request's bytes and its place in the ring.
func (l *Loop) Distrust() {
	var odd []*Conn
	l.Each(func(c *Conn) {
		if !c.inStep() {
			odd = append(odd, c)
		}
	})
	for _, c := range odd {
		if c.inStep() {
			continue // it was closed with another, whose receiver panicked
		}
		if !c.remembersAll() {
			c.forget()
		}
		c.lose(stats.ServerPanic, errPanic)
	}
	l.recount()
}

// CloseAll closes every connection and dials again: nothing is known of what a panic has left half done.
func (l *Loop) CloseAll() {
	l.forgetOutput()
	var open []*Conn
	l.Each(func(c *Conn) {
		c.dirty, c.behind = false, false
		c.forget()
		if c.sock != nil {
			open = append(open, c)
		}
	})
	for _, c := range open {
		if c.sock != nil {
			c.lose(stats.ServerPanic, errPanic)
		}
	}
	l.recount()
}

// recount makes InFlight what it says it is.
func (l *Loop) recount() {
	l.InFlight = 0
	l.Each(func(c *Conn) { l.InFlight += c.Ring.Waiting() })
}

// recovered is what OnBytes does about a panic; a nil cause: there was none. What came after the reply that was being delivered is
// lost with the panic, and so is the order of replies.
func (c *Conn) recovered(cause any) {
	if cause == nil {
		return
	}
	c.Up.Loop.panicked(c.Up.Loop.served(), cause)
	if c.sock != nil {
		c.lose(stats.ServerPanic, errPanic)
	}
}
