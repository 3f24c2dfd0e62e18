package conn

import (
	"bytes"

	"ringmaster/parser"
	"ringmaster/pool/answer"
	"ringmaster/pool/ask"
	"ringmaster/pool/queue"
	"ringmaster/stats"
)

// OnBytes takes bytes from the server. Borrows b until return.
func (c *Conn) OnBytes(b []byte) {
	l := c.Up.Loop
	l.came = b
	c.take(b)
	if l.lent {
		l.lent = false
		l.GiveBack()
	}
	l.came = nil
}

// take delivers what b ends or goes on with.
func (c *Conn) take(b []byte) {
	done := false // spares recover, which is not cheap
	defer func() {
		if !done {
			c.recovered(recover())
		}
	}()
	now := c.Up.Loop.Now
	c.progress, c.heard, c.came = now, now, now
	c.server.Stats.BytesIn += uint64(len(b))
	if c.tunnel && c.state == Ready && c.Owner != nil {
		c.push(b, ask.Whole)
		return
	}
	for len(c.rest) > 0 && len(b) > 0 && c.sock != nil {
		// Only the line is completed: what follows it is not copied.
		n := lineRest(c.rest, b)
		if c.heldBack {
			n = min(len(b), maxHeldBack)
		}
		line := append(c.rest, b[:n]...)
		c.rest, c.heldBack = line[:0], false
		c.read(line)
		b = b[n:]
	}
	if c.sock != nil && len(b) > 0 {
		c.read(b)
	}
	switch {
	case c.state == Draining && c.Ring.Len() == 0:
		c.Up.Keeper.Drained(c)
	case c.frozen && c.state == Ready && c.Ring.Head >= c.frozenAt:
		c.Renew()
	}
	done = true
}

// lineRest is how much of b belongs to the line that begins with rest: up to its CRLF, or all of b.
func lineRest(rest, b []byte) int {
	if rest[len(rest)-1] == '\r' && b[0] == '\n' {
		return 1
	}
	if n := parser.LineEnd(b); n > 0 {
		return n
	}
	return len(b)
}

// read delivers the replies in b, which is not empty, and keeps an unfinished line.
func (c *Conn) read(b []byte) {
	lost := c.lost
	for {
		var p ask.Piece
		if !c.scan.Started() {
			p = ask.First
			if c.Ring.Head >= c.fences.guard {
				if n := c.wholeFence(b); n > 0 {
					if b = b[n:]; len(b) == 0 || c.lost != lost {
						return
					}
					continue
				}
			}
		}
		n, st := c.scan.Scan(b)
		switch st {
		case parser.Done:
			c.deliver(b[:n], p|ask.Last)
		case parser.More:
			if p == ask.First && len(b) <= maxHeldBack && c.headReads() {
				c.scan = parser.ReplyScanner{}
				c.keepLine(b)
				c.heldBack = true
				return
			}
			if n > 0 {
				c.deliver(b[:n], p)
			}
			if c.lost == lost {
				c.keepLine(b[n:])
			}
			return
		case parser.Broken:
			c.lose(stats.ServerProtocolError, errNotRESP)
		}
		if n == len(b) || c.lost != lost {
			return
		}
		b = b[n:]
	}
}

// maxHeldBack is the largest reply to a read, bytes, that is kept until it is whole: while its client has had nothing of it,
// another server can be asked if this one is lost.
const maxHeldBack = 4096

// headReads reports whether the oldest request is a read that another server can answer.
func (c *Conn) headReads() bool {
	return c.Ring.Len() > 0 && c.Ring.At(c.Ring.Head).Is.Has(queue.Reading) && c.state != Handshaking
}

func (c *Conn) keepLine(line []byte) {
	if len(line) == 0 {
		if cap(c.rest) > queue.MaxPooled {
			c.rest = nil
		}
		return
	}
	c.rest = append(c.rest[:0], line...)
}

