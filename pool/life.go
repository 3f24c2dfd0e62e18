package pool

import (
	"log/slog"

	"ringmaster/pool/ask"
	"ringmaster/pool/conn"
	"ringmaster/shard"
	"ringmaster/stats"
)

// New makes the loop's pool for the servers of m. Nothing is dialled before Start.
func New(loop *Loop, cfg conn.Config, m *shard.Map, st *stats.Upstream, log *slog.Logger) *Pool {
	p := &Pool{
		Loop: loop, Upstream: conn.Upstream{Loop: &loop.Loop, Config: &cfg, Counters: st, Log: conn.Logger{Log: log}}, m: m, at: map[string]int{}, rings: map[conn.Key]*Rings{}, own: owned{all: map[*conn.Conn]struct{}{}, spare: map[spareKey][]*conn.Conn{}}, maxDB: int(^uint(0) >> 1),
		lanes:  map[laneKey]*lanes{},
		probes: map[*conn.Conn]*busyProbe{}, probers: map[*conn.Server]*prober{},
	}
	p.keepConns()
	calm := loop.calm()
	for i := range m.Len() {
		s := m.Server(i)
		p.register(i, s.Addr)
		p.servers = append(p.servers, p.newServer(i, s.Name, s.Addr))
		if calm {
			p.servers[i].GraceUntil = p.Now + int64(cfg.DialTimeout)
		}
		if s.Addr == "" {
			st.Servers[i].State = stats.ServerGone
		}
	}
	p.assign(m)
	p.noteUnescaped()
	loop.pools = append(loop.pools, p)
	return p
}

// Start opens the connections that every session begins with.
func (p *Pool) Start() { p.openRings(conn.Key{Proto: 2}) }

// Rings gives the connections for key, and opens them when there are none. nil: the servers have
// said that there is no such database, and NoDB has their words; or MaxRings are in use.
func (p *Pool) Rings(key conn.Key) *Rings {
	if r := p.rings[key]; r != nil {
		r.retry()
		return r
	}
	if key.DB >= p.maxDB || len(p.rings) >= MaxRings && !p.makeRoom() {
		return nil
	}
	return p.openRings(key)
}

// openRings makes the connections for key and begins to dial them.
func (p *Pool) openRings(key conn.Key) *Rings {
	r := &Rings{Group: conn.Group{ForKey: key, First: key == conn.Key{Proto: 2}, IdleSince: p.Now}, pool: p}
	p.rings[key] = r
	for i := range p.servers {
		r.serve(i)
	}
	return r
}

// tick looks at deadlines and backoffs.
func (p *Pool) tick() {
	p.expireBegun()
	for key, r := range p.rings {
		for _, c := range r.conns {
			c.Tick()
		}
		if key != (conn.Key{Proto: 2}) && r.idle() && p.Now-r.IdleSince > idleRings {
			p.remove(r)
		}
	}
	p.tickOwn()
	p.tickLanes()
	p.tickLeaving()
	p.tickResends()
}

// Stop closes every connection; what is owed fails.
func (p *Pool) Stop() {
	p.Stopped = true
	for _, r := range p.rings {
		for _, c := range r.conns {
			if c.State() != conn.Retired {
				c.Retire()
			}
		}
	}
	for c := range p.own.all {
		c.Retire()
	}
	for _, c := range p.leaving {
		if c.State() != conn.Retired {
			c.Retire()
		}
	}
	p.leaving, p.Counters.Draining = nil, 0
	p.tickLanes()
	p.tickResends()
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

// Reset closes every connection and dials again: nothing is known of what a panic has left half done.
func (l *Loop) Reset() { l.CloseAll() }

// keepConns has the pool be told of its connections.
func (p *Pool) keepConns() {
	p.Keeper = conn.Keeper{
		Ready: p.ready, Failed: p.connFailed, NoDatabase: p.noDatabase, Hello: p.noteHello, Ended: p.endProbe,
		Disowned: p.disowned, Returned: p.returned, Unblock: p.unblock, Rejoin: p.rejoin, Drained: p.drained, Remade: p.remade, Ticked: p.ticked,
		LaneFreed: p.laneFreed,
		Lane:      func(c *conn.Conn, r ask.Request) *ask.Failure { return p.laneOf(c).put(c, &r) },
		Detour:    p.detour, ReadLater: p.readLater, Save: p.save, Refuses: p.refuses, Redirect: p.redirect, Ran: p.ran,
		RefusedWrite: p.refusedWrite, Unescaped: p.noteUnescaped, Changed: p.updateState,
	}
}
