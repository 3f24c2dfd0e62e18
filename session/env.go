package session

import (
	"log/slog"
	"maps"
	"slices"
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

	local     []handler // by command.Spec.ID: commands the proxy answers itself
	count     uint64    // sessions ever made on this loop
	nextIdle  int64     // when idle clients are looked for again, ns
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
	replicates []bool         // by command.Spec.ID: not a write, but replicas hear of it

	realNames        map[string][]byte // of commands that clients know by other names; nil: there are none
	class            []command.Class   // by command.Spec.ID: how it is routed here
	execSpec         *command.Spec
	pauses, unpauses *command.Spec
	mutes            *command.Spec // CLIENT REPLY
	configures       *command.Spec // CONFIG SET
	shutdown         *command.Spec
	slowLogLen       *command.Spec  // asks the servers for the log itself
	functionStats    *command.Spec  // must not stand behind what it tells of
	functionList     *command.Spec  // see forgedReply
	answersLater     []bool         // by command.Spec.ID: its handler may ask other loops or servers first
	takesLong        []bool         // by command.Spec.ID: joining it takes much longer than to copy the parts
	rewrites         []bool         // by command.Spec.ID: the reply of even one server is changed
	actsInMulti      []bool         // by command.Spec.ID: acts at once inside MULTI
	inSubscriber     []bool         // by command.Spec.ID: a subscriber of RESP2 may say it
	subscribes       []bool         // by command.Spec.ID: SUBSCRIBE and its like
	unsubscribes     []bool         // by command.Spec.ID: UNSUBSCRIBE and its like
	publishes        []bool         // by command.Spec.ID: PUBLISH and SPUBLISH
	killsScript      []bool         // by command.Spec.ID: SCRIPT KILL and others that must not stand behind what they end
	scripts          []bool         // by command.Spec.ID: may run a script
	carriers         []pool.Carrier // by command.Spec.ID: what its reply may hold as a client wrote it (fenced.go)
	apart            bool           // a carrier is being sent that has waited for what its client had under way
	stateless        []bool         // by command.Spec.ID: the server may as well answer it
	readOnly         []bool         // by command.Spec.ID: the read policy counts for it; nil: all reads go to primaries
	canLockOut       []bool         // by command.Spec.ID: see locksOut
	hiding           []bool         // by command.Spec.ID: see hiders
	selfPublishes    []bool         // by command.Spec.ID: its client may get a message of its own by it
}

// handler answers one command within the loop's turn.
type handler func(*Session, *command.Spec, *parser.Request)

// NewEnv makes the shared part of one loop's sessions.
func NewEnv(cfg Config, p *pool.Pool, m *shard.Map, policy *auth.Policy, st *stats.Loop) *Env {
	e := &Env{Config: cfg, Pool: p, Map: m, Policy: policy, Stats: st, Attempts: auth.NewAttempts(1), Loops: 1}
	e.local = localHandlers(cfg.Cluster)
	e.class = classes(cfg)
	e.readOnly = readCommands(cfg, e.class)
	e.realNames = realNames(cfg.RenameCommands)
	for _, id := range denied(cfg) {
		e.local[id] = nil
	}
	e.lessons.denied = deniedNames(cfg)
	p.OnPanic = e.receiverPanicked
	e.hub = newHub(e, m.Len())
	e.inSubscriber = specSet("subscribe", "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe", "sunsubscribe", "ping", "quit", "reset")
	e.unsubscribes = specSet("unsubscribe", "punsubscribe", "sunsubscribe")
	e.subscribes = specSet("subscribe", "psubscribe", "ssubscribe")
	for _, id := range denied(cfg) {
		e.subscribes[id], e.unsubscribes[id] = false, false
	}
	e.publishes = specSet("publish", "spublish")
	e.shutdown, e.slowLogLen = specOf("shutdown"), specOf("slowlog|len")
	e.execSpec, e.functionStats = specOf("exec"), specOf("function|stats")
	e.functionList = specOf("function|list")
	e.answersLater = specSet("client|list", "client|kill", "client|unblock", "cluster|countkeysinslot", "cluster|getkeysinslot")
	e.rewrites = specSet("info")
	e.takesLong = slowMerges()
	e.actsInMulti = specSet("multi", "exec", "discard", "watch", "quit", "reset")
	e.killsScript = specSet("script|kill", "function|kill", "client|unpause")
	e.replicates = specSet(replicating...)
	e.pauses, e.unpauses = specOf("client|pause"), specOf("client|unpause")
	e.mutes = specOf("client|reply")
	e.configures = specOf("config|set")
	e.scripts = ScriptCommands()
	e.hiding = specSet(slices.Collect(maps.Keys(hiders))...)
	e.canLockOut = specSet(lockingOut...)
	e.stateless = specSet("ping", "echo")
	e.carriers = carriers()
	e.selfPublishes = specSet("publish", "spublish", "exec", "eval", "evalsha", "fcall")
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

// classes is how each command is routed under cfg, by command.Spec.ID.
func classes(cfg Config) []command.Class {
	table := make([]command.Class, len(command.All()))
	for i, spec := range command.All() {
		table[i] = spec.Class
		if spec.Class == command.ClassRefused && cfg.AdminCommands {
			table[i] = spec.IfAllowed
		}
	}
	for _, id := range denied(cfg) {
		table[id] = command.ClassRefused
	}
	return table
}

// denied are the IDs of the commands that cfg denies.
func denied(cfg Config) (ids []int) {
	names := cfg.DenyCommands
	if cfg.DenyScripts {
		names = append(slices.Clone(names), scripts...)
	}
	for _, name := range names {
		spec := specOf(name)
		if spec == nil {
			continue // a module's, perhaps: deniedNames
		}
		for i := range 1 + spec.Subs { // subcommands follow their command
			ids = append(ids, int(spec.ID)+i)
		}
	}
	return ids
}

// scripts are the commands by which clients bring their own code to the servers, or run what is there.
var scripts = []string{
	"eval", "eval_ro", "evalsha", "evalsha_ro", "fcall", "fcall_ro", "script|load", "script|debug", "function|load", "function|restore",
}

// deniedNames are the names that cfg denies and the table lacks: of modules' commands, and of such that servers have renamed.
func deniedNames(cfg Config) map[string]bool {
	names := map[string]bool{}
	for _, name := range cfg.DenyCommands {
		if specOf(name) == nil {
			names[name] = true
		}
	}
	return names
}
