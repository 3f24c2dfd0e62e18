package eventloop

import (
	"context"
	"errors"
	"sync/atomic"
)

// mailbox has the functions that were posted to a loop, in their order. gnet only wakes the loop for them, because
// its own queues do not keep the order. While 1,024 tasks wait in one queue, gnet puts more into a second one, and a
// task that is posted after the first queue is empty overtakes those. A loop could then keep an old map of the
// servers for good.
type mailbox struct {
	loop *loop
	// latest are the letters that have come since the loop last looked, the latest first.
	latest atomic.Pointer[letter]
	// first and last are the letters that the loop has taken and not run yet, the oldest first. Loop-only.
	first, last *letter
}

type letter struct {
	run  func()
	next *letter
}

// lettersAtOnce is how many letters are run before sockets are read again.
const lettersAtOnce = 256

var errStopped = errors.New("the loops have stopped")

// post runs f on the loop, as a turn of its own, after everything that was posted before. It refuses f after the
// loops have stopped, because gnet would write to a descriptor number that may have a new owner. Any goroutine.
func (l *loop) post(f func()) error {
	l.srv.gone.RLock()
	defer l.srv.gone.RUnlock()
	if l.srv.over {
		return errStopped
	}
	if n := (&letter{run: f}); l.mail.put(n) {
		return l.el.Execute(context.Background(), &l.mail)
	}
	return nil
}

// put adds a letter, and reports whether the loop must be woken, because it has taken all earlier ones. Any
// goroutine.
func (m *mailbox) put(n *letter) (first bool) {
	for {
		before := m.latest.Load()
		n.next = before
		if m.latest.CompareAndSwap(before, n) {
			return before == nil // the loop may have n already
		}
	}
}

// Run is gnet.Runnable.
func (m *mailbox) Run(context.Context) error {
	m.take()
	for range lettersAtOnce {
		n := m.first
		if n == nil {
			return nil
		}
		if m.first = n.next; m.first == nil {
			m.last = nil
		}
		m.loop.turn(n.run)
	}
	return m.loop.el.Execute(context.Background(), m)
}

// take moves the new letters to the end of the waiting ones, the oldest first.
func (m *mailbox) take() {
	newest := m.latest.Swap(nil)
	var oldest *letter
	for n := newest; n != nil; {
		next := n.next
		n.next, oldest = oldest, n
		n = next
	}
	switch {
	case oldest == nil:
	case m.last == nil:
		m.first, m.last = oldest, newest
	default:
		m.last.next, m.last = oldest, newest
	}
}

// turn runs f as a turn of its own.
func (l *loop) turn(f func()) {
	defer l.guard()
	l.enter()
	f()
	l.flush()
}