// deliver hands a piece of a reply to whoever it belongs to.
func (c *Conn) deliver(b []byte, p ask.Piece) {
	if c.Ring.Head >= c.fences.guard && c.state != Handshaking && !c.guarded(b, p) {
		return
	}
	if c.scan.Kind() == '>' {
		if c.Owner != nil { // no state that asks for pushes is put on a shared connection
			c.push(b, p)
		}
		return
	}
	if c.streams && c.streamed(b, p) {
		return
	}
	if c.state == Handshaking {
		c.onHandshake(b, p)
		return
	}
	if c.Ring.Len() == 0 {
		c.lose(stats.ServerProtocolError, errUnexpected)
		return
	}
	e := c.Ring.At(c.Ring.Head)
	if e.Is.Has(queue.Wrapping | queue.Wrapped) {
		var ok bool
		if b, p, ok = c.unwrap(e, b, p); !ok {
			return
		}
	}
	recv, tag := e.Recv, e.Tag
	if e.Size > 0 && recv != nil {
		if p == ask.Whole && b[0] == '-' && answer.Elsewhere(b) && c.Up.Keeper.Refuses(c, e, b) {
			c.Up.Keeper.Redirect(c, *e, b)
			return
		}
		if !c.Up.Orders.Empty() && !e.Is.Has(queue.Reading) && p&ask.First != 0 {
			c.Up.Keeper.Ran(e)
		}
	}
	if p&ask.First != 0 && (b[0] == '-' || b[0] == '!') {
		c.CountError(e, b)
	} else if c.server.muteUntil != 0 {
		c.server.muteUntil = 0 // it answers again
	}
	if p&ask.Last != 0 {
		c.answered(e)
	}
	if recv != nil {
		c.Up.Loop.GiveReply(recv, tag, b, p)
	}
}

// push hands what nobody asked for to the owner.
func (c *Conn) push(b []byte, p ask.Piece) {
	c.Up.Loop.servingOwner = c.Owner
	c.Owner.Pushed(b, p)
}

// CountError takes notice of an error with which e is answered.
func (c *Conn) CountError(e *queue.Pending, b []byte) {
	c.server.Stats.Errors++
	switch {
	case e.Is.Carrier() != 0: // a script may say anything
	case answer.OutOfMemory(b):
		c.server.LowMemory = true
	case bytes.HasPrefix(b, answer.BusyWord):
		c.server.muteUntil = c.Up.Loop.Now + muteFor
	}
	if answer.RefusesWrites(b) {
		c.Up.Keeper.RefusedWrite(c, e.Is.Carrier() != 0)
	}
}

// answered takes the head off the ring.
func (c *Conn) answered(e *queue.Pending) {
	s := c.server.Stats
	s.Replies++
	s.InFlight--
	if e.Is.Hops() > 0 {
		c.Arrived(e)
	}
	s.Latency.Observe(c.Up.Loop.Now - e.At)
	if e.Recv == nil {
		c.Up.Counters.LateReplies++
	}
	c.off(e)
}

// TakeHead takes the head e off the ring, which is to be sent again, and appends its bytes to dst.
func (c *Conn) TakeHead(dst []byte, e *queue.Pending) []byte {
	dst = append(dst, c.sent.First(e.Size)...)
	s := c.server.Stats
	s.Replies++
	s.InFlight--
	c.Arrived(e)
	c.off(c.Ring.At(c.Ring.Head))
	return dst
}

// streamed gives the owner of a streaming connection what nobody asked for: anything while nothing is owed,
// and the lines of MONITOR, which begin with the time, at any time.
func (c *Conn) streamed(b []byte, p ask.Piece) bool {
	if p&ask.First != 0 {
		line := len(b) > 1 && b[0] == '+' && b[1] >= '0' && b[1] <= '9'
		c.inStream = c.state == Ready && c.Owner != nil && (line || c.Ring.Len() == 0)
	}
	if c.inStream && c.Owner != nil {
		c.push(b, p)
	}
	return c.inStream
}
