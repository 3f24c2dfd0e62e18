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
	Features []Feature

	envs   []*Env
	count  uint64 // sessions ever made on this loop
	dirty  []*Session
	resume []*Session
	jobs   []task // work that is done in pieces
	spent  int    // units of work since workAt
	workAt int64  // ns

	// Scratch space.
	req      parser.Request
	memo     command.Memo
	keys     []int
	build    []byte // a command of the proxy's own, for the connections to copy
	scratch  []byte // a reply of our own
	outcomes any    // what can be used again (outcome.go); nil: nothing so far
	gathers  any    // what gathers use (gather.go); nil: nothing so far

	// The command under way.
	answering *outer   // EXEC's reply, one of whose commands is being run; nil: none
	asking    *Session // who is being dispatched, for its line in CLIENT LIST
	capture   *[]byte  // where answers of the proxy's own go instead of to the client; nil: to the client
	replaying bool     // a postponed command is being sent
	apart     bool     // a carrier is being sent that has waited for what its client had under way
	pastGate  bool     // a login that has waited is carried out

	gate      any   // where logins wait (gate.go); nil: none has so far
	farewells any   // clients that wait at servers while the proxy stops (farewell.go); nil: none so far
	nextIdle  int64 // when idle clients are looked for again, ns
	panics    panics

	output   int        // bytes that clients have not read, or that wait for their turn; Session.unread and held
	told     int        // of that, what the other loops know
	slow     []*Session // with unread output
	nextSlow int        // of those, which is looked at next
	pressed  bool       // all clients together have more than ClientMemory
	hurried  bool       // one that waits for its own reading is at it
}

// newLoop makes what the sessions of a loop share, all but Dispatch, Route and Features.
func newLoop(clock *pool.Loop, st *stats.Loop) *Loop {
	l := &Loop{Clock: clock, Stats: st, Attempts: auth.NewAttempts(1), Loops: 1}
	clock.OnPanic = l.receiverPanicked
	return l
}

// Tick looks at what waits for a time. The event loop calls it with the pools'.
func (l *Loop) Tick() {
	l.loopTick()
	for _, e := range l.envs {
		e.tick()
	}
	l.tickUnread()
	l.closeIdle()
}

// Flush writes every reply of the turn.
func (l *Loop) Flush() {
	for i := 0; i < len(l.dirty); i++ {
		s := l.dirty[i]
		l.dirty[i] = nil
		s.dirty = false
		s.flush()
	}
	l.dirty = l.dirty[:0]
}

// Resume lets sessions go on whose wait is over.
func (l *Loop) Resume() {
	for i := 0; i < len(l.resume); i++ {
		s := l.resume[i]
		l.resume[i] = nil
		s.resuming = false
		s.goOn()
	}
	l.resume = l.resume[:0]
}

// Dirty reports whether Flush or Resume have something to do.
func (l *Loop) Dirty() bool { return len(l.dirty)+len(l.resume) > 0 }

// log is where to tell operators.
func (l *Loop) log() *slog.Logger {
	if l.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l.Log
}

// letGo forgets a large request, so that the loop's scratch does not keep its buffers alive.
func (l *Loop) letGo() {
	if cap(l.req.Args) > maxScratch/24 {
		l.req.Args = nil
	}
	clear(l.req.Args[:cap(l.req.Args)])
	l.req.Raw = nil
	if cap(l.build) > maxScratch {
		l.build = nil
	}
	if cap(l.scratch) > maxScratch {
		l.scratch = nil
	}
}

// maxScratch bounds each scratch buffer that a loop keeps, bytes.
const maxScratch = 1 << 20
