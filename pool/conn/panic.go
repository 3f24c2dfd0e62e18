package conn

import (
	"errors"
	"fmt"

	"ringmaster/pool/ask"
	"ringmaster/pool/queue"
	"ringmaster/stats"
)

// A panic is a mistake of ours, and must not end the process: every client of every loop would have to pay for it. Whoever
// calls a receiver catches it, tells OnPanic for whom it was, and closes each connection that is out of step with what was
// written to it (ADR 15).

var errPanic = errors.New("was closed after a bug in ringmaster; the log has the panic")

// guard is deferred by OnBytes. What came behind the reply that was being delivered is lost with the panic, and so is the
// order of replies.
func (c *Conn) guard() {
	if cause := recover(); cause != nil {
		c.Up.Loop.panicked(c.Up.Loop.served(), cause)
		if c.sock != nil {
			c.lose(stats.ServerPanic, errPanic)
		}
	}
}

// Fail tells a receiver that there is no reply.
func (l *Loop) Fail(recv ask.Receiver, tag uint64, f *ask.Failure) {
	defer l.guardFor(recv.Client())
	recv.Fail(tag, f)
}

// Answer gives a receiver a whole reply, outside of OnBytes.
func (l *Loop) Answer(recv ask.Receiver, tag uint64, b []byte) {
	defer l.guardFor(recv.Client())
	recv.Reply(tag, b, ask.Whole)
}

// OwnLost tells an owner that its connection is gone.
func (l *Loop) OwnLost(owner Owner, c *Conn, f *ask.Failure) {
	defer l.guardFor(owner.Client())
	owner.OwnLost(c, f)
}

// served is for whom a receiver or an owner was called last; nil: nobody alone.
func (l *Loop) served() ask.Client {
	switch {
	case l.servingOwner != nil:
		return l.servingOwner.Client()
	case l.serving != nil:
		return l.serving.Client()
	}
	return nil
}

func (l *Loop) guardFor(whom ask.Client) {
	if cause := recover(); cause != nil {
		l.panicked(whom, cause)
	}
}

func (l *Loop) panicked(whom ask.Client, cause any) {
	l.serving, l.servingOwner = nil, nil
	if l.OnPanic == nil {
		panic(cause)
	}
	l.OnPanic(whom, cause)
	l.Distrust()
}

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

// Reset closes every connection and dials again: nothing is known of what a panic has left half done.
func (l *Loop) Reset() {
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
