package pool

import (
	"bytes"
	"slices"

	"ringmaster/pool/ask"
	"ringmaster/pool/conn"
)

// Where a server does not escape what a carrier holds, carriers go over lanes: connections that nobody shares. Each has one
// carrier under way, and gets the next when the fence after it was answered. A reply too many has nobody to reach there.

const (
	// maxLanes bounds the lanes of one protocol and database to one server. A server runs one script at a time: more than a few
	// only make up for the way there.
	maxLanes = 16
	// idleLane is how long an unused lane stays, ns.
	idleLane = 60e9
)

// laneOf gives the lanes beside a shared connection.
func (p *Pool) laneOf(c *conn.Conn) *lanes {
	at := laneKey{c.Server(), c.Group.ForKey}
	l := p.lanes[at]
	if l == nil {
		l = &lanes{pool: p, server: c.Server(), key: at.key}
		p.lanes[at] = l
	}
	return l
}

// put has r wait for a lane. shared is the connection that it would take otherwise, which knows whether the server is there.
func (l *lanes) put(shared *conn.Conn, r *ask.Request) *ask.Failure {
	f := shared.Admit(0, 1)
	if f == nil && (l.backlogged() >= l.pool.Config.MaxPending || l.bytes > 0 && l.bytes+len(r.Raw) > l.pool.Config.MaxPendingBytes) {
		f = l.server.Overloaded
	}
	if f != nil {
		if !r.Stays() {
			return l.pool.detour(shared, *conn.PendingOf(r, l.pool.Now), r.Raw, f)
		}
		return f
	}
	one := laneRequest{*r, l.pool.Now}
	one.Raw = bytes.Clone(r.Raw)
	l.queue = append(l.queue, one)
	l.bytes += len(one.Raw)
	l.pool.queued++
	l.pump()
	return nil
}

// backlogged is how many requests wait.
func (l *lanes) backlogged() int { return len(l.queue) - l.head }

// take takes the oldest request off the queue.
func (l *lanes) take() laneRequest {
	r := l.queue[l.head]
	l.queue[l.head] = laneRequest{}
	if l.head++; l.head == len(l.queue) {
		l.queue, l.head = l.queue[:0], 0
	} else if l.head >= 64 && l.head > len(l.queue)/2 {
		n := copy(l.queue, l.queue[l.head:])
		clear(l.queue[n:])
		l.queue, l.head = l.queue[:n], 0
	}
	l.bytes -= len(r.Raw)
	l.pool.queued--
	return r
}

// freed says that c has nothing under way any more.
func (l *lanes) freed(c *conn.Conn) {
	if c.IsStale() {
		c.Renew()
		return
	}
	if l.server.Unsure && l.pool.Now-c.ReadyAt > int64(askAgain) {
		c.Retire() // the login of the next one asks again
		return
	}
	l.pump()
}

// askAgain is how long a lane is used while the server could not say whether it escapes, ns.
const askAgain = 1e9

// free is a lane that has nothing under way; nil: there is none.
func (l *lanes) free() *conn.Conn {
	for _, c := range l.conns {
		if c.Free() {
			return c
		}
	}
	return nil
}

// pump sends what waits over the lanes that are free, and dials more where they are too few.
func (l *lanes) pump() {
	for l.backlogged() > 0 {
		c := l.free()
		if c == nil {
			break
		}
		r := l.take()
		if r.Batch.Requests > 0 && !c.TakesMulti() {
			l.pool.failWaiting(&r, &ask.Failure{Kind: ask.NoMulti, Server: l.server.Name})
			continue
		}
		c.Group.IdleSince = l.pool.Now
		c.PutCarried(&r.Request, r.at)
	}
	l.dial(l.backlogged())
}

