package pool

import (
	"errors"

	"ringmaster/stats"
)

// A panic is a mistake of ours, and must not end the process: every client of every loop would have to pay for it. Whoever
// calls a receiver catches it, tells OnPanic for whom it was, and closes each connection that is out of step with what was
// written to it (ADR 15).

var errPanic = errors.New("was closed after a mistake of ringmaster's own; the log has a panic")

// guard is deferred by OnBytes. What came behind the reply that was being delivered is lost with the panic, and so is the
// order of replies.
func (c *Conn) guard() {
	if cause := recover(); cause != nil {
		c.pool.panicked(c.pool.serving, cause)
		if c.sock != nil {
			c.lose(stats.ServerPanic, errPanic)
		}
	}
}

// fail tells a receiver that there is no reply.
func (p *Pool) fail(recv Receiver, tag uint64, f *Failure) {
	defer p.guardFor(recv)
	recv.Fail(tag, f)
}

// answer gives a receiver a whole reply, outside of OnBytes.
func (p *Pool) answer(recv Receiver, tag uint64, b []byte) {
	defer p.guardFor(recv)
	recv.Reply(tag, b, Whole)
}

// ownLost tells an owner that its connection is gone.
func (p *Pool) ownLost(owner Owner, c *Conn, f *Failure) {
	defer p.guardFor(owner)
	owner.OwnLost(c, f)
}

func (p *Pool) guardFor(whom any) {
	if cause := recover(); cause != nil {
		p.panicked(whom, cause)
	}
}

func (p *Pool) panicked(whom, cause any) {
	p.serving = nil
	if p.OnPanic == nil {
		panic(cause)
	}
	p.OnPanic(whom, cause)
	p.Distrust()
}

// inStep reports whether what was written, what is held and what is owed fit together.
func (c *Conn) inStep() bool { return c.check() == nil && c.remembersAll() && c.wroteAll() }

// remembersAll reports whether the history holds the bytes of the requests in the ring, no more and no less.
func (c *Conn) remembersAll() bool {
	size := 0
	for i := c.ring.head; i != c.ring.tail; i++ {
		size += int(c.ring.at(i).size)
	}
	return size == len(c.sent.buf)-c.sent.head
}

// wroteAll reports whether the latest request in the ring was written.
func (c *Conn) wroteAll() bool { return c.ring.len() == 0 || c.ring.at(c.ring.tail-1).from < c.queued }

// forget drops the history, so that nothing of it is sent again.
func (c *Conn) forget() {
	for i := c.ring.head; i != c.ring.tail; i++ {
		c.ring.at(i).size = 0
	}
	c.sent = history{}
}
