package conn

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
	c.letGoSocket()
	c.lose(stats.ServerClosed, cause)
}

// lose ends the present socket and every request on it, and plans the next dial.
func (c *Conn) lose(reason stats.DisconnectReason, cause error) {
	c.server.Stats.Disconnects[reason]++
	if c.own {
		c.loseOwn(reason, cause)
		return
	}
	worked := c.state == Ready && c.Up.Proven(c.ReadyAt)
	greeting := c.state == Handshaking
	if c.state == Draining {
		c.end(cause)
		c.transition(Retired)
		return
	}
	c.Up.Hint()
	if c.Group.Refused == nil { // that a client asks for a database there isn't is no trouble
		c.Up.Log.lost(c, reason, cause)
	}
	if worked {
		// Dial again at once, and let requests wait for that one attempt.
		c.waitForDial, c.backoff, c.retryAt = true, 0, c.Up.Loop.Now
	} else {
		c.failAndBackOff(cause)
	}
	c.transition(Closed)
	c.end(cause)
	if worked {
		c.Dial()
	}
	if greeting {
		c.server.Stats.ConnectFailures++
		c.Up.Keeper.Failed(c, cause)
	}
}

// letGoSocket has the connection be without a socket, and gives the one that it had.
func (c *Conn) letGoSocket() (sock Socket) {
	sock, c.sock = c.sock, nil
	c.lost++
	return sock
}

// end lets the socket, the output and every owed request go.
func (c *Conn) end(cause error) {
	reached := c.written - min(c.unsent, c.written)
	if c.sock != nil {
		// Closing sends what the socket holds back, as far as the kernel takes it.
		reached = c.written
		c.letGoSocket().Close()
	}
	sent := &ask.Failure{Kind: ask.Lost, Sent: true, Server: c.server.Name, Cause: cause}
	unsent := &ask.Failure{Kind: ask.Lost, Server: c.server.Name, Cause: cause}
	begun := c.Replying()
	c.rest, c.heldBack, c.scan = nil, false, parser.ReplyScanner{}
	c.Up.Keeper.Ended(c)
	c.endRenewal()
	if begun && c.Ring.At(c.Ring.Head).Is.Has(queue.Reading) {
		e := c.Ring.At(c.Ring.Head)
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
	failed, sent := c.Ring, c.sent
	c.Ring, c.expired = failed.After(), failed.Tail
	c.out.Reset()
	c.sent = queue.History{}
	c.queued, c.written, c.unsent = 0, 0, 0
	c.fences.reset()
	c.refusal, c.headerCut = nil, false
	c.Up.Loop.InFlight -= failed.Waiting()
	c.server.Stats.InFlight -= uint64(failed.Len())
	for i := failed.Head; i != failed.Tail; i++ {
		e := failed.At(i)
		f := why(e)
		var raw []byte
		if e.Size > 0 {
			raw = sent.Take(e.Size)
		}
		if raw == nil || e.Recv == nil || !c.Up.Keeper.Save(c, e, raw, f) {
			if f.Sent && raw != nil && e.Recv != nil {
				c.Up.Keeper.Ran(e) // it may have run
			}
			c.fail(e, f)
		}
	}
}

// fail tells whoever waits for e that there is no reply.
func (c *Conn) fail(e *queue.Pending, f *ask.Failure) {
	recv := e.Recv
	if recv == nil {
		return
	}
	c.Arrived(e)
	e.Recv = nil
	c.Up.Loop.Fail(recv, e.Tag, f)
}

// Retire closes the connection for good.
func (c *Conn) Retire() {
	if c.sock != nil {
		c.server.Stats.Disconnects[stats.ServerDropped]++
	}
	c.transition(Retired)
	if c.recalled {
		c.end(ErrGone)
		c.Up.Keeper.Disowned(c, &ask.Failure{Kind: ask.Lost, Sent: true, Server: c.server.Name, Cause: ErrGone})
		return
	}
	c.end(ErrRetired)
	if c.own {
		c.Up.Keeper.Disowned(c, c.server.Stopping)
	}
}

// Drain refuses new requests and retires the connection once it owes nothing.
func (c *Conn) Drain() {
	switch {
	case c.state == Retired || c.state == Draining:
	case c.state == Ready && c.Ring.Len() > 0:
		c.down = c.server.Stopping
		c.transition(Draining)
	default:
		c.Retire()
	}
}

// failAndBackOff makes requests fail at once until the server answers again, and plans the next dial
// with a doubled pause.
func (c *Conn) failAndBackOff(cause error) {
	c.waitForDial, c.denied, c.failedAt = false, false, c.dialledAt
	if c.state == Ready {
		c.failedAt = c.Up.Loop.Now
	}
	c.down = &ask.Failure{Kind: ask.Down, Server: c.server.Name, Cause: cause}
	c.backoff, c.retryAt = c.Up.BackOff(c.backoff)
}

// Leave has a connection that is Ready take nothing more, and write what it holds.
func (c *Conn) Leave() {
	c.Up.Counters.Left++
	c.down = c.server.Stopping
	c.endRenewal()
	c.transition(Draining)
	c.MarkDirty()
}

// Arrived counts out a request that was sent again and has ended, or is to be sent once more.
func (c *Conn) Arrived(e *queue.Pending) {
	if e.Is.Hops() == 0 || e.Recv == nil || e.Is.Has(queue.Reading) {
		return
	}
	client, _, _ := e.Client()
	c.Up.Orders.Arrived(client, c)
}

// loseOwn is lose for an own connection.
func (c *Conn) loseOwn(reason stats.DisconnectReason, cause error) {
	if c.Owner != nil || c.state != Ready {
		c.Up.Log.lost(c, reason, cause)
	}
	c.transition(Retired) // first: those whose requests end may give the connection back
	c.end(cause)
	c.Up.Keeper.Disowned(c, &ask.Failure{Kind: ask.Lost, Sent: true, Server: c.server.Name, Cause: cause})
}