// dial makes lanes for what waits, of which there are n.
func (l *lanes) dial(n int) {
	p := l.pool
	if p.Stopped || p.Now < l.retryAt || l.server.GoneAt > 0 && !l.server.Left {
		return
	}
	coming := 0
	for _, c := range l.conns {
		if c.State() != conn.Ready {
			coming++
		}
	}
	for ; coming < n && len(l.conns) < maxLanes && (len(l.conns) == 0 || p.unpinned < p.MaxOwn); coming++ {
		c := p.newOwn(l.server, l.key)
		c.Owner, c.IsLane = l, true
		p.lent++
		p.unpinned++
		p.Counters.OwnLent++
		l.conns = append(l.conns, c)
	}
}

// failWaiting ends a request that was not sent.
func (p *Pool) failWaiting(r *laneRequest, f *ask.Failure) {
	for i := range r.Count() {
		p.Fail(r.Recv, r.Tag+uint64(i), f)
	}
}

// giveUp ends what was not sent because of f, or lets another server have it.
func (l *lanes) giveUp(r *laneRequest, f *ask.Failure) {
	p := l.pool
	if rings := p.rings[l.key]; rings != nil && !r.Stays() && p.servers[l.server.Index()] == l.server {
		if f = p.detour(rings.Pick(l.server.Index(), 0), *conn.PendingOf(&r.Request, r.at), r.Raw, f); f == nil {
			return
		}
	}
	p.failWaiting(r, f)
}

// Pushed is Owner: nothing asks for pushes on a lane.
func (l *lanes) Pushed([]byte, ask.Piece) {}

// OwnLost is Owner.
func (l *lanes) OwnLost(c *conn.Conn, f *ask.Failure) {
	l.conns = slices.DeleteFunc(l.conns, func(o *conn.Conn) bool { return o == c })
	p := l.pool
	p.unpinned--
	if c.ReadyAt != 0 && !p.Stopped {
		l.pause = 0
		l.pump()
		return
	}
	l.pause, l.retryAt = p.BackOff(l.pause)
	if len(l.conns) > 0 && !p.Stopped {
		return
	}
	unsent := *f
	unsent.Sent = false
	if unsent.Kind == ask.Lost {
		unsent.Kind = ask.Down
	}
	for n := l.backlogged(); n > 0; n-- {
		r := l.take()
		l.giveUp(&r, &unsent)
	}
}

// tickLanes ends what has waited for too long, and lanes that nobody uses.
func (p *Pool) tickLanes() {
	for at, l := range p.lanes {
		l.tick()
		if len(l.conns)+l.backlogged() == 0 {
			delete(p.lanes, at)
		}
	}
}

func (l *lanes) tick() {
	p := l.pool
	for l.backlogged() > 0 {
		switch r := &l.queue[l.head]; {
		case p.Stopped:
			one := l.take()
			p.failWaiting(&one, l.server.Stopping)
			continue
		case p.Late(p.Now - r.at):
			one := l.take()
			p.Counters.Timeouts++
			l.server.Stats.Timeouts++
			p.failWaiting(&one, l.server.TimedOutUnsent)
			continue
		case l.server.GoneAt > 0 && !l.server.Left:
			one := l.take()
			l.giveUp(&one, l.server.Lost)
			continue
		}
		break
	}
	for i := len(l.conns) - 1; i >= 0; i-- {
		c := l.conns[i]
		if c.State() == conn.Ready && c.Ring.Len() == 0 && (l.server.GoneAt > 0 || p.Now-c.Group.IdleSince > idleLane) {
			c.Retire()
		}
	}
	l.pump()
}

// laneFor is a connection over which a carrier may be sent again beside shared: itself, or a lane that is free; nil: not now.
func (p *Pool) laneFor(shared *conn.Conn, carrier ask.Carrier) *conn.Conn {
	if shared.Own() || carrier == 0 || p.ApartAt(shared.Server())&carrier == 0 {
		return shared
	}
	l := p.laneOf(shared)
	if l.backlogged() > 0 {
		return nil
	}
	c := l.free()
	if c == nil {
		l.dial(1)
	}
	return c
}
