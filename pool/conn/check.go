package conn

import (
	"fmt"

	"ringmaster/pool/queue"
)

// inStep reports whether what was written, what is held and what is owed fit together.
func (c *Conn) inStep() bool { return c.Check() == nil && c.remembersAll() && c.wroteAll() }

// remembersAll reports whether the history holds the bytes of the requests in the ring, no more and no less.
func (c *Conn) remembersAll() bool {
	size := 0
	for i := c.Ring.Head; i != c.Ring.Tail; i++ {
		size += int(c.Ring.At(i).Size)
	}
	return size == len(c.sent.All())
}

// wroteAll reports whether the latest request in the ring was written.
func (c *Conn) wroteAll() bool { return c.Ring.Len() == 0 || c.Ring.At(c.Ring.Tail-1).From < c.queued }

// forget drops the history, so that nothing of it is sent again.
func (c *Conn) forget() {
	for i := c.Ring.Head; i != c.Ring.Tail; i++ {
		c.Ring.At(i).Size = 0
	}
	c.sent = queue.History{}
}

// Check says which invariant of the connection is broken; nil: none.
func (c *Conn) Check() error {
	if err := c.out.Check(); err != nil {
		return err
	}
	if err := c.checkFences(); err != nil {
		return err
	}
	wired := c.state == Handshaking || c.state == Ready || c.state == Draining
	switch {
	case uint64(c.out.Size) != c.queued-c.written:
		return fmt.Errorf("output holds %d bytes, %d were enqueued and %d written", c.out.Size, c.queued, c.written)
	case wired != (c.sock != nil):
		return fmt.Errorf("has a socket: %t", c.sock != nil)
	case c.Ring.Len() > 0 && !wired && !(c.waitForDial && c.state == Dialing):
		return fmt.Errorf("owes %d replies that can't come", c.Ring.Len())
	}
	return nil
}

// checkFences compares the fences with the ring, and what wraps a script.
func (c *Conn) checkFences() error {
	next, guard := c.fences.first, noGuard
	for i := c.Ring.Head; i != c.Ring.Tail; i++ {
		if !c.Ring.At(i).Is.Has(queue.Fencing) {
			continue
		}
		if next == len(c.fences.list) || c.fences.list[next].at != i {
			return fmt.Errorf("request %d is a fence that is not listed", i)
		}
		if next == c.fences.first {
			guard = c.fences.list[next].from
		}
		next++
	}
	if next != len(c.fences.list) {
		return fmt.Errorf("%d fences are listed, %d are in the ring", len(c.fences.list)-c.fences.first, next-c.fences.first)
	}
	if c.fences.guard != guard {
		return fmt.Errorf("guards from request %d on, want %d", c.fences.guard, guard)
	}
	return nil
}
