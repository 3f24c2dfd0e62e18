package pool

import (
	"bytes"
	"time"

	"ringmaster/pool/answer"
	"ringmaster/pool/ask"
	"ringmaster/pool/conn"
	"ringmaster/pool/queue"
	"ringmaster/shard"
	"ringmaster/stats"
)

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

// LowMemory reports whether a server may lack memory for what clients want: it has said so lately. Loop-only.
func (p *Pool) LowMemory(server int) bool { return p.servers[server].LowMemory }

// SetLowMemory notes that a server may lack memory, or that it does not. Loop-only.
func (p *Pool) SetLowMemory(server int, low bool) { p.servers[server].LowMemory = low }

// Default are the connections that every session begins with. Start must have been called.
func (p *Pool) Default() *Rings { return p.rings[conn.Key{Proto: 2}] }

// NoDB is the error reply of a server that has no database db; nil: none has said so.
func (p *Pool) NoDB(db int) []byte {
	if db < p.maxDB {
		return nil
	}
	return p.noDB
}

// forgetDatabases lets databases be tried again: a server that comes back may have others.
func (p *Pool) forgetDatabases() { p.maxDB = int(^uint(0) >> 1) }

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

// Rings are the connections of one Key to all servers. Loop-only.
type Rings struct {
	conn.Group
	pool  *Pool
	conns []*conn.Conn // server-major: conns[server*perServer+i]

	sessions int
	waiting  int // their requests that wait to be sent again
	cause    error
	failure  error // why the latest connection failed; nil: none has
	waiters  []ask.Client
}

// lanes are the connections for the carriers of one protocol and database to one server, and what waits for them. They are the
// Owner of those connections. Loop-only.
//
// Invariant: pool.queued == the sum of all queues.
type lanes struct {
	ask.Nobody
	pool    *Pool
	server  *conn.Server
	key     conn.Key
	conns   []*conn.Conn
	queue   []laneRequest // from head on
	head    int
	bytes   int   // of the queue
	retryAt int64 // when to dial again after a failure, ns
	pause   int64 // the latest pause before that, ns
}

// laneKey tells apart lanes that can't stand in for each other.
type laneKey struct {
	server *conn.Server
	key    conn.Key
}

// laneRequest is one that waits for a lane. Its Raw is the queue's.
type laneRequest struct {
	ask.Request
	at int64 // when it was sent, ns
}

// owned is the connections of one loop that belong to one session each, and those that may be lent.
//
// Invariant: spare holds those without an owner, each Ready and owing nothing that anybody waits for.
type owned struct {
	all   map[*conn.Conn]struct{}
	spare map[spareKey][]*conn.Conn
	warm  map[spareKey][]*conn.Conn // being dialled for nobody yet
}

// spareKey tells apart connections that may stand in for each other.
type spareKey struct {
	server int
	key    conn.Key
}

// busyProbe asks a server that a script keeps busy for its word on it. Clients with connections of their own would get
// that word; on a shared one they would wait behind the script for as long as it runs.
type busyProbe struct {
	ask.Nobody
	pool   *Pool
	shared *conn.Conn
	head   uint64 // the script's place in the shared connection's ring
	asked  bool
	at     int64  // when it was asked, or answered
	reply  []byte // so far
}

// prober is the Owner of the connection over which a server is asked. There is one for each server, and it is kept: a server
// that is slow gets no new connections just because of that.
type prober struct {
	ask.Nobody
	pool   *Pool
	server *conn.Server
	conn   *conn.Conn // nil: there is none
	tried  int64      // when it was dialled last, ns; 0: never
}

// policy is how something is sent again.
type policy uint8

const (
	// inOrder: no request of its client overtakes it, and it overtakes none (package order). Requests of which a server was wrong.
	inOrder policy = iota
	// asBatch is inOrder for a batch, which waits until the server is known to take MULTI where it goes.
	asBatch
	// freely: it only reads, and may overtake others: the read policy has reads go to several servers at once. Reads whose server is lost.
	freely
)

// resend is a request, or a batch, that waits to be sent again, or is about to be.
type resend struct {
	policy  policy
	raw     []byte
	request queue.Pending
	rings   *Rings
	nth     int
	server  int // the server that it is for, as far as is known; with freely: that a node has named, below 0: it goes by the policy
	asking  bool
	at      int64 // when to send it, ns

	// With freely.
	primary int  // whose keys it reads
	sent    bool // a server has had it

	// Otherwise.
	batch   *Resend // nil: it is one request
	client  ask.Client
	place   uint64
	last    bool // nothing of the client was sent after it
	unnamed bool // the node that was named is not known
	slot    int  // its hash slot; -1: not known
	reads   bool // it changes nothing
	// It is not sent before that connection has answered what the client had sent after it: if that runs, this must not.
	after   *conn.Conn
	until   uint64
	back    bool   // it was sent again before
	refused bool   // a server has refused it
	doubt   *doubt // nil: there is none whether that was the server
}

// resends are the resends that wait. Those in the order of their clients are one queue, and those that go freely another.
//
// Invariant: bytes is the sum of the sizes of all that wait; of a client none is after one that it has sent later.
type resends struct {
	list  []resend
	bytes int
}

// Resend is a batch that may be sent again. Its Raw must not change before the batch has ended, and its tags begin at 0.
type Resend struct {
	ask.Request
	Rings  *Rings
	Seat   uint64
	Server int
	Slot   int        // of its keys; -1: it has none
	Reads  bool       // it changes nothing
	Since  int64      // when it was sent first, ns
	From   *conn.Conn // that it was sent over; set when it is sent again
}

// doubt is a carrier's reply of which it is open whether the server has said it, or what it ran.
type doubt struct {
	ask.Nobody
	conn      *conn.Conn // over which both replies come
	reply     []byte
	witness   []byte // so far
	heard     bool   // the witness is whole
	lost      *ask.Failure
	overtaken bool // a later command of the client for the same keys has run
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
