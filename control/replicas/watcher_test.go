package replicas

import (
	"bytes"
	"context"
	"log/slog"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"ringmaster/internal/testkit"
	"ringmaster/pool"
	"ringmaster/shard"
)

func at(addr string) shard.Server { return shard.Server{Name: addr, Addr: addr, Weight: 1} }

// watch runs a watcher until the test ends, and returns channels of the health and of the groups that it finds.
func watch(t *testing.T, w *Watcher) (health chan pool.Health, found chan []shard.Group) {
	t.Helper()
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(context.Background())
	health, found = make(chan pool.Health, 1000), make(chan []shard.Group, 1000)
	done := make(chan struct{})
	go func() {
		defer close(done)
		last := w.Groups()
		w.Run(ctx, func(h pool.Health) { health <- h }, func() {
			if now := w.Groups(); !reflect.DeepEqual(now, last) {
				last = now
				found <- now
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		testkit.Until(t, "the watcher's goroutines to end", func() bool { return runtime.NumGoroutine() <= before })
	})
	return health, found
}

// await reads from c until ok.
func await[T any](t *testing.T, what string, c chan T, ok func(T) bool) {
	t.Helper()
	limit := time.After(testkit.Patience)
	for {
		select {
		case v := <-c:
			if ok(v) {
				return
			}
		case <-limit:
			t.Fatalf("waited %v for %s", testkit.Patience, what)
		}
	}
}

func testConfig() Config {
	return Config{MaxLag: 400 * time.Millisecond, Timeout: time.Second, Log: slog.New(slog.DiscardHandler)}
}

// replicaOf starts a server that replicates another.
func replicaOf(t *testing.T, addr string) *testkit.Server {
	t.Helper()
	p := at(addr)
	host, port := p.Addr[:len("127.0.0.1")], p.Addr[len("127.0.0.1:"):]
	return testkit.Redis(t, "--replicaof", host+" "+port, "--repl-diskless-sync-delay", "0")
}

func TestReplicasAreFoundAndJudged(t *testing.T) {
	primary := testkit.Redis(t, "--repl-diskless-sync-delay", "0")
	c := testConfig()
	c.Discover, c.Zone, c.Zones = true, "a", map[string]string{primary.Addr: "a"}
	var log bytes.Buffer
	c.Log = slog.New(slog.NewTextHandler(&log, nil))
	w := New(c)
	w.Follow([]shard.Group{{Primary: at(primary.Addr)}})
	w.Ask(context.Background())
	w.Ask(context.Background())
	if n := strings.Count(log.String(), "no replica is known"); n != 1 || !strings.Contains(log.String(), "primary="+primary.Addr) {
		t.Errorf("that there is none is logged %d times:\n%s", n, &log)
	}
	if h := w.Health()[primary.Addr]; h.Silent || !h.Near || h.At.IsZero() {
		t.Errorf("the primary is %+v", h)
	}
	health, found := watch(t, w)
	r := replicaOf(t, primary.Addr)
	await(t, "the replica to be found", found, func(g []shard.Group) bool { return slices.Equal(g[0].Replicas, []shard.Server{at(r.Addr)}) })
	await(t, "the replica to be fit", health, func(h pool.Health) bool { return h[r.Addr].Reads == pool.ReadsAlways })
	if s := w.Status(); len(s) != 1 || s[0].Addr != r.Addr || s[0].Primary != primary.Addr || !s[0].Readable || s[0].Why != "" {
		t.Errorf("status %+v", s)
	}
	primary.Kill()
	await(t, "the primary to be silent", health, func(h pool.Health) bool { return h[primary.Addr].Silent })
	if h := w.Health()[r.Addr]; h.Reads != pool.ReadsAlways {
		t.Errorf("without its primary the replica is %+v", h)
	}
	r.Kill()
	await(t, "the replica to be given up", health, func(h pool.Health) bool { return h[r.Addr].Reads == pool.ReadsNever })
}

// After a Hint the current health is published, even if it has not changed.
func TestAHintIsConfirmed(t *testing.T) {
	primary := testkit.Redis(t, "--repl-diskless-sync-delay", "0")
	r := replicaOf(t, primary.Addr)
	w := New(testConfig())
	w.Follow([]shard.Group{{Primary: at(primary.Addr), Replicas: []shard.Server{at(r.Addr)}}})
	health, _ := watch(t, w)
	await(t, "the replica to be fit", health, func(h pool.Health) bool { return h[r.Addr].Reads == pool.ReadsAlways })
	asked := time.Now()
	w.Hint()
	await(t, "a newer word", health, func(h pool.Health) bool { return h[r.Addr].Reads == pool.ReadsAlways && h[r.Addr].At.After(asked) })
}

// After a failover the watcher follows another primary, and keeps what it knows about the servers that stay.
func TestGroupsThatChangeAreFollowed(t *testing.T) {
	one, two := testkit.Redis(t, "--repl-diskless-sync-delay", "0"), testkit.Redis(t)
	r := replicaOf(t, one.Addr)
	w := New(testConfig())
	w.Follow([]shard.Group{{Primary: at(one.Addr), Replicas: []shard.Server{at(r.Addr), at("127.0.0.1:1")}}})
	health, _ := watch(t, w)
	await(t, "the replica to be fit", health, func(h pool.Health) bool { return h[r.Addr].Reads == pool.ReadsAlways })
	w.Follow([]shard.Group{{Primary: at(two.Addr)}, {Primary: at(one.Addr), Replicas: []shard.Server{at(r.Addr)}}})
	h := w.Health()
	if _, stays := h["127.0.0.1:1"]; stays || h[r.Addr].Reads != pool.ReadsAlways {
		t.Errorf("%+v", h)
	}
	w.Follow([]shard.Group{{Primary: at(two.Addr), Replicas: []shard.Server{at(r.Addr)}}})
	testkit.Until(t, "the replica of somebody else to be asked", func() bool { return !w.Health()[r.Addr].At.IsZero() })
	if s := w.Status(); len(s) != 1 || s[0].Readable || s[0].Why != "it does not follow this primary" {
		t.Errorf("status %+v", s)
	}
}

// A primary is killed and comes back while its replicas stay. Everything published names a server that can be read
// from.
func TestSomeServerIsAlwaysLeft(t *testing.T) {
	primary := testkit.Redis(t, "--repl-diskless-sync-delay", "0")
	replicas := []*testkit.Server{replicaOf(t, primary.Addr), replicaOf(t, primary.Addr)}
	w := New(testConfig())
	w.Follow([]shard.Group{{Primary: at(primary.Addr), Replicas: []shard.Server{at(replicas[0].Addr), at(replicas[1].Addr)}}})
	health, _ := watch(t, w)
	left := func(h pool.Health) bool {
		return !h[primary.Addr].Silent || h[replicas[0].Addr].Reads != pool.ReadsNever || h[replicas[1].Addr].Reads != pool.ReadsNever
	}
	fit := func(h pool.Health) bool {
		return !h[primary.Addr].Silent && h[replicas[0].Addr].Reads == pool.ReadsAlways && h[replicas[1].Addr].Reads == pool.ReadsAlways
	}
	await(t, "both replicas to be fit", health, fit)
	ended := make(chan struct{})
	defer close(ended)
	go func() { // like loops that lose reads and keep hinting
		for {
			select {
			case <-ended:
				return
			case <-time.After(time.Millisecond):
				w.Hint()
			}
		}
	}()
	for range 3 {
		c := testkit.Dial(t, primary.Addr)
		testkit.Until(t, "the data to be saved", func() bool { return c.Do("SAVE") == "+OK\r\n" })
		primary.Kill()
		primary.Restart(t)
		back := time.Now()
		await(t, "all to be well again", health, func(h pool.Health) bool {
			if !left(h) {
				t.Errorf("nobody is left: %+v", h)
			}
			return fit(h) && h[primary.Addr].At.After(back)
		})
	}
}

// A primary stays the same when its name or the spelling of its address changes: its replicas and their verdicts
// stay.
func TestAServerIsKnownByItsAddress(t *testing.T) {
	primary := testkit.Redis(t, "--repl-diskless-sync-delay", "0")
	r := replicaOf(t, primary.Addr)
	c := testConfig()
	c.Discover = true
	w := New(c)
	w.Follow([]shard.Group{{Primary: at(primary.Addr)}})
	health, _ := watch(t, w)
	await(t, "the replica to be fit", health, func(h pool.Health) bool { return h[r.Addr].Reads == pool.ReadsAlways })
	before := connections(t, primary)
	other := strings.Replace(primary.Addr, "127.0.0.1", "localhost", 1)
	w.Follow([]shard.Group{{Primary: shard.Server{Name: "renamed", Addr: other, Weight: 2}}})
	if h := w.Health(); h[r.Addr].Reads != pool.ReadsAlways || h[other].At.IsZero() || len(h) != 2 {
		t.Errorf("%+v", h)
	}
	if s := w.Status(); len(s) != 1 || s[0].Primary != "renamed" {
		t.Errorf("%+v", s)
	}
	asked := time.Now()
	w.Hint()
	await(t, "a newer word", health, func(h pool.Health) bool { return h[other].At.After(asked) })
	if n := connections(t, primary); n != before {
		t.Errorf("%d connections, %d before", n, before)
	}
}

// asUser counts the watcher's connections to a server by user.
func asUser(t *testing.T, s *testkit.Server, user string) int {
	t.Helper()
	c := testkit.Dial(t, s.Addr)
	c.Do("AUTH", "default", "first")
	n := 0
	for line := range strings.Lines(c.Do("CLIENT", "LIST")) {
		if strings.Contains(line, "name=ringmaster") && strings.Contains(line, " user="+user+" ") {
			n++
		}
	}
	return n
}

func TestAnotherLoginCounts(t *testing.T) {
	primary := testkit.Redis(t, "--requirepass", "first")
	admin := testkit.Dial(t, primary.Addr)
	if got := admin.Do("AUTH", "first") + admin.Do("ACL", "SETUSER", "ann", "on", ">second", "+@all"); got != "+OK\r\n+OK\r\n" {
		t.Fatal(got)
	}
	w := New(testConfig())
	w.Follow([]shard.Group{{Primary: at(primary.Addr)}})
	answers := func(what string, want bool) {
		t.Helper()
		asked := time.Now()
		w.Ask(t.Context())
		if got := w.Health()[primary.Addr].At.After(asked); got != want {
			t.Errorf("%s: it answers: %t", what, got)
		}
	}
	answers("without a login", false)

	c := testConfig()
	c.Password = "first"
	w.Configure(c)
	answers("with the password", true)

	c.Password = "wrong" // as in a file with a mistake; open connections stay logged in
	w.Configure(c)
	answers("over the connection that was logged in", true)
	if n := asUser(t, primary, "default"); n != 1 {
		t.Errorf("%d connections", n)
	}

	c.Username, c.Password = "ann", "second"
	w.Configure(c)
	answers("the other user", true)
	if a, b := asUser(t, primary, "default"), asUser(t, primary, "ann"); a != 0 || b != 1 {
		t.Errorf("%d connections of the user before, %d of this one", a, b)
	}
	w.current()[0].close()
}

// New zones and a new lag bound count at once.
func TestOtherZonesAndLagCount(t *testing.T) {
	primary := testkit.Redis(t, "--repl-diskless-sync-delay", "0")
	r := replicaOf(t, primary.Addr)
	w := New(testConfig())
	w.Follow([]shard.Group{{Primary: at(primary.Addr), Replicas: []shard.Server{at(r.Addr)}}})
	health, _ := watch(t, w)
	await(t, "the replica to be fit", health, func(h pool.Health) bool { return h[r.Addr].Reads == pool.ReadsAlways })
	c := testConfig()
	c.MaxLag, c.Zone, c.Zones = 0, "a", map[string]string{r.Addr: "a"}
	w.Configure(c)
	await(t, "the replica to be near", health, func(h pool.Health) bool { return h[r.Addr].Near && !h[primary.Addr].Near })
	if got := w.config(); got.Interval != slowest || got.MaxLag != 0 {
		t.Errorf("%+v", got)
	}
}
