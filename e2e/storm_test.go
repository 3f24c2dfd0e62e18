package e2e

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ringmaster/internal/testkit"
)

// stormRun is a proxy whose settings change all the time, and its clients.
type stormRun struct {
	t        *testing.T
	world    *stormWorld
	proxy    *testkit.Server
	rand     *rand.Rand
	settings stormSettings
	reloads  reloadCounts // as they should be counted

	// What clients judge by: a change of what the name says.
	moves, denies, protects toggle
	tcp, unix, extra        toggle

	lossy atomic.Bool // never
	tally tally
	ids   int
	lists []*queue

	begun   atomic.Int64 // reloads
	mu      sync.Mutex
	reports []string

	gate    sync.RWMutex // clients take it for each of their steps
	stop    chan struct{}
	clients sync.WaitGroup
}

// TestReloadStorm changes the settings again and again under clients that judge every reply. Nothing but what a change asks for may
// be seen of it, and nothing may be left behind.
func TestReloadStorm(t *testing.T) {
	n := scale(t, "RELOADS", 12, 20, 20)
	pace := time.NewTicker(time.Duration(scale(t, "RELOAD_SECONDS", 4, 8, 8)) * second / time.Duration(n))
	defer pace.Stop()
	r := newStormRun(t)
	defer r.finish()
	r.startClients()
	warm, order := min(20, n/2), []stormChange(nil)
	var before stormUsage
	for i := range n {
		if i == warm {
			before = r.usage(nil)
		}
		if len(order) == 0 {
			order = changesNamed(t)
			r.rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		}
		<-pace.C
		next := r.settings
		order[0].apply(r.rand, &next)
		r.goBy(order[0].name, next)
		order = order[1:]
	}
	after := r.usage(&before)
	r.finish()
	r.checkLists()
	t.Logf("%d reloads, %d replies; held after %d: %v; at the end: %v", int(r.reloads.ok), r.tally.replies.Load(), warm, before, after)
	if r.tally.replies.Load() < 1000 {
		t.Error("too little traffic")
	}
	if after.exceeds(&before) {
		_, stacks := r.proxy.Get(t, "/debug/pprof/goroutine?debug=1")
		t.Errorf("something is left behind; before it was %v, now %v\n%s\n%s", before, after, r.proxy.Sockets(), stacks)
	}
}

func newStormRun(t *testing.T) *stormRun {
	t.Helper()
	seed := uint64(scale(t, "RELOAD_SEED", int(time.Now().UnixNano()&0xffffff|1), int(time.Now().UnixNano()&0xffffff|1), 1))
	t.Logf("RELOAD_SEED=%d", seed)
	r := &stormRun{t: t, world: newStormWorld(t), rand: rand.New(rand.NewPCG(seed, 1)), settings: stormBase(), stop: make(chan struct{})}
	r.proxy = testkit.ProxyWith(t, testkit.ProxyOptions{Settings: func(addr string) string {
		r.world.front = addr
		return r.world.text(&r.settings)
	}})
	r.reloads = reloadCounts{generation: 1, success: 1}
	c := testkit.Dial(t, r.world.reads)
	defer c.Close()
	for i := range stormConstants {
		if got := c.Do("SET", fmt.Sprintf("constant:%d", i), fmt.Sprintf("value %d", i)); got != "+OK\r\n" {
			t.Fatal(got)
		}
	}
	if got := c.Do("WAIT", "1", "0"); got != ":1\r\n" {
		t.Fatalf("WAIT: %q", got)
	}
	return r
}

// startClients starts a hundred clients.
func (r *stormRun) startClients() {
	w := r.world
	for i := range 50 {
		r.stays([]string{w.front, w.side}[i%2], &r.moves, &r.denies)
	}
	for range 15 {
		r.stays(w.back, nil, nil)
	}
	for range 5 {
		r.readsConstants()
	}
	for range 8 {
		r.queues()
	}
	for range 3 {
		if err := r.channel(); err != nil {
			r.t.Fatal(err)
		}
	}
	for range 3 {
		r.comesAndGoes()
	}
	r.logsIn()
}

// stormConnections is how many of the clients stay connected, and stormBlocked how many of these wait in BLPOP when nothing is pushed.
const (
	stormConnections = 50 + 15 + 5 + 8*2 + 3*4 + 3*2
	stormBlocked     = 8
)

