package pool

import (
	"math/rand/v2"

	"ringmaster/pool/ask"
	"ringmaster/pool/queue"
	"ringmaster/stats"
)

// Loop is what the upstreams of one event loop share: its clock, its buffers, the connections that have something to write or want
// to be dialled, and the budget of connections that are lent. Loop-only.
type Loop struct {
	// Now is the time of this turn, ns since some fixed point. The event loop sets it.
	Now int64
	// InFlight is the number of requests that replies are owed to.
	//
	// InFlight == sum of the lengths of all upstreams' rings.
	InFlight int
	// Buffers are the loop's.
	Buffers queue.Buffers
	// OnPanic is told of a panic in what a pool does for whom; nil: that is not known, or nobody's alone.
	OnPanic func(whom ask.Client, cause any)
	// MaxOwn bounds the connections that the loop lends to single sessions, to all servers of all upstreams together.
	MaxOwn int

	pools   []*Pool
	dirty   []*Conn
	urgent  bool    // a dirty connection holds at least urgentSize
	backlog []*Conn // more to write than their sockets should hold
	dials   []*Conn
	delayed []*Conn // dials for the next tick
	frozen  int     // connections that were frozen since the latest tick (renew.go)
	// The Receiver that was called last in this turn, or the Owner if that is not nil.
	serving      ask.Receiver
	servingOwner Owner
	// lent are the connections with an owner, and unpinned those of them that no session has: lanes, and those that ask about busy
	// scripts.
	lent, unpinned int
	random         *rand.Rand
	secret         *rand.ChaCha8 // makes nonces
}

// NewLoop makes a loop without upstreams. maxOwn is MaxOwn.
func NewLoop(maxOwn int) *Loop {
	return &Loop{MaxOwn: maxOwn, random: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())), secret: rand.NewChaCha8(seed())}
}

// Flush writes what the turn has queued.
func (l *Loop) Flush() {
	for i := 0; i < len(l.dirty); i++ {
		c := l.dirty[i]
		l.dirty[i] = nil
		c.flush()
	}
	l.dirty = l.dirty[:0]
	l.urgent, l.serving, l.servingOwner = false, nil, nil
}

// Urgent reports whether a connection holds enough for a write before the turn's end.
func (l *Loop) Urgent() bool { return l.urgent }

// Dirty reports whether a connection has something to write.
func (l *Loop) Dirty() bool { return len(l.dirty) > 0 }

// Backlogged reports whether a socket's buffer is full, or there are more dials, so that Tick should come soon.
func (l *Loop) Backlogged() bool { return len(l.backlog)+len(l.delayed) > 0 }

// WantsDial reports whether TakeDials has something to give.
func (l *Loop) WantsDial() bool { return len(l.dials) > 0 }

// TakeDials gives each connection that wants a socket to dial, once; when they are many, the others after the next tick.
func (l *Loop) TakeDials(dial func(*Conn)) {
	for given := 0; len(l.dials) > 0; {
		dials := l.dials
		l.dials = nil
		if over := given + len(dials) - atOnce; over > 0 {
			l.delayed = append(l.delayed, dials[len(dials)-over:]...)
			dials = dials[:len(dials)-over]
		}
		for _, c := range dials {
			if c.state == Dialing {
				dial(c)
				given++
			}
		}
	}
}

// Tick looks at deadlines, backoffs and full sockets. The event loop calls it every few milliseconds.
func (l *Loop) Tick() {
	l.frozen = 0
	for i := 0; i < len(l.pools); i++ {
		l.pools[i].tick()
	}
	l.dials = append(l.dials, l.delayed...)
	l.delayed = l.delayed[:0]
	backlog := l.backlog
	l.backlog = nil
	for _, c := range backlog {
		c.flush()
	}
}

// Random is a number in [0, n).
func (l *Loop) Random(n int) int { return l.random.IntN(n) }

// each calls f for every connection of the loop.
func (l *Loop) each(f func(*Conn)) {
	for _, p := range l.pools {
		p.each(f)
	}
}

// Distrust closes the connections that are out of step: a panic may have come between a request's bytes and its place in the ring.
func (l *Loop) Distrust() {
	var odd []*Conn
	l.each(func(c *Conn) {
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
	for _, c := range l.dirty {
		if c != nil {
			c.dirty, c.behind = false, false
		}
	}
	l.dirty, l.backlog, l.urgent = nil, nil, false
	var open []*Conn
	l.each(func(c *Conn) {
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
	l.each(func(c *Conn) { l.InFlight += c.ring.Waiting() })
}
