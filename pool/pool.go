package pool

import (
	"bytes"
	"log/slog"
	"time"

	"ringmaster/pool/answer"
	"ringmaster/pool/ask"
	"ringmaster/pool/conn"
	"ringmaster/shard"
	"ringmaster/stats"
)

// idleRings is how long the connections of a protocol and database stay when no session uses
// them, in ns. Those of protocol 2, database 0 stay always.
const idleRings = 60e9

// MaxRings bounds the protocols and databases that a loop has connections for at once. Else a client that
// selects one database after the other could open any number.
const MaxRings = 256

// Pool is all connections of one event loop to one upstream. Loop-only.
type Pool struct {
	*Loop
	conn.Upstream

	servers     []*conn.Server
	health      conn.Health
	start       time.Time      // when Now was 0
	nextReplica int            // for reads: of those that are as good
	at          map[string]int // by address: the server's number
	rings       map[conn.Key]*Rings
	own         owned
	probes      map[*conn.Conn]*busyProbe // of connections that a script holds up
	probers     map[*conn.Server]*prober
	maxDB       int          // databases from here on were refused
	noDB        []byte       // with these words
	leaving     []*conn.Conn // to servers that are gone
	asked       []byte       // a witness that is being put together
	copied      []byte       // a request that is being sent again
	named       []byte       // an address that is being put together
	m           *shard.Map

	resends     resends   // that wait, in the order of their clients
	freeResends resends   // that wait and may overtake others
	version     []byte    // of the servers, as the last HELLO told
	hellos      [4][]byte // by protocol: the last reply to HELLO

	lanes  map[laneKey]*lanes
	queued int         // requests that wait for a lane
	apart  ask.Carrier // what goes over lanes at some server
}

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
		p.place(i, s.Addr)
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

// LowMemory reports whether a server may lack memory for what clients want: it has said so lately. Loop-only.
func (p *Pool) LowMemory(server int) bool { return p.servers[server].LowMemory }

// SetLowMemory notes that a server may lack memory, or that it does not. Loop-only.
func (p *Pool) SetLowMemory(server int, low bool) { p.servers[server].LowMemory = low }

// Start opens the connections that every session begins with.
func (p *Pool) Start() { p.open(conn.Key{Proto: 2}) }

// Default are the connections that every session begins with. Start must have been called.
func (p *Pool) Default() *Rings { return p.rings[conn.Key{Proto: 2}] }

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
	return p.open(key)
}

// open makes the connections for key and begins to dial them.
func (p *Pool) open(key conn.Key) *Rings {
	r := &Rings{Group: conn.Group{ForKey: key, First: key == conn.Key{Proto: 2}, IdleSince: p.Now}, pool: p}
	p.rings[key] = r
	for i := range p.servers {
		r.serve(i)
	}
	return r
}

// NoDB is the error reply of a server that has no database db; nil: none has said so.
func (p *Pool) NoDB(db int) []byte {
	if db < p.maxDB {
		return nil
	}
	return p.noDB
}

// forgetDatabases lets databases be tried again: a server that comes back may have others.
func (p *Pool) forgetDatabases() { p.maxDB = int(^uint(0) >> 1) }

// remove drops rings whose database the servers refused.
func (p *Pool) remove(r *Rings) {
	if r.Refused != nil && r.ForKey.DB < p.maxDB {
		p.maxDB, p.noDB = r.ForKey.DB, r.Refused
	}
	delete(p.rings, r.ForKey)
	for _, c := range r.conns {
		c.Drain()
	}
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

// Down gives, for each primary without a ready connection, why. One that has come while all others were connected has the dial timeout to
// be so, too. Loop-only.
func (p *Pool) Down() (down []*ask.Failure) {
	for i, s := range p.servers {
		if s.Ready > 0 || s.Addr == "" || s.Replica {
			continue
		}
		if c := p.Default().Pick(i, 0); !c.WaitsForDial() || p.Now >= s.GraceUntil {
			down = append(down, c.Down())
		}
	}
	return down
}

// calm reports whether every server of the loop is connected, so that new ones are no trouble yet.
func (l *Loop) calm() bool {
	for _, p := range l.pools {
		if !p.Stopped && (p.Default() == nil || len(p.Down()) > 0) {
			return false
		}
	}
	return len(l.pools) > 0
}

// Version is the version that the servers say they have, such as "7.0.15"; empty while unknown.
func (p *Pool) Version() []byte { return p.version }

// Hello is what a server answered last to HELLO with this protocol, 2 or 3; empty: none has. Valid until the next callback.
func (p *Pool) Hello(proto int) []byte { return p.hellos[proto] }

// noteHello takes what is told of the servers from a reply to HELLO.
func (p *Pool) noteHello(proto int, hello []byte) {
	p.hellos[proto] = append(p.hellos[proto][:0], hello...)
	if v := answer.VersionIn(hello); len(v) > 0 && !bytes.Equal(p.version, v) {
		p.version = bytes.Clone(v)
	}
}

// Stats are the counters of a server, by its number. Loop-only.
func (p *Pool) Stats(server int) *stats.Server { return p.Counters.Servers[server] }

// Username is the user as which connections log in; "": the servers' default. Loop-only.
func (p *Pool) Username() string { return p.Config.Username }

// LogsIn reports whether connections give a password. Loop-only.
func (p *Pool) LogsIn() bool { return p.Config.Password != "" }

// Timeout is the longest a request may wait for its reply.
func (p *Pool) Timeout() time.Duration { return p.Config.Timeout }

// each calls f for every connection.
func (p *Pool) each(f func(*conn.Conn)) {
	for _, r := range p.rings {
		for _, c := range r.conns {
			f(c)
		}
	}
	for _, c := range p.leaving {
		f(c)
	}
	for c := range p.own.all {
		f(c)
	}
}
