package pool

import (
	"ringmaster/parser"
	"ringmaster/pool/ask"
	"ringmaster/pool/queue"
	"ringmaster/stats"
)

// OnClose tells that sock is gone. unsent is how many bytes it held back. A socket that is not
// the connection's any more is ignored.
func (c *Conn) OnClose(sock Socket, unsent int, cause error) {
	if c.sock != sock {
		return
	}
	c.unsent = uint64(unsent)
	if cause == nil {
		cause = errClosed
	}
	c.sock = nil
	c.lose(stats.ServerClosed, cause)
}

// lose ends the present socket and every request on it, and plans the next dial.
func (c *Conn) lose(reason stats.DisconnectReason, cause error) {
	c.server.stats.Disconnects[reason]++
	if c.own {
		c.loseOwn(reason, cause)
		return
	}
	worked := c.state == Ready && c.pool.Proven(c.readyAt)
	greeting := c.state == Handshaking
	if c.state == Draining {
		c.end(cause)
		c.transition(Retired)
		return
	}
	c.pool.Hint()
	if c.rings.refusal == nil { // that a client asks for a database there isn't is no trouble
		c.pool.log.lost(c, reason, cause)
	}
	if worked {
		// Dial again at once, and let requests wait for that one attempt.
		c.waitForDial, c.backoff, c.retryAt = true, 0, c.pool.Now
	} else {
		c.failAndBackOff(cause)
	}
	c.transition(Closed)
	c.end(cause)
	if worked {
		c.dial()
	}
	if greeting {
		c.server.stats.ConnectFailures++
		c.rings.failed(c, cause)
	}
}

// end lets the socket, the output and every owed request go.
func (c *Conn) end(cause error) {
	reached := c.written - min(c.unsent, c.written)
	if sock := c.sock; sock != nil {
		// Closing sends what the socket holds back, as far as the kernel takes it.
		reached = c.written
		c.sock = nil
		sock.Close()
	}
	sent := &ask.Failure{Kind: ask.Lost, Sent: true, Server: c.server.Name, Cause: cause}
	unsent := &ask.Failure{Kind: ask.Lost, Server: c.server.Name, Cause: cause}
	begun := c.replying()
	c.rest, c.heldBack, c.scan = nil, false, parser.ReplyScanner{}
	c.endProbe()
	c.endRenewal()
	if begun && c.ring.At(c.ring.Head).Is.Has(queue.Reading) {
		e := c.ring.At(c.ring.Head)
		e.Is = 0 // what its client has of the reply can't be taken back
	}
	c.multi = false // whoever answers next may be set up otherwise
	c.drop(func(e *queue.Pending) *ask.Failure {
		if e.From < reached {
			return sent
		}
		return unsent
	})
}

// drop empties the ring and the output. Each request ends with the failure that why finds for it.
func (c *Conn) drop(why func(*queue.Pending) *ask.Failure) {
	failed, sent := c.ring, c.sent
	c.ring, c.expired = failed.After(), failed.Tail
	c.out.Reset()
	c.sent = queue.History{}
	c.queued, c.written, c.unsent = 0, 0, 0
	c.fences.reset()
	c.refusal, c.headerCut = nil, false
	c.pool.InFlight -= failed.Waiting()
	c.server.stats.InFlight -= uint64(failed.Len())
	for i := failed.Head; i != failed.Tail; i++ {
		e := failed.At(i)
		f := why(e)
		var raw []byte
		if e.Size > 0 {
			raw = sent.Take(e.Size)
		}
		if raw == nil || e.Recv == nil || !c.saved(e, raw, f) {
			if f.Sent && raw != nil && e.Recv != nil {
				c.pool.ran(e) // it may have run
			}
			c.fail(e, f)
		}
	}
}

// saved reports whether a request that failed goes elsewhere.
func (c *Conn) saved(e *queue.Pending, raw []byte, f *ask.Failure) bool {
	if e.Is.Has(queue.Reading) {
		return c.readAgain(e, raw)
	}
	return !f.Sent && !c.pool.mustNotRunAgain(e) && c.reroute(e, raw)
}

