package session_test

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"ringmaster/auth"
	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/dispatch"
	"ringmaster/shard"
	"ringmaster/stats"
)

// world is one loop without sockets: an Env, its pool, and both ends of every connection held by the
// test. Time stands still unless pass is called.
//
// Servers are named A, B, C ...; a key such as "{B}x" lives on B.
type world struct {
	tb    testing.TB
	loop  *session.Loop
	env   *session.Env
	door  *session.Door
	pool  *pool.Pool
	stats *stats.Loop
	names []string

	servers map[string]*serverEnd // by connection: "A", "A.db3", "A.resp3"
	ends    []*serverEnd          // all there ever were
	clients map[string]*clientEnd
	order   []*clientEnd // as they came
	dials   []*pool.Conn // not yet answered
	marked  []func()     // sockets to be told that they are closed

	turns   int // that settle has played
	busiest int // the most work that one of them has seen, units

	byHand    bool   // the test answers dials and handshakes
	panics    uint64 // that the test has caused
	databases int    // that the servers have

	fencesByHand bool
	nonces       int // of fences, so far

	// In front of a cluster: by tag, where its slot is; and how often the map was said to be out of date.
	slots   map[string]string
	numbers shard.Numbers
	hints   int

	base      *shard.Map          // of fixed servers
	placement shard.Config        // of these, without servers
	replicas  map[string][]string // by primary
	health    pool.Health
	groups    []shard.Group // with names that servers take over from each other: who has each
	// Of the random test.
	upstream   pool.Config
	fake       *fakeCluster
	successors *successors
	lists      *lists // nil: the list of servers does not change
	placid     bool
}

// loopSettings bound what all clients of a loop may have together.
type loopSettings struct{ MaxOwn, ClientMemory int }

// settings are what a test may choose before the world is made.
type settings struct {
	servers      []string
	replicas     map[string][]string // by primary; at first all may be read from
	passwords    []string
	upstream     pool.Config
	loop         loopSettings
	session      session.Config
	known        session.Upstream // of the upstream's settings
	byHand       bool
	fencesByHand bool // the test answers fences
}

func defaults() settings {
	return settings{
		servers: []string{"A", "B", "C"}, loop: loopSettings{MaxOwn: 4},
		upstream: pool.Config{
			Connections: 1, DialTimeout: time.Second, Timeout: time.Second, StallTimeout: 10 * time.Second,
			BackoffMin: 100 * time.Millisecond, BackoffMax: 2 * time.Second, MaxPending: 10000, MaxPendingBytes: 8 << 20,
		},
		session: session.Config{
			Limits: parser.DefaultLimits(), QueryBufferLimit: 1 << 20, OutputLimit: 1 << 20, SubscriberOutputLimit: 1 << 20,
			MaxInFlight: 1000, MaxInFlightBytes: 1 << 20, FirstWindow: 1000,
		},
	}
}

