package e2e

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ringmaster/internal/testkit"
)

// Clients whose scripts and commands make servers write what they like attack those who share their servers: nobody may get a byte
// that is not the answer to a request of their own, nothing runs twice, and bystanders hardly notice.
//
// ATTACK_SECONDS is how long each of the runs takes, ATTACK_FLAGS are further flags of the proxy, ATTACK_FRONTS and ATTACK_SERVERS
// say which runs there are, ATTACK_SEED repeats one as far as clients can. ATTACK_CHAOS=1 ends the servers' connections all the time,
// and with it, or with flags such as --timeout 20ms, bystanders may have errors.
func TestAttack(t *testing.T) {
	servers := words("ATTACK_SERVERS", "", testkit.HoledServer)
	if os.Getenv("REDIS_SERVER") != "" {
		servers = words("ATTACK_SERVERS", "")
	}
	for _, server := range servers {
		name := server
		if name == "" {
			name = "the installed server"
		}
		t.Run(name, func(t *testing.T) {
			if server != "" {
				testkit.UseServer(t, server)
			}
			for _, kind := range words("ATTACK_FRONTS", "one", "shards", "cluster") {
				t.Run(kind, func(t *testing.T) {
					newAttack(t, kind).fight(t)
				})
			}
		})
	}
}

// sharpForms are known to make servers write lines of their own; FUNCTION LOAD does with every server that has it, from Redis 7.0
// to 8.6.2 and Valkey 8.0 to 9.1.2.
var sharpForms = regexp.MustCompile("^(EVAL|EVALSHA_RO|FCALL), (error|call field|assert)$|^FUNCTION LOAD, (two strings|string as statement|call field|index field|length|local string)$|^FUNCTION LIST .P$")

// words are those of an environment variable, or the given ones.
func words(name string, otherwise ...string) []string {
	if s := strings.Fields(os.Getenv(name)); len(s) > 0 {
		return s
	}
	return otherwise
}

// attackRun is one attack with its bystanders.
type attackRun struct {
	front      *front
	direct     *testkit.Server // another server, which attackers ask what a direct client is told
	seed       uint64
	seconds    int
	long       bool // long enough for comparing times
	chaos      bool
	forms      []attackForm
	sharp      []attackForm // those known to do harm, which are half of what is tried
	bystanders []*bystander

	next  atomic.Int64 // index of the next form
	phase atomic.Int64 // quiet, harmless or attacked
	peace sync.RWMutex // held for reading by whoever attacks
	tried atomic.Int64 // forms
	last  atomic.Value // name of the form that was tried last

	mu       sync.Mutex
	foreigns int
	twices   int
	faults   []string
	notes    map[string]int    // what clients were told, and how often
	holes    map[string]string // names of forms to which a direct client gets more than it asked for, and what it got
}

// The phases of a run.
const (
	quiet    = iota // the bystanders are alone
	harmless        // attackers send what they always send, with texts on one line: it costs the server as much
	attacked
	phases
)

// longRun is from how many seconds on times are compared.
const longRun = 30

// leastForms is how many forms each run must have tried.
const leastForms = 200

func newAttack(t *testing.T, kind string) *attackRun {
	t.Helper()
	r := &attackRun{seed: rand.Uint64N(1e9), seconds: scale(t, "ATTACK_SECONDS", 1, 2, 3), forms: attackForms(), notes: map[string]int{}, holes: map[string]string{}}
	if s := os.Getenv("ATTACK_SEED"); s != "" {
		if _, err := fmt.Sscan(s, &r.seed); err != nil {
			t.Fatalf("ATTACK_SEED: %v", err)
		}
	}
	r.chaos = os.Getenv("ATTACK_CHAOS") != ""
	r.long = r.seconds >= longRun && !r.chaos
	r.last.Store("none yet")
	rand.New(rand.NewPCG(r.seed, 1)).Shuffle(len(r.forms), func(i, j int) { r.forms[i], r.forms[j] = r.forms[j], r.forms[i] })
	// A forged length makes its own connection wait for more.
	flags := []string{"--stall-timeout", "5s"}
	r.front = newFront(t, kind, append(flags, strings.Fields(os.Getenv("ATTACK_FLAGS"))...)...)
	for _, f := range r.forms {
		if sharpForms.MatchString(f.name) {
			r.sharp = append(r.sharp, f)
		}
	}
	r.direct = testkit.Redis(t, strings.Fields(os.Getenv("SERVER_ARGS"))...)
	for id := range bystanders {
		b := newBystander(r, id)
		b.prepare(testkit.Dial(t, r.front.proxy.Addr))
		r.bystanders = append(r.bystanders, b)
	}
	return r
}