// fail tells whoever waits for e that there is no reply.
func (c *Conn) fail(e *queue.Pending, f *ask.Failure) {
	recv := e.Recv
	if recv == nil {
		return
	}
	c.arrived(e)
	e.Recv = nil
	c.pool.fail(recv, e.Tag, f)
}

// retire closes the connection for good.
func (c *Conn) retire() {
	if c.sock != nil {
		c.server.stats.Disconnects[stats.ServerDropped]++
	}
	c.transition(Retired)
	if c.recalled {
		c.end(errGone)
		c.disown(&ask.Failure{Kind: ask.Lost, Sent: true, Server: c.server.Name, Cause: errGone})
		return
	}
	c.end(ErrRetired)
	if c.own {
		c.disown(c.server.stopping)
	}
}

// drain refuses new requests and retires the connection once it owes nothing.
func (c *Conn) drain() {
	switch {
	case c.state == Retired || c.state == Draining:
	case c.state == Ready && c.ring.Len() > 0:
		c.down = c.server.stopping
		c.transition(Draining)
	default:
		c.retire()
	}
}

// tick answers late requests, closes a connection that stands still, and dials when it is time.
func (c *Conn) tick() {
	now := c.pool.Now
	switch c.state {
	case Closed:
		if now >= c.retryAt {
			c.dial()
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
			c.lose(stats.ServerDropped, errGone) // what it waits for happens elsewhere, if the server has not said so
			return
		}
		if c.unreachable(now) {
			c.lose(stats.ServerUnreachable, errLink)
			return
		}
		c.expire(now)
		if c.stale != fresh && c.state == Ready {
			c.renew()
			return
		}
		if r := &c.server.renewal; (r.doubt || r.check) && c.state == Ready {
			c.askRole()
		}
		if !c.own {
			c.watchScripts(now)
		}
	}
}

// stalls reports whether a server that owes replies stands still: it neither sends nor takes anything, or sends no more of a
// reply that has begun, whatever it takes.
func (c *Conn) stalls(now int64) bool {
	stall := int64(c.pool.cfg.StallTimeout)
	if stall <= 0 || c.ring.Len() == 0 || c.ring.At(c.ring.Head).Is.Has(queue.Blocking) {
		return false
	}
	return now-c.progress > stall || c.replying() && now-c.came > stall
}

// unreachable reports whether the link to a server that owes replies is dead. The system goes on sending after pauses that double
// each time, so that a link that works again would not be noticed for as long as it did not; a new connection finds out.
func (c *Conn) unreachable(now int64) bool {
	if c.ring.Len() == 0 || now-c.heard <= int64(c.pool.cfg.DialTimeout) {
		return false
	}
	c.heard = now // asks the system, which costs a call, not at each tick
	return c.sock.Unacknowledged()
}

// replying reports whether part of the head's reply has come. A push has nothing to do with the head.
func (c *Conn) replying() bool {
	return c.ring.Len() > 0 && c.scan.Started() && c.scan.Kind() != '>'
}

// failAndBackOff makes requests fail at once until the server answers again, and plans the next dial
// with a doubled pause.
func (c *Conn) failAndBackOff(cause error) {
	c.waitForDial, c.denied, c.failedAt = false, false, c.dialledAt
	if c.state == Ready {
		c.failedAt = c.pool.Now
	}
	c.down = &ask.Failure{Kind: ask.Down, Server: c.server.Name, Cause: cause}
	c.backoff, c.retryAt = c.pool.BackOff(c.backoff)
}

// BackOff doubles the pause between two attempts, ns, and gives the time when it is over. Loop-only.
func (p *Pool) BackOff(last int64) (pause, over int64) {
	pause = min(max(2*last, int64(p.cfg.BackoffMin)), int64(p.cfg.BackoffMax))
	// Half to all of the pause, so that many loops and proxies do not dial in step.
	return pause, p.Now + pause/2 + p.random.Int64N(pause/2+1)
}

// Proven reports whether a connection that has held since then, ns, may be dialled again without a pause. Loop-only.
func (p *Pool) Proven(since int64) bool { return p.Now-since >= int64(p.cfg.BackoffMax) }