func newWorld(tb testing.TB, s settings) *world {
	tb.Helper()
	cfg := shard.Config{Distribution: shard.Maglev, Hash: shard.CRC32A, HashTag: "{}"}
	s.servers = slices.Clone(s.servers)
	for i, name := range s.servers {
		name, at, alias := strings.Cut(name, "=")
		if s.servers[i] = name; !alias {
			at = name
		}
		cfg.Servers = append(cfg.Servers, shard.Server{Name: name, Addr: at + ":6379", Weight: 1})
	}
	m, err := shard.New(cfg)
	cfg.Servers = nil
	s.known.Reads = s.upstream.Reads
	w := &world{base: m, placement: cfg, replicas: s.replicas, numbers: shard.Numbers{Replicas: s.replicas != nil}, tb: tb, names: s.servers, servers: map[string]*serverEnd{}, clients: map[string]*clientEnd{}, byHand: s.byHand, fencesByHand: s.fencesByHand, databases: 16}
	s.upstream.Hint = func() { w.hints++ }
	if s.upstream.Nonce == nil {
		s.upstream.Nonce = func(dst *[16]byte) {
			w.nonces++
			copy(dst[:], fmt.Sprintf("fence-%010d", w.nonces))
		}
	}
	s.upstream.Resend = s.upstream.Resend || s.upstream.Cluster
	s.upstream.Fixed = !s.upstream.Resend
	switch {
	case s.upstream.Cluster:
		s.known.Sharded = true
		w.slots = map[string]string{}
		for _, name := range s.servers {
			w.slots[name] = name
		}
		m, err = w.slotMap()
	case s.upstream.Resend:
		w.numbers.Placement = cfg
		for i := range m.Len() {
			server := m.Server(i)
			w.groups = append(w.groups, shard.Group{Name: server.Name, Primary: server})
		}
		m, err = w.newMap()
	case s.known.ListChanges:
		m, err = w.numbers.Fixed(m, nil)
	case s.replicas != nil:
		m, err = w.newMap()
	}
	if err != nil {
		tb.Fatal(err)
	}
	for i, name := range s.servers {
		if m.Server(i).Addr != "" && m.Lookup([]byte("{"+name+"}")) != i {
			tb.Fatalf("no key lives on the server it is named after: {%s}", name)
		}
	}
	if s.upstream.Resend {
		s.upstream.Witness = dispatch.Witness
	}
	w.upstream = s.upstream
	w.stats = stats.NewLoop(len(command.All()))
	w.pool = pool.New(pool.NewLoop(s.loop.MaxOwn), s.upstream, m, w.stats.AddUpstream("", m.Len()), slog.New(slog.DiscardHandler))
	w.pool.Now = int64(time.Hour)
	w.loop = dispatch.NewLoop(w.pool.Loop, w.stats)
	w.loop.ClientMemory = s.loop.ClientMemory
	w.loop.FarewellTime = 500 * time.Millisecond
	w.env = session.NewEnv(w.loop, s.known, w.pool, m)
	w.door = session.OpenDoor(w.env, s.session, dispatch.NewRules(s.session, w.env.Upstream.Reads), auth.NewPolicy(s.passwords...))
	w.pool.Start()
	w.health = pool.Health{}
	for _, list := range s.replicas {
		for _, name := range list {
			w.health[name+":6379"] = pool.ServerHealth{Reads: pool.ReadsAlways}
		}
	}
	w.settle()
	for _, list := range s.replicas {
		for _, name := range list {
			w.judge(name, func(*pool.ServerHealth) {})
		}
	}
	w.settle()
	return w
}

// newMap is the map of what is where now.
func (w *world) newMap() (*shard.Map, error) {
	if w.slots != nil {
		return w.slotMap()
	}
	if w.groups != nil {
		for i := range w.groups {
			w.groups[i].Replicas = w.replicasOf(w.groups[i].Name)
		}
		return w.numbers.Map(w.groups)
	}
	groups := make([]shard.Group, w.base.Len())
	for i := range groups {
		groups[i].Replicas = w.replicasOf(w.base.Server(i).Name)
	}
	return w.numbers.Attach(w.base, groups)
}

func (w *world) replicasOf(primary string) (list []shard.Server) {
	for _, name := range w.replicas[primary] {
		list = append(list, shard.Server{Name: name, Addr: name + ":6379", Weight: 1})
	}
	return list
}

// judge tells the loop what has become known of a server.
func (w *world) judge(name string, change func(*pool.ServerHealth)) {
	w.health = maps.Clone(w.health)
	h := w.health[name+":6379"]
	change(&h)
	h.At = time.Time{}.Add(time.Duration(w.pool.Now + 1))
	h.Heard = h.At
	w.health[name+":6379"] = h
	w.pool.Judge(w.health, time.Time{})
}

// slotMap is the map of a cluster: the slot of each tag such as {A} is at the server in slots.
func (w *world) slotMap() (*shard.Map, error) {
	at := map[string]*shard.Group{}
	var groups []shard.Group
	for _, tag := range slices.Sorted(maps.Keys(w.slots)) {
		name := w.slots[tag]
		if at[name] == nil {
			at[name] = &shard.Group{Primary: shard.Server{Name: name, Addr: name + ":6379", Weight: 1}, Replicas: w.replicasOf(name)}
		}
		slot := shard.Slot([]byte(tag))
		at[name].Slots = append(at[name].Slots, shard.SlotRange{First: slot, Last: slot})
	}
	for _, name := range slices.Sorted(maps.Keys(at)) {
		groups = append(groups, *at[name])
	}
	return w.numbers.Map(groups)
}

