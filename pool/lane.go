package pool

import (
	"bytes"
	"ringmaster/pool/ask"
	"slices"
)

// Where a server does not escape what a carrier holds, carriers go over lanes: connections that nobody shares. Each has one
// carrier under way, and gets the next when the fence after it was answered. A reply too many has nobody to reach there.

// laneKey tells apart lanes that can't stand in for each other.
type laneKey struct {
	server *Server
	key    Key
}

// lanes are the connections for the carriers of one protocol and database to one server, and what waits for them. They are the
// Owner of those connections. Loop-only.
//
// Invariant: pool.queued == the sum of all queues.
type lanes struct {
	ask.Nobody
	pool    *Pool
	server  *Server
	key     Key
	conns   []*Conn
	queue   []waiting // from head on
	head    int
	bytes   int   // of the queue
	retryAt int64 // when to dial again after a failure, ns
	pause   int64 // the latest pause before that, ns
}

const (
	// maxLanes bounds the lanes of one protocol and database to one server. A server runs one script at a time: more than a few
	// only make up for the way there.
	maxLanes = 16
	// idleLane is how long an unused lane stays, ns.
	idleLane = 60e9
)

// laneOf gives the lanes beside a shared connection.
func (p *Pool) laneOf(c *Conn) *lanes {
	at := laneKey{c.server, c.rings.key}
	l := p.lanes[at]
	if l == nil {
		l = &lanes{pool: p, server: c.server, key: at.key}
		p.lanes[at] = l
	}
	return l
}

// waiting is a request that waits for a lane. Its Raw is the queue's.
type waiting struct {
	ask.Request
	at int64 // when it was sent, ns
}

// put has r wait for a lane. shared is the connection that it would take otherwise, which knows whether the server is there.
func (l *lanes) put(shared *Conn, r *ask.Request) *ask.Failure {
	f := shared.admit(0, 1)
	if f == nil && (l.len() >= l.pool.cfg.MaxPending || l.bytes > 0 && l.bytes+len(r.Raw) > l.pool.cfg.MaxPendingBytes) {
		f = l.server.overloaded
	}
	if f != nil {
		if !r.Stays() {
			return shared.detour(pendingOf(r, l.pool.Now), r.Raw, f)
		}
		return f
	}
	one := waiting{*r, l.pool.Now}
	one.Raw = bytes.Clone(r.Raw)
	l.queue = append(l.queue, one)
	l.bytes += len(one.Raw)
	l.pool.queued++
	l.pump()
	return nil
}

// len is how many requests wait.
func (l *lanes) len() int { return len(l.queue) - l.head }