// fight has quiet times, harmless ones and attacks in turn, and judges them.
func (r *attackRun) fight(t *testing.T) {
	stop := make(chan struct{})
	var clients sync.WaitGroup
	start := func(f func()) { clients.Go(f) }
	r.peace.Lock()
	for _, b := range r.bystanders {
		start(func() { b.loop(stop) })
	}
	for id := range scale(t, "ATTACKERS", 2, 2, 2) {
		a := newAttacker(r, id)
		start(func() { a.loop(stop) })
	}
	heard, told := testkit.Dial(t, r.front.proxy.Addr), testkit.Dial(t, r.front.proxy.Addr)
	if l := newSubscriber(r, heard); l != nil {
		start(l.loop)
	}
	if l := newTracker(r, told); l != nil {
		start(l.loop)
	}
	start(func() { speak(r, stop) })
	if r.chaos {
		start(func() { r.endConnections(stop) })
	}

	rounds := max(1, r.seconds/10)
	round := time.Duration(r.seconds) * time.Second / time.Duration(rounds)
	for n := range rounds {
		<-time.After(round / 4)
		r.phase.Store(harmless)
		r.peace.Unlock()
		<-time.After(round / 4)
		r.phase.Store(attacked)
		<-time.After(round / 2)
		testkit.Eventually(time.Minute, func() bool { return n < rounds-1 || r.tried.Load() >= leastForms || r.faulty() })
		r.peace.Lock()
		r.phase.Store(quiet)
	}
	close(stop)
	r.peace.Unlock()
	heard.Close()
	told.Close()
	clients.Wait()
	r.judge(t)
}

// endConnections has the servers close all their connections, again and again.
func (r *attackRun) endConnections(stop <-chan struct{}) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		for _, s := range r.front.servers {
			if c, err := testkit.Connect(s.Addr); err == nil {
				_, _ = c.Call("CLIENT", "KILL", "TYPE", "normal") // this one goes on
				c.Close()
			}
		}
	}
}

func (r *attackRun) judge(t *testing.T) {
	t.Helper()
	replies, errors := 0, 0
	var took [phases][]time.Duration
	for _, b := range r.bystanders {
		b.check(func(key string, args ...string) testkit.Value { return r.ask(t, key, args...) })
		replies, errors = replies+b.replies, errors+b.errors
		for i := range took {
			took[i] = append(took[i], b.took[i]...)
		}
	}
	var slow [phases]time.Duration
	for i := range took {
		slow[i] = p99(took[i])
	}
	t.Logf("seed %d: %d forms tried of %d, %d of them gave a direct client more than it asked for; %d replies to bystanders, %d errors, %d foreign replies, %d things run twice or lost",
		r.seed, r.tried.Load(), len(r.forms), len(r.holes), replies, errors, r.foreigns, r.twices)
	t.Logf("bystanders' p99: %v alone (%d), %v beside harmless scripts (%d), %v under attack (%d): %.2f times, %.2f times the harmless", slow[quiet], len(took[quiet]),
		slow[harmless], len(took[harmless]), slow[attacked], len(took[attacked]), float64(slow[attacked])/float64(slow[quiet]), float64(slow[attacked])/float64(slow[harmless]))
	for _, text := range r.mostNoted(12) {
		t.Logf("noted %d times: %s", r.notes[text], text)
	}
	for _, name := range slices.Sorted(maps.Keys(r.holes))[:min(len(r.holes), 5)] {
		t.Logf("more than was asked for: %s: %.400q", name, r.holes[name])
	}
	for _, f := range r.faults {
		t.Error(f)
	}
	if r.foreigns+r.twices > len(r.faults) {
		t.Errorf("in all %d foreign replies, %d things run twice or lost", r.foreigns, r.twices)
	}
	if r.tried.Load() < leastForms || replies < 1000 {
		t.Errorf("%d forms and %d replies: too little was tried", r.tried.Load(), replies)
	}
	if !r.chaos && errors*1000 > replies {
		t.Errorf("bystanders had %d errors in %d replies, more than 1 in 1,000", errors, replies)
	}
	if r.long && slow[attacked] > 2*slow[harmless] {
		t.Errorf("bystanders' p99 is %v under attack and %v beside harmless scripts", slow[attacked], slow[harmless])
	}
}

// ask asks the server that has key.
func (r *attackRun) ask(t *testing.T, key string, args ...string) testkit.Value {
	t.Helper()
	for _, s := range r.front.servers {
		c := testkit.Dial(t, s.Addr)
		if c.Do("EXISTS", key) == ":1\r\n" {
			v, err := testkit.ParseValue([]byte(c.Do(args...)))
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		c.Close()
	}
	return testkit.Value{Null: true}
}

func p99(took []time.Duration) time.Duration {
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[len(took)*99/100]
}

const mostFaults = 20

// fault reports what must never be. Any goroutine.
func (r *attackRun) fault(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.faults) < mostFaults {
		r.faults = append(r.faults, fmt.Sprintf(format, args...)+fmt.Sprintf(" (form: %v)", r.last.Load()))
	}
}

func (r *attackRun) faulty() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.faults) == mostFaults
}

func (r *attackRun) foreign(format string, args ...any) {
	r.mu.Lock()
	r.foreigns++
	r.mu.Unlock()
	r.fault("foreign reply: "+format, args...)
}

func (r *attackRun) twice(format string, args ...any) {
	r.mu.Lock()
	r.twices++
	r.mu.Unlock()
	r.fault("run twice, or lost: "+format, args...)
}

// holed remembers a form that made the server say more than it should. Any goroutine.
func (r *attackRun) holed(name string, raw []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.holes[name] = string(raw)
}

// note remembers what may be. Any goroutine.
func (r *attackRun) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if text := fmt.Sprintf(format, args...); len(r.notes) < 1000 {
		r.notes[text]++
	}
}

func (r *attackRun) mostNoted(n int) (texts []string) {
	for text := range r.notes {
		texts = append(texts, text)
	}
	slices.SortFunc(texts, func(a, b string) int { return r.notes[b] - r.notes[a] })
	return texts[:min(n, len(texts))]
}
