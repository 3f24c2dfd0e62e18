package conn

import (
	"bytes"

	"ringmaster/pool/answer"
	"ringmaster/pool/ask"
	"ringmaster/pool/queue"
	"ringmaster/stats"
)

// fence puts a fence after the requests from first on.
func (c *Conn) fence(first uint64, carrier ask.Carrier) {
	u := c.Up
	byName := u.ElsewhereBusy || c.server.NoEcho || c.login != u.Logins || u.Loop.Now < max(c.server.muteUntil, c.server.RefusedUntil)
	one := c.fences.push(fence{from: first, at: c.Ring.Tail, carrier: carrier, byName: byName})
	u.drawNonce(&one.nonce)
	var request [FenceSize]byte
	start := echoStart
	if one.byName {
		start = nameStart
	}
	n := copy(request[:], start)
	n += copy(request[n:], one.nonce[:])
	n += copy(request[n:], crlf)
	c.out.Write(request[:n])
	c.owe(n, nil, 0)
	c.Ring.Latest().Is = queue.Fencing
	u.Loop.InFlight-- // nobody waits for it
}

// guarded looks at a piece of a reply that is due to a carrier or to its fence; false: it was dealt with.
func (c *Conn) guarded(b []byte, p ask.Piece) bool {
	f := c.fences.head()
	pushed := c.scan.Kind() == '>'
	if c.Ring.Head == f.at && (!pushed || c.Owner == nil || c.IsLane) {
		c.onFence(f, b, p)
		return false
	}
	// No state that asks for pushes is put on a shared connection.
	if pushed && c.Owner == nil || c.fences.holds(b) {
		c.outOfStep(f)
		return false
	}
	return true
}

// onFence takes a piece of what must be the fence's reply.
func (c *Conn) onFence(f *fence, b []byte, p ask.Piece) {
	switch {
	case f.odd:
	case f.byName:
		f.odd = p != ask.Whole || !bytes.HasPrefix(b, answer.UnknownCommand) || !bytes.Contains(b, f.nonce[:])
	default:
		f.odd = !f.repeats(b)
		f.got += len(b)
	}
	if f.odd {
		c.oddFence(f, b, p)
		return
	}
	if p&ask.Last != 0 {
		c.fenceAnswered()
	}
}

func (c *Conn) fenceAnswered() {
	s := c.server.Stats
	s.Replies++
	s.InFlight--
	c.off(c.Ring.At(c.Ring.Head))
	c.fences.pop()
	if c.IsLane {
		c.Up.Keeper.LaneFreed(c)
	}
}

// wholeFence takes the fence's reply, when it is due and whole at the start of b: it spares the scanner. n is its length; 0: it is
// not there.
func (c *Conn) wholeFence(b []byte) (n int) {
	f := c.fences.head()
	if c.state == Handshaking || c.Ring.Head != f.at || f.byName || f.odd || f.got > 0 || len(b) < fenceReplySize || !f.repeats(b[:fenceReplySize]) {
		return 0
	}
	c.fenceAnswered()
	return fenceReplySize
}

// oddFence deals with a piece of something else than the fence's reply. On a lane nobody else can get it, so that it is
// dropped; the nonce says where the server is in step again.
func (c *Conn) oddFence(f *fence, b []byte, p ask.Piece) {
	if !f.byName && c.refusesEcho(b, p) {
		c.lose(stats.ServerOutOfStep, errFenceRefused)
		return
	}
	c.fences.surplus += len(b)
	if !c.IsLane || c.fences.surplus > maxSurplus || c.fences.holds(b) {
		c.outOfStep(f)
		return
	}
	c.foundUnescaped(f.carrier)
	if p&ask.Last != 0 {
		f.odd, f.got = false, 0
	}
}

// refusesEcho reports whether a frame says that the server does not take ECHO, and has later fences go by name. A script may have
// written it: that costs a connection, once in refusedFor.
func (c *Conn) refusesEcho(b []byte, p ask.Piece) bool {
	switch {
	case p != ask.Whole:
		return false
	case answer.Passing(b):
		c.server.RefusedUntil = c.Up.Loop.Now + refusedFor
	case answer.Denied(b):
		c.server.NoEcho = true
	default:
		return false
	}
	return true
}

// outOfStep ends a connection whose replies can't be told apart any more.
func (c *Conn) outOfStep(f *fence) {
	c.server.Stats.OutOfStep++
	c.foundUnescaped(f.carrier)
	c.lose(stats.ServerOutOfStep, errOutOfStep)
}