// moves puts the slot of a tag elsewhere, and tells the loop.
func (w *world) moves(tag, name string) {
	w.slots[tag] = name
	w.follow(w.slotMap())
}

// list changes the list of servers, and tells the loop.
func (w *world) list(names ...string) {
	cfg := w.placement
	for _, name := range names {
		name, at, alias := strings.Cut(name, "=")
		if !alias {
			at = name
		}
		cfg.Servers = append(cfg.Servers, shard.Server{Name: name, Addr: at + ":6379", Weight: 1})
	}
	m, err := shard.New(cfg)
	if err != nil {
		w.tb.Fatal(err)
	}
	w.follow(w.numbers.Fixed(m, nil))
}

// replace puts another server in the place of the one with this name, and tells the loop.
func (w *world) replace(name, by string) {
	i := slices.IndexFunc(w.groups, func(g shard.Group) bool { return g.Name == name })
	w.groups[i].Primary.Addr = by + ":6379"
	w.follow(w.newMap())
}

func (w *world) follow(m *shard.Map, err error) {
	w.tb.Helper()
	if err != nil {
		w.tb.Fatal(err)
	}
	w.pool.Follow(m)
	w.env.Follow(m)
}

// settle is the end of the loop's turn.
func (w *world) settle() {
	w.tb.Helper()
	for range 1000 {
		w.turns++
		w.busiest = max(w.busiest, w.env.Spent)
		w.env.Work()
		w.busiest = max(w.busiest, w.env.Spent)
		w.env.Resume()
		w.pool.Flush()
		w.env.Flush()
		w.pool.TakeDials(func(c *pool.Conn) { w.dials = append(w.dials, c) })
		if !w.byHand {
			for len(w.dials) > 0 {
				w.open(w.dials[0])
			}
			for _, s := range w.servers {
				s.shakeHands()
			}
		}
		marked := w.marked
		w.marked = nil
		for _, tell := range marked {
			tell()
		}
		if !w.env.Due() && !w.env.HasWork() && !w.pool.Dirty() && !w.pool.WantsDial() {
			w.check()
			return
		}
	}
	w.tb.Fatal("the turn does not end")
}

// pass lets time go by, with a tick at least every 10 ms of the first second and at the end.
func (w *world) pass(d time.Duration) {
	w.tb.Helper()
	for end := w.pool.Now + int64(d); w.pool.Now < end; {
		step := max(10*time.Millisecond, d/100)
		w.pool.Now = min(end, w.pool.Now+int64(step))
		w.pool.Tick()
		w.env.Tick()
		for _, c := range w.order {
			if c.lingers {
				c.session.Flush()
			}
		}
		w.settle()
	}
}

// connName is how tests call the connection: by server, then what is not plain.
func connName(c *pool.Conn) string {
	name, key := strings.TrimSuffix(c.Server().Addr, ":6379"), c.Key()
	if key.Proto != 2 {
		name += fmt.Sprintf(".resp%d", key.Proto)
	}
	if key.DB != 0 {
		name += fmt.Sprintf(".db%d", key.DB)
	}
	switch {
	case c.Probes():
		name += ".probe"
	case c.Own():
		name += ".own"
	}
	return name
}

// open answers a dial with a new socket.
func (w *world) open(c *pool.Conn) {
	w.dials = slices.DeleteFunc(w.dials, func(d *pool.Conn) bool { return d == c })
	s := &serverEnd{w: w, conn: c, db: c.Key().DB, proto: c.Key().Proto}
	name := connName(c)
	for n := 2; c.Own() && w.servers[name] != nil && !w.servers[name].closed; n++ {
		name = fmt.Sprintf("%s%d", connName(c), n)
	}
	w.servers[name] = s
	w.ends = append(w.ends, s)
	c.OnOpen(s)
}

// dialTo is the open dial of the connection with this name.
func (w *world) dialTo(name string) *pool.Conn {
	for _, c := range w.dials {
		if connName(c) == name {
			return c
		}
	}
	return nil
}
