package pool

import "ringmaster/pool/conn"

// Loop is what the upstreams of one event loop share: its connections' clock and lists, and the budget of connections that are lent.
// Loop-only.
type Loop struct {
	conn.Loop
	// MaxOwn bounds the connections that the loop lends to single sessions, to all servers of all upstreams together.
	MaxOwn int

	pools []*Pool
	// lent are the connections with an owner, and unpinned those of them that no session has: lanes, and those that ask about busy
	// scripts.
	lent, unpinned int
}

// NewLoop makes a loop without upstreams. maxOwn is MaxOwn.
func NewLoop(maxOwn int) *Loop {
	l := &Loop{Loop: conn.NewLoop(), MaxOwn: maxOwn}
	l.Each = l.eachConn
	return l
}

// Tick looks at deadlines, backoffs and full sockets. The event loop calls it every few milliseconds.
func (l *Loop) Tick() {
	l.BeginTick()
	for i := 0; i < len(l.pools); i++ {
		l.pools[i].tick()
	}
	l.EndTick()
}

// eachConn calls f for every connection of the loop.
func (l *Loop) eachConn(f func(*conn.Conn)) {
	for _, p := range l.pools {
		p.each(f)
	}
}
