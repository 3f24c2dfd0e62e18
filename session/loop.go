package session

import (
	"log/slog"
	"time"

	"ringmaster/auth"
	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session/roster"
	"ringmaster/shard"
	"ringmaster/stats"
)

// Loop is what all sessions of one event loop share, whatever upstream they use: the lists of the turn, scratch space, work that is
// done in pieces, and what all clients together may have. Loop-only.
type Loop struct {
	Clock *pool.Loop
	Stats *stats.Loop
	// Attempts remembers failed logins.
	Attempts *auth.Attempts
	// Log takes what operators should read; nil: nobody does.
	Log *slog.Logger
	// Notify takes what operators should read about clients, and never waits; nil: nobody does.
	Notify func(Notice)
	// Number and Loops number this loop among all, so that client IDs are unique.
	Number, Loops int
	// ClientMemory bounds what clients of all loops together may leave unread, bytes; those who have read all go on. 0: no bound.
	ClientMemory int
	// FarewellTime is how long servers have, when the proxy stops, to say whether a client that waits in a blocking command was served.
	FarewellTime time.Duration
	// AddOutput adds to the bytes that clients of this loop have not read, and gives those of all loops; nil: there is no other.
	AddOutput func(n int) (all int)

	// Dispatch takes each request of a client and sends it on its way. Borrows the request until return.
	Dispatch func(s *Session, req *parser.Request)
	// Route sends a request that has waited to the servers that its class and keys name.
	Route func(s *Session, spec *command.Spec, raw []byte)

	// Features are what the core calls without knowing them, in the order in which it calls them. They are set once.
	Features features

	envs  []*Env
	count uint64 // sessions ever made on this loop
	due   due    // sessions at which the turn's end looks
	work
	scratch
	underway

	Gate      any   // where logins wait (gate.go); nil: none has so far
	Farewells any   // clients that wait at servers while the proxy stops (farewell.go); nil: none so far
	nextIdle  int64 // when idle clients are looked for again, ns
	panics    panics

	readers readers
	lending lending
}

// scratch is memory that commands use one after another, within a turn of the loop. Whoever needs it for longer copies it.
type scratch struct {
	Req      parser.Request // the request being dispatched
	Memo     command.Memo
	Keys     []int
	Build    []byte // a command of the proxy's own, for the connections to copy
	Scratch  []byte // a reply of the proxy's own
	Outcomes any    // what can be used again (outcome.go); nil: nothing so far
	Gathers  any    // what gathers use (gather.go); nil: nothing so far
}

// MaxScratch bounds each scratch buffer that a loop keeps, bytes.
const MaxScratch = 1 << 20

// letGo forgets a large request, so that the loop's scratch does not keep its buffers alive.
func (c *scratch) letGo() {
	if cap(c.Req.Args) > MaxScratch/24 {
		c.Req.Args = nil
	}
	clear(c.Req.Args[:cap(c.Req.Args)])
	c.Req.Raw = nil
	if cap(c.Build) > MaxScratch {
		c.Build = nil
	}
	if cap(c.Scratch) > MaxScratch {
		c.Scratch = nil
	}
}

// forget drops what a panic may have left half done.
func (c *scratch) forget() {
	c.Scratch, c.Build, c.Keys, c.Gathers = nil, nil, nil, nil
	c.Req.Args, c.Req.Raw = nil, nil
}

// underway is in what manner the command is carried out that is being dispatched. Between commands it is the zero value.
type underway struct {
	Answering *Outer   // EXEC's reply, one of whose commands is being run; nil: none
	Asking    *Session // the client whose command it is, for its line in CLIENT LIST
	Capture   *[]byte  // where answers of the proxy's own go instead of to the client; nil: to the client
	Replaying bool     // a postponed command is being sent
	apart     bool     // a carrier is being sent that has waited for what its client had under way
	PastGate  bool     // a login that has waited is carried out
}

// WaitsAt reports whether the servers keep waiting what is being sent over conn.
func (u *underway) WaitsAt(conn *pool.Conn) bool { return u.Replaying && conn.Own() }

// Manner is how a request with keys is sent over conn: one that the servers keep waiting has all the time it needs.
func (u *underway) Manner(conn *pool.Conn) pool.Manner {
	if u.WaitsAt(conn) {
		return pool.Blocks
	}
	return 0
}