// take takes the oldest request off the queue.
func (l *lanes) take() waiting {
	r := l.queue[l.head]
	l.queue[l.head] = waiting{}
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
func (l *lanes) freed(c *Conn) {
	if c.stale != fresh {
		c.renew()
		return
	}
	if l.server.unsure && l.pool.Now-c.readyAt > int64(askAgain) {
		c.retire() // the login of the next one asks again
		return
	}
	l.pump()
}

// askAgain is how long a lane is used while the server could not say whether it escapes, ns.
const askAgain = 1e9

// free is a lane that has nothing under way; nil: there is none.
func (l *lanes) free() *Conn {
	for _, c := range l.conns {
		if c.state == Ready && c.stale == fresh && c.ring.Len() == 0 && c.out.Size == 0 {
			return c
		}
	}
	return nil
}

// pump sends what waits over the lanes that are free, and dials more where they are too few.
func (l *lanes) pump() {
	for l.len() > 0 {
		c := l.free()
		if c == nil {
			break
		}
		r := l.take()
		if r.Batch.Requests > 0 && !c.multi {
			l.pool.failWaiting(&r, &ask.Failure{Kind: ask.NoMulti, Server: l.server.Name})
			continue
		}
		c.rings.idleSince = l.pool.Now
		c.putCarried(&r.Request, r.at)
	}
	l.dial(l.len())
}

// dial makes lanes for what waits, of which there are n.
func (l *lanes) dial(n int) {
	p := l.pool
	if p.stopped || p.Now < l.retryAt || l.server.goneAt > 0 && !l.server.left {
		return
	}
	coming := 0
	for _, c := range l.conns {
		if c.state != Ready {
			coming++
		}
	}
	for ; coming < n && len(l.conns) < maxLanes && (len(l.conns) == 0 || p.unpinned < p.MaxOwn); coming++ {
		c := p.newOwn(l.server, l.key)
		c.owner, c.lane = l, l
		p.lent++
		p.unpinned++
		p.stats.OwnLent++
		l.conns = append(l.conns, c)
	}
}

// failWaiting ends a request that was not sent.
func (p *Pool) failWaiting(r *waiting, f *ask.Failure) {
	for i := range r.Count() {
		p.fail(r.Recv, r.Tag+uint64(i), f)
	}
}

// giveUp ends what was not sent because of f, or lets another server have it.
func (l *lanes) giveUp(r *waiting, f *ask.Failure) {
	p := l.pool
	if rings := p.rings[l.key]; rings != nil && !r.Stays() && p.servers[l.server.index] == l.server {
		if f = rings.Pick(l.server.index, 0).detour(pendingOf(&r.Request, r.at), r.Raw, f); f == nil {
			return
		}
	}
	p.failWaiting(r, f)
}

// Pushed is Owner: nothing asks for pushes on a lane.
func (l *lanes) Pushed([]byte, ask.Piece) {}

// OwnLost is Owner.
func (l *lanes) OwnLost(c *Conn, f *ask.Failure) {
	l.conns = slices.DeleteFunc(l.conns, func(o *Conn) bool { return o == c })
	p := l.pool
	p.unpinned--
	if c.readyAt != 0 && !p.stopped {
		l.pause = 0
		l.pump()
		return
	}
	l.pause, l.retryAt = p.BackOff(l.pause)
	if len(l.conns) > 0 && !p.stopped {
		return
	}
	unsent := *f
	unsent.Sent = false
	if unsent.Kind == ask.Lost {
		unsent.Kind = ask.Down
	}
	for n := l.len(); n > 0; n-- {
		r := l.take()
		l.giveUp(&r, &unsent)
	}
}

// tickLanes ends what has waited for too long, and lanes that nobody uses.
func (p *Pool) tickLanes() {
	for at, l := range p.lanes {
		l.tick()
		if len(l.conns)+l.len() == 0 {
			delete(p.lanes, at)
		}
	}
}

func (l *lanes) tick() {
	p := l.pool
	for l.len() > 0 {
		switch r := &l.queue[l.head]; {
		case p.stopped:
			one := l.take()
			p.failWaiting(&one, l.server.stopping)
			continue
		case p.late(p.Now - r.at):
			one := l.take()
			p.stats.Timeouts++
			l.server.stats.Timeouts++
			p.failWaiting(&one, l.server.timedOutUnsent)
			continue
		case l.server.goneAt > 0 && !l.server.left:
			one := l.take()
			l.giveUp(&one, l.server.lost)
			continue
		}
		break
	}
	for i := len(l.conns) - 1; i >= 0; i-- {
		c := l.conns[i]
		if c.state == Ready && c.ring.Len() == 0 && (l.server.goneAt > 0 || p.Now-c.rings.idleSince > idleLane) {
			c.retire()
		}
	}
	l.pump()
}

// laneFor is a connection over which a carrier may be sent again beside shared: itself, or a lane that is free; nil: not now.
func (p *Pool) laneFor(shared *Conn, carrier ask.Carrier) *Conn {
	if shared.own || carrier == 0 || p.apartAt(shared.server)&carrier == 0 {
		return shared
	}
	l := p.laneOf(shared)
	if l.len() > 0 {
		return nil
	}
	c := l.free()
	if c == nil {
		l.dial(1)
	}
	return c
}
