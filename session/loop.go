package session

import (
	"log/slog"
	"time"

	"ringmaster/auth"
	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
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
	Features Features

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
}

// NewLoop makes what the sessions of a loop share, all but Dispatch, Route and Features.
func NewLoop(clock *pool.Loop, st *stats.Loop) *Loop {
	l := &Loop{Clock: clock, Stats: st, Attempts: auth.NewAttempts(1), Loops: 1}
	clock.OnPanic = l.receiverPanicked
	return l
}

// Tick looks at what waits for a time. The event loop calls it with the pools'.
func (l *Loop) Tick() {
	l.Features.loopTick(l)
	for _, e := range l.envs {
		e.tick()
	}
	l.tickUnread()
	l.closeIdle()
}

// Flush writes every reply of the turn.
func (l *Loop) Flush() {
	for i := 0; i < len(l.due.dirty); i++ {
		s := l.due.dirty[i]
		l.due.dirty[i] = nil
		s.dirty = false
		s.Flush()
	}
	l.due.dirty = l.due.dirty[:0]
}

// Resume lets sessions go on whose wait is over.
func (l *Loop) Resume() {
	for i := 0; i < len(l.due.resume); i++ {
		s := l.due.resume[i]
		l.due.resume[i] = nil
		s.resuming = false
		s.GoOn()
	}
	l.due.resume = l.due.resume[:0]
}

// Dirty reports whether Flush or Resume have something to do.
func (l *Loop) Dirty() bool { return len(l.due.dirty)+len(l.due.resume) > 0 }

// Logger is where to tell operators.
func (l *Loop) Logger() *slog.Logger {
	if l.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l.Log
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