// Door is what the clients of a listener share on a loop: what they may do, and the upstream that their commands go to. Loop-only.
type Door struct {
	*Env
	Config Config
	Rules  *Rules
	Policy *auth.Policy

	unreadFrom int  // from where on unread output makes a client's window smaller, bytes
	clients    int  // sessions
	shut       bool // its clients finish (remove.go)
	cutting    bool // a job closes those that have not
}

// Env is what the sessions of one loop share whose commands go to the same upstream. Loop-only.
type Env struct {
	*Loop
	Upstream Upstream
	Pool     *pool.Pool
	Map      *shard.Map

	Version uint16 // of Map
	Lessons any    // commands that the table does not know (learn.go); nil: none so far
	Roster  roster.Roster[*Session]

	// Peers reaches the same upstream on the other loops; nil: there are none.
	Peers     Peers
	Hub       any // its subscriptions
	Doors     []*Door
	deadlines []deadline   // in the order in which they pass
	Later     []func(*Env) // send again, at the next tick, what waits for it
	Tracking  any          // where invalidations go (tracking_redirect.go)
	Pause     Pause
	BusyText  []byte         // what the other loops know of this one
	BusyOn    map[int][]byte // by loop: what a server says of a script that holds up its connection
	held      []*Session     // those that wait for the next tick
	Moves     any            // commands that wait at servers which their keys have left (blocked.go); nil: none so far
}

// Single reports whether one server holds all keys, so that every command goes there whole.
func (e *Env) Single() bool { return len(e.Map.Shards()) == 1 && !e.Upstream.Sharded }

// Home is the server for what has no key: the first, so that it is always the same one.
func (e *Env) Home() int { return e.Map.Shards()[0] }

// NextID is the ID of the next client.
func (l *Loop) NextID() uint64 { return l.idOf(l.count) }

// idOf is the ID of the loop's nth client.
func (l *Loop) idOf(n uint64) uint64 { return n*uint64(l.Loops) + uint64(l.Number) + 1 }

// due are the clients at which the end of the loop's turn looks. Loop-only.
type due struct {
	dirty  []*Session // with output, or to be closed
	resume []*Session // whose wait is over
}

// flush has the session flushed at the end of the turn.
func (d *due) flush(s *Session) {
	if !s.dirty && s.State != Closed {
		s.dirty = true
		d.dirty = append(d.dirty, s)
	}
}

// panics is what a loop keeps of them.
type panics struct {
	at     int64  // when the last was logged, ns; 0: none was
	hidden uint64 // since then
}

// readers is what a loop knows of how its clients read. Loop-only.
type readers struct {
	bytes   int        // that clients have not read, or that wait for their turn
	told    int        // of that, what the other loops know
	slow    []*Session // with unread output
	next    int        // of slow, which is looked at next
	pressed bool       // the clients of all loops together have more than ClientMemory
	hurried bool       // one that waits for its own reading is at it
}

// watch has ticks look at a client until it has read all.
func (r *readers) watch(s *Session, now int64) {
	if a := s.Out.besides(); a.readAt == 0 {
		a.readAt = max(now, 1)
		r.slow = append(r.slow, s)
	}
}

// unwatch takes the nth client off those that are looked at.
func (r *readers) unwatch(n int) {
	last := len(r.slow) - 1
	r.slow[n].Out.aside.readAt = 0
	r.slow[n].Out.tidy()
	r.slow[n] = r.slow[last]
	r.slow[last] = nil
	r.slow = r.slow[:last]
}

// Peers reaches the sessions of other loops, of which there is at least one.
type Peers interface {
	// Ask runs question on every other loop, and done with their answers on this one. Loop-only.
	Ask(question func(*Env) any, done func(answers []any))
	// AskSlowly is Ask for a question that a loop may need several turns to answer. Loop-only.
	AskSlowly(question func(e *Env, answer func(any)), done func(answers []any))
	// AddTopics counts topics, and AnyTopics reports whether any loop has one. Loop-only.
	AddTopics(n int)
	// AddJoining counts subscriptions under way, and AnyJoining reports whether any loop has one. Loop-only.
	AddJoining(n int)
	AnyJoining() bool
	AnyTopics() bool
}
