package session

import (
	"log/slog"
	"time"

	"ringmaster/auth"
	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/shard"
	"ringmaster/stats"
)

// Env is what the sessions of one loop share. Loop-only.
type Env struct {
	Config Config
	Rules  *Rules
	Pool   *pool.Pool
	Map    *shard.Map
	Policy *auth.Policy
	Stats  *stats.Loop

	// Attempts remembers failed logins.
	Attempts *auth.Attempts
	// Log takes what operators should read; nil: nobody does.
	Log *slog.Logger

	// Loop and Loops number this loop among all, so that client IDs are unique.
	Loop, Loops int

	count     uint64 // sessions ever made on this loop
	nextIdle  int64  // when idle clients are looked for again, ns
	dirty     []*Session
	resume    []*Session
	req       parser.Request
	memo      command.Memo
	keys      []int
	version   uint16     // of Map
	division  division   // of a split command
	build     []byte     // a command of the proxy's own, for the connections to copy
	answering *answering // the EXEC whose command is being run; nil: none
	asking    *Session   // who is being dispatched, for its line in CLIENT LIST
	capture   *[]byte    // where answers of the proxy's own go instead of to the client; nil: to the client
	scratch   []byte     // a reply of our own
	lessons   lessons    // commands that the table does not know
	panics    panics
	free      []*gather
	outcomes  []*outcome

	// Notify takes what operators should read about clients, and never waits; nil: nobody does.
	Notify func(Notice)
	roster roster
	jobs   []job // work that is done in pieces
	spent  int   // units of work since workAt
	workAt int64 // ns

	// Peers reaches the other loops; nil: there are none.
	Peers      Peers
	hub        *hub
	atGate     []*gated                  // logins that wait
	pastGate   bool                      // one that has waited is carried out
	farewells  []*farewell               // clients that wait at servers while the proxy stops
	output     int                       // bytes that clients have not read, or that wait for their turn; Session.unread and held
	told       int                       // of that, what the other loops know
	slow       []*Session                // with unread output
	nextSlow   int                       // of those, which is looked at next
	unreadFrom int                       // from where on unread output makes a client's window smaller, bytes
	pressed    bool                      // all clients together have more than ClientMemory
	hurried    bool                      // one that waits for its own reading is at it
	deadlines  []deadline                // in the order in which they pass
	later      []deferred                // to be sent again at the next tick
	targets    map[uint64]*Session       // by ID: who gets the invalidations of others
	redirects  map[*redirection]struct{} // of sessions of this loop
	leaving    map[*redirection]struct{} // of those, what goes to a client that is gone, until all servers know
	pause      pause
	busyText   []byte         // what the other loops know of this one
	busyOn     map[int][]byte // by loop: what a server says of a script that holds up its connection
	replaying  bool           // a postponed command is being sent
	held       []*Session     // postponed, and without a connection
	apart      bool           // a carrier is being sent that has waited for what its client had under way
}

// NewEnv makes the shared part of one loop's sessions.
func NewEnv(cfg Config, p *pool.Pool, m *shard.Map, policy *auth.Policy, st *stats.Loop) *Env {
	e := &Env{Config: cfg, Rules: NewRules(cfg), Pool: p, Map: m, Policy: policy, Stats: st, Attempts: auth.NewAttempts(1), Loops: 1}
	p.OnPanic = e.receiverPanicked
	e.hub = newHub(e, m.Len())
	e.sizeGroups()
	e.press(false)
	return e
}

// Flush writes every reply of the turn.
func (e *Env) Flush() {
	for i := 0; i < len(e.dirty); i++ {
		s := e.dirty[i]
		e.dirty[i] = nil
		s.dirty = false
		s.flush()
	}
	e.dirty = e.dirty[:0]
}

// Resume lets sessions go on whose wait is over.
func (e *Env) Resume() {
	for i := 0; i < len(e.resume); i++ {
		s := e.resume[i]
		e.resume[i] = nil
		s.resuming = false
		s.goOn()
	}
	e.resume = e.resume[:0]
}

// Dirty reports whether Flush or Resume have something to do.
func (e *Env) Dirty() bool { return len(e.dirty)+len(e.resume) > 0 }

// single reports whether one server holds all keys, so that every command goes there whole.
func (e *Env) single() bool { return len(e.Map.Shards()) == 1 && !e.Config.Sharded }

// Follow takes over a new map of the servers, which the pool follows already. Each client goes by it when what it has under
// way is answered: else a later request could overtake an earlier one that goes to where its key was before.
func (e *Env) Follow(m *shard.Map) {
	old := e.Map
	e.Map = m
	e.version++
	e.sizeGroups()
	e.hub.follow(old)
	moved := -1 // not looked at
	e.roster.each(func(s *Session) {
		p := s.pin
		switch {
		case p == nil || !p.dirty:
		case !p.everywhere():
			s.closeAs(stats.StateLost) // a server that is new knows nothing of it
		case p.tracking.on:
			if moved < 0 {
				moved = slotsMoved(old, m)
			}
			if moved > 0 {
				s.forgetTracked()
			}
		}
	})
}

// slotsMoved is how many hash slots have another server.
func slotsMoved(old, m *shard.Map) (n int) {
	for slot := 0; slot < shard.Slots && old.Slotted() && m.Slotted(); slot++ {
		if old.SlotServer(uint16(slot)) != m.SlotServer(uint16(slot)) {
			n++
		}
	}
	return n
}

// log is where to tell operators.
func (e *Env) log() *slog.Logger {
	if e.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return e.Log
}

// home is the server for what has no key: the first, so that it is always the same one.
func (e *Env) home() int { return e.Map.Shards()[0] }

// age is a time in whole seconds.
func (e *Env) age(since int64) int64 { return (e.Pool.Now - since) / int64(time.Second) }

// letGo forgets a large request, so that the loop's scratch does not keep its buffers alive.
func (e *Env) letGo() {
	if cap(e.req.Args) > maxScratch/24 {
		e.req.Args = nil
	}
	clear(e.req.Args[:cap(e.req.Args)])
	e.req.Raw = nil
	if cap(e.build) > maxScratch {
		e.build = nil
	}
	if cap(e.division.build) > maxScratch {
		e.division.build = nil
	}
	if cap(e.scratch) > maxScratch {
		e.scratch = nil
	}
}

// maxScratch bounds each scratch buffer that a loop keeps, bytes.
const maxScratch = 1 << 20