// finish ends the clients, and says what they saw that is wrong.
func (r *stormRun) finish() {
	if !r.going() {
		return
	}
	close(r.stop)
	r.clients.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	kinds := map[string]int{}
	for _, what := range r.reports {
		kind := numbers.ReplaceAllString(what, "N")
		if kinds[kind]++; kinds[kind] == 1 && len(kinds) <= 20 {
			r.t.Error(what)
		}
	}
	if len(r.reports) > 0 {
		r.t.Errorf("%d mistakes of %d kinds", len(r.reports), len(kinds))
	}
}

// numbers are what mistakes of one kind differ by.
var numbers = regexp.MustCompile(`[0-9]+`)

func (r *stormRun) report(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reports = append(r.reports, fmt.Sprintf("at reload %d: %s", r.begun.Load(), what))
}

// goBy has the proxy go by other settings, half of the time by SIGHUP.
func (r *stormRun) goBy(what string, next stormSettings) {
	t, old := r.t, r.settings
	t.Helper()
	if r.world.text(&old) == r.world.text(&next) {
		t.Fatalf("%s: nothing changes", what)
	}
	r.loginChanges(&old, &next)
	t.Logf("reload %d: %s; servers %v with weights %v", r.begun.Add(1), what, next.in, next.weights)
	reload := func() {
		r.reloads.generation++
		r.reloads.ok++
		if r.rand.IntN(2) == 0 {
			if done := r.proxy.Reload(t, r.world.text(&next)); float64(done.Generation) != r.reloads.generation || len(done.Changed) == 0 || len(done.NeedsRestart) > 0 {
				t.Errorf("%s: %+v, want generation %v", what, done, r.reloads.generation)
			}
			return
		}
		if err := r.proxy.WriteSettings(r.world.text(&next)); err != nil {
			t.Fatal(err)
		}
		r.proxy.Signal(syscall.SIGHUP)
		testkit.Until(t, what+": the settings to count", func() bool { return reloadsOf(t, r.proxy).ok >= r.reloads.ok })
	}
	for _, c := range []struct {
		differs bool
		toggle  *toggle
	}{
		{old.in != next.in || old.weights != next.weights, &r.moves}, {old.deny != next.deny, &r.denies}, {old.protect != next.protect, &r.protects},
		{old.tcp != next.tcp || old.tcpTo != next.tcpTo, &r.tcp}, {old.unix != next.unix, &r.unix}, {old.extra != next.extra, &r.extra},
	} {
		if inner := reload; c.differs {
			reload = func() { c.toggle.change(inner) }
		}
	}
	reload()
	if got := reloadsOf(t, r.proxy); got != r.reloads {
		t.Fatalf("%s: %+v, want %+v", what, got, r.reloads)
	}
	r.settings = next
	r.passwordsChange(&next)
	r.visitorsCome(&old, &next)
}

// loginChanges has the server take the next password beside the one in force.
func (r *stormRun) loginChanges(old, next *stormSettings) {
	if old.login != next.login {
		r.setUsers(">" + stormPasswords[next.login])
	}
}

// passwordsChange has the server take the password in force only.
func (r *stormRun) passwordsChange(now *stormSettings) {
	r.setUsers("resetpass", ">"+stormPasswords[now.login])
}

func (r *stormRun) setUsers(rules ...string) {
	c := testkit.Dial(r.t, r.world.locked.Addr)
	defer c.Close()
	c.Do("AUTH", stormUsers[0], stormPasswords[r.settings.login])
	for _, user := range stormUsers {
		if got := c.Do(append([]string{"ACL", "SETUSER", user}, rules...)...); got != "+OK\r\n" {
			r.t.Fatalf("ACL SETUSER %q: %q", rules, got)
		}
	}
}

// visitorsCome are clients of the listeners that are new.
func (r *stormRun) visitorsCome(old, next *stormSettings) {
	for range 3 {
		if next.tcp && (!old.tcp || old.tcpTo != next.tcpTo) {
			moves := &r.moves
			if next.tcpTo != "cache" {
				moves = nil
			}
			r.visits(r.world.tcp, moves, &r.denies, &r.tcp)
		}
		if next.unix && !old.unix {
			r.visits(r.world.unix, nil, nil, &r.unix)
		}
		if next.extra && !old.extra {
			r.visits(r.world.more, nil, nil, &r.extra)
		}
	}
}

// checkLists looks for what was pushed and not popped: it must be where its key was at some time.
func (r *stormRun) checkLists() {
	for _, s := range r.world.servers {
		c := testkit.Dial(r.t, s.Addr)
		for _, q := range r.lists {
			v, err := testkit.ParseValue([]byte(c.Do("LRANGE", q.key, "0", "-1")))
			if err != nil {
				r.t.Fatal(err)
			}
			for _, e := range v.Elems {
				q.note(r, e.Text)
			}
		}
	}
	for _, q := range r.lists {
		for n := range q.pushed {
			if !q.popped[n] {
				r.t.Errorf("%s: element %d is lost", q.key, n)
			}
		}
		if len(q.pushed) != len(q.popped) || len(q.pushed) == 0 {
			r.t.Errorf("%s: %d elements were pushed, %d popped or found", q.key, len(q.pushed), len(q.popped))
		}
	}
}

// stormUsage is what the proxy holds while nobody asks it for anything.
type stormUsage struct {
	testkit.Usage
	heap   float64
	series int // of the metrics of servers
}

// blocked is how many clients wait at the servers of the list.
func (r *stormRun) blocked() (n int) {
	for i, s := range r.world.servers {
		if r.settings.in[i] {
			c := testkit.Dial(r.t, s.Addr)
			more, err := strconv.Atoi(infoField(c, "clients", "blocked_clients"))
			if c.Close(); err != nil {
				r.t.Fatal(err)
			}
			n += more
		}
	}
	return n
}

// usage brings the settings back to what they were at first, holds the clients up, and counts. What is more than most may need a while
// to go.
func (r *stormRun) usage(most *stormUsage) (u stormUsage) {
	t := r.t
	t.Helper()
	if base := stormBase(); r.world.text(&base) != r.world.text(&r.settings) {
		r.goBy("the settings at first", base)
	}
	r.gate.Lock()
	defer r.gate.Unlock()
	var now string
	if !testkit.Eventually(testkit.Patience, func() bool {
		metric := func(name string) float64 { return r.proxy.Metric(t, "ringmaster_"+name) }
		clients, draining, blocked := metric("clients_connected"), metric("topology_connections_draining"), r.blocked()
		now = fmt.Sprintf("%v clients, %v connections draining, %d waiting", clients, draining, blocked)
		return clients == stormConnections && draining == 0 && blocked == stormBlocked
	}) {
		t.Fatalf("the proxy does not come to rest: %s; want %d clients, none draining, %d waiting", now, stormConnections, stormBlocked)
	}
	testkit.Eventually(testkit.Patience, func() bool {
		r.proxy.Get(t, "/debug/pprof/heap?gc=1")
		_, page := r.proxy.Get(t, "/metrics")
		usage := r.proxy.Usage(t)
		usage.Goroutines -= r.idleWorkers()
		u = stormUsage{usage, r.proxy.Metric(t, "go_memstats_heap_alloc_bytes"), strings.Count(page, "\nringmaster_server_up{")}
		return most == nil || !u.exceeds(most)
	})
	return u
}

// idleWorker is a goroutine that gnet keeps for the next connection, for some seconds.
var idleWorker = regexp.MustCompile(`(?m)^(\d+) @ .*\n#\s.*goWorker\)\.run`)

func (r *stormRun) idleWorkers() int {
	_, page := r.proxy.Get(r.t, "/debug/pprof/goroutine?debug=1")
	n := 0
	if m := idleWorker.FindStringSubmatch(page); m != nil {
		n, _ = strconv.Atoi(m[1])
	}
	return n
}

// String is what is compared.
func (u stormUsage) String() string {
	return fmt.Sprintf("%v, %.1f MB of heap, metrics of %d servers", u.Usage, u.heap/(1<<20), u.series)
}

// heapSlack is how much more heap is no leak, as a share and in bytes.
const (
	heapSlackShare = 1.15
	heapSlack      = 2 << 20
)

// exceeds reports whether u is more than most.
func (u stormUsage) exceeds(most *stormUsage) bool {
	return u.Goroutines > most.Goroutines || u.FDs > most.FDs || u.series > most.series || u.heap > most.heap*heapSlackShare+heapSlack
}
