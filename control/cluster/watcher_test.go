package cluster

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ringmaster/internal/testkit"
	"ringmaster/shard"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// follower runs a watcher and keeps what it publishes and logs.
type follower struct {
	*Watcher
	mu     sync.Mutex
	groups []shard.Group
	maps   int
	log    bytes.Buffer
}

func (f *follower) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.log.Write(b)
}

func (f *follower) logged() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.log.String()
}

func (f *follower) latest() []shard.Group {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.groups
}

// follow runs a watcher until the test ends.
func follow(t *testing.T, c Config) *follower {
	t.Helper()
	f := new(follower)
	c.Log = slog.New(slog.NewTextHandler(f, nil))
	f.Watcher = New(c)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.Run(ctx, func(groups []shard.Group) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.groups = groups
			f.maps++
		})
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		if t.Failed() {
			t.Logf("the watcher's log:\n%s", f.logged())
		}
	})
	return f
}

// owner returns the published primary of slot and its replicas.
func owner(groups []shard.Group, slot uint16) (string, []string) {
	for _, g := range groups {
		for _, r := range g.Slots {
			if r.First <= slot && slot <= r.Last {
				var replicas []string
				for _, s := range g.Replicas {
					replicas = append(replicas, s.Addr)
				}
				return g.Primary.Addr, replicas
			}
		}
	}
	return "", nil
}

func TestARealClusterIsFollowed(t *testing.T) {
	c := testkit.StartClusterWith(t, testkit.ClusterOptions{Primaries: 3, Replicas: 3, Password: "secret"})
	seed := c.Nodes[0]
	// Without hurrying the timer would be too late.
	f := follow(t, Config{Seeds: []string{seed.Addr}, Password: "secret", Interval: 2 * testkit.Patience})

	testkit.Until(t, "the first map", func() bool { return len(f.latest()) == 3 })
	for i, g := range f.latest() {
		if g.Primary.Addr != c.Nodes[i].Addr || g.Primary.Name != g.Primary.Addr || g.Primary.Weight != 1 {
			t.Errorf("group %d is %+v, want the primary %s", i, g, c.Nodes[i].Addr)
		}
	}
	testkit.Until(t, "the replicas", func() bool {
		f.Hint()
		_, replicas := owner(f.latest(), 0)
		return slices.Equal(replicas, []string{c.Nodes[3].Addr})
	})

	// A slot is moved; the hint makes the refresh quick.
	from, to := c.Nodes[1], c.Nodes[2]
	c.MoveSlots(t, 6000, 6009, from, to)
	f.Hint()
	testkit.Until(t, "the slots that moved", func() bool {
		at, _ := owner(f.latest(), 6009)
		return at == to.Addr
	})
	if at, _ := owner(f.latest(), 6010); at != from.Addr || f.latest()[1].Primary.Addr != from.Addr {
		t.Errorf("slot 6010 is at %s; groups %v", at, f.latest())
	}

	// The seed, a primary, is killed. After it is known to fail no hint is needed.
	seed.Kill()
	testkit.Until(t, "the primary to be seen failing", func() bool {
		f.Hint()
		at, _ := owner(f.latest(), 0)
		return at != seed.Addr || slices.ContainsFunc(f.Status().Nodes, func(n Node) bool { return n.Addr == seed.Addr && n.Failing })
	})
	promoted := c.WaitPromoted(t, seed, 0)
	testkit.Until(t, "the promotion", func() bool {
		at, _ := owner(f.latest(), 0)
		return at == promoted.Addr
	})
	if f.latest()[0].Primary.Addr != promoted.Addr {
		t.Errorf("the group lost its place: %v", f.latest())
	}

	// The seed comes back as a replica.
	seed.Restart(t)
	testkit.Until(t, "the restarted node as a replica", func() bool {
		f.Hint()
		at, replicas := owner(f.latest(), 0)
		return at == promoted.Addr && slices.Equal(replicas, []string{seed.Addr})
	})

	// A moving slot does not change the map yet.
	c.WaitOK(t)
	c.OpenSlot(t, 0, promoted, to)
	testkit.Until(t, "an open slot", func() bool { f.Hint(); return f.Status().Open > 0 })

	s := f.Status()
	if s.Refreshes == 0 || s.LastGood.IsZero() || s.Covered != shard.Slots || len(s.Nodes) != 6 || len(s.Groups) != 3 || s.Age() > 10*time.Second {
		t.Errorf("status %+v", s)
	}
	for _, want := range []string{
		"cluster discovered",
		"moved from " + from.Addr + " to " + to.Addr,
		fmt.Sprintf("primary of 0-5460 is now %s, was %s", promoted.Addr, seed.Addr),
		fmt.Sprintf("replica %s of %s added", seed.Addr, promoted.Addr),
	} {
		if !strings.Contains(f.logged(), want) {
			t.Errorf("the log lacks %q:\n%s", want, f.logged())
		}
	}
	if n := strings.Count(f.logged(), "\n"); n > 25 {
		t.Errorf("%d lines of log:\n%s", n, f.logged())
	}
}

func TestHostnamesAndHostsThatWereAsked(t *testing.T) {
	for kind, want := range map[string]string{"hostname": "node.example:", "unknown-endpoint": "localhost:"} {
		c := testkit.StartClusterWith(t, testkit.ClusterOptions{Primaries: 1, Args: []string{
			"--cluster-preferred-endpoint-type", kind, "--cluster-announce-hostname", "node.example"}})
		seed := strings.Replace(c.Nodes[0].Addr, "127.0.0.1", "localhost", 1)
		groups, err := New(Config{Seeds: []string{seed}, Log: slog.New(slog.DiscardHandler)}).Discover(t.Context())
		if err != nil || len(groups) != 1 || !strings.HasPrefix(groups[0].Primary.Addr, want) {
			t.Errorf("%s: %v, %v", kind, groups, err)
		}
	}
}

func TestDiscoverSaysWhatEachSeedAnswered(t *testing.T) {
	alone := testkit.Redis(t)
	locked := testkit.Redis(t, "--cluster-enabled", "yes", "--requirepass", "secret")
	empty := testkit.Redis(t, "--cluster-enabled", "yes")
	nobody := testkit.Loopback(testkit.FreePort(t))
	silent := testkit.NewFakeShard(t, func(_ int, c *testkit.Conn) { _, _ = c.Rest() })
	nonsense := testkit.NewFakeShard(t, func(_ int, c *testkit.Conn) { _ = c.SendBytes([]byte("SSH-2.0-x\r\n")) })

	seeds := []string{alone.Addr, locked.Addr, empty.Addr, nobody, silent.Addr, nonsense.Addr}
	_, err := New(Config{Seeds: seeds, Timeout: 2 * time.Second}).Discover(t.Context())
	if err == nil {
		t.Fatal("no error")
	}
	for addr, want := range map[string]string{
		alone.Addr:    `answered CLUSTER INFO with "ERR This instance has cluster support disabled"`,
		locked.Addr:   `answered CLUSTER INFO with "NOAUTH Authentication required."`,
		empty.Addr:    "cluster_state:fail, and it knows 1 nodes",
		nobody:        "refused",
		silent.Addr:   "timeout",
		nonsense.Addr: "not RESP",
	} {
		_, text, _ := strings.Cut(err.Error(), addr+": ")
		text, _, _ = strings.Cut(text, "; ")
		if !strings.Contains(text, want) {
			t.Errorf("%s: %q, want %q", addr, text, want)
		}
	}
	_, err = New(Config{Seeds: []string{locked.Addr}, Password: "x"}).Discover(t.Context())
	if err == nil || !strings.Contains(err.Error(), "WRONGPASS") {
		t.Errorf("wrong password: %v", err)
	}
	if _, err = New(Config{}).Discover(t.Context()); err == nil {
		t.Error("no seeds: no error")
	}
}

// fakeNode is a scripted node; SHARDS is unknown to it, as before Redis 7.0.
func fakeNode(t *testing.T, nodes func() string) *testkit.FakeShard {
	return testkit.NewFakeShard(t, testkit.Answering(func(_ int, args []string) string {
		switch strings.Join(args, " ") {
		case "CLUSTER INFO":
			return bulk("cluster_state:ok\r\n")
		case "CLUSTER NODES":
			return bulk(nodes())
		case "CLUSTER SLOTS":
			return "*0\r\n"
		}
		return "-ERR Unknown subcommand\r\n"
	}))
}

// A view needs the addresses of the nodes: without them there is no view.
func TestNonsenseForEndpointsIsNoView(t *testing.T) {
	n := testkit.NewFakeShard(t, testkit.Answering(func(_ int, args []string) string {
		switch strings.Join(args, " ") {
		case "CLUSTER INFO":
			return bulk("cluster_state:ok\r\n")
		case "CLUSTER NODES":
			return bulk("a :1@2 myself,master - 0 0 1 connected 0-16383")
		}
		return "+OK\r\n"
	}))
	groups, err := New(Config{Seeds: []string{n.Addr}}).Discover(t.Context())
	if err == nil || !strings.Contains(err.Error(), "CLUSTER SHARDS is not an array") {
		t.Errorf("%v, %v", groups, err)
	}
}

func bulk(s string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(s), s) }

func TestHintsAreJoinedAndRateLimited(t *testing.T) {
	n := fakeNode(t, func() string { return "a :1@2 myself,master - 0 0 1 connected 0-16383" })
	f := follow(t, Config{Seeds: []string{n.Addr}, Interval: time.Hour, MinInterval: 50 * time.Millisecond})
	testkit.Until(t, "the first map", func() bool { return len(f.latest()) == 1 })
	if at, _ := owner(f.latest(), 7); at != "127.0.0.1:1" {
		t.Errorf("slot 7 is at %q", at)
	}
	began, first := time.Now(), f.Status().Refreshes
	testkit.Until(t, "five more refreshes", func() bool {
		f.Hint()
		return f.Status().Refreshes >= first+5
	})
	// The pause before the first of them may already be over.
	if took := time.Since(began); took < 4*50*time.Millisecond {
		t.Errorf("five refreshes in %v: they are to begin 50 ms apart", took)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.maps != 1 {
		t.Errorf("%d maps published, want 1: nothing changed", f.maps)
	}
}

func TestWhenNobodyAnswersTheLastMapStays(t *testing.T) {
	var addr string
	n := fakeNode(t, func() string {
		return "a " + addr + "@2 myself,master - 0 0 1 connected 0-16383"
	})
	addr = n.Addr
	f := follow(t, Config{Seeds: []string{n.Addr}, Interval: 20 * time.Millisecond, MinInterval: time.Millisecond})
	testkit.Until(t, "the first map", func() bool { return len(f.latest()) == 1 })
	n.Close()
	testkit.Until(t, "failures", func() bool { return f.Status().Failures > 3 })
	if len(f.Status().Groups) != 1 || len(f.latest()) != 1 {
		t.Errorf("the map is gone: %+v", f.Status())
	}
	if got := strings.Count(f.logged(), "cluster does not answer"); got != 1 {
		t.Errorf("the outage is told %d times:\n%s", got, f.logged())
	}
}

func TestASilentNodeDoesNotHoldUpTheOthers(t *testing.T) {
	silent := testkit.NewFakeShard(t, func(_ int, c *testkit.Conn) { _, _ = c.Rest() })
	var nodes []*testkit.FakeShard
	view := func(self int) func() string {
		return func() string {
			text := "s " + silent.Addr + "@2 master - 0 0 1 connected 0"
			for i, n := range nodes {
				flags := "master"
				if i == self {
					flags = "myself,master"
				}
				text += fmt.Sprintf("\nn%d %s@2 %s - 0 0 %d connected %d", i, n.Addr, flags, i+2, i+1)
			}
			return text
		}
	}
	for i := range 3 {
		nodes = append(nodes, fakeNode(t, view(i)))
	}
	w := New(Config{Seeds: []string{nodes[0].Addr, nodes[1].Addr, silent.Addr}, Timeout: time.Hour, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	groups, err := w.Discover(ctx)
	if err != nil || len(groups) != 4 {
		t.Fatalf("%v, %v", groups, err)
	}
}

// Seeds and the login change while the watcher runs. It finds the cluster with the new ones, and what it knows stays.
func TestOtherSeedsAndAnotherLoginCount(t *testing.T) {
	c := testkit.StartClusterWith(t, testkit.ClusterOptions{Primaries: 1, Password: "secret"})
	nobody := []string{testkit.Loopback(testkit.FreePort(t))}
	f := follow(t, Config{Seeds: nobody, Timeout: testkit.Patience})
	testkit.Until(t, "a failure", func() bool { return f.Status().Failures > 0 })
	f.Configure(Config{Seeds: []string{c.Nodes[0].Addr}})
	testkit.Until(t, "the node that refuses", func() bool {
		f.Hint()
		_, err := f.ask(t.Context(), c.Nodes[0].Addr)
		return err != nil && strings.Contains(err.Error(), "NOAUTH") && len(f.follower.Known().Asked) == 1 && f.follower.Known().Asked[0] == c.Nodes[0].Addr
	})
	f.Configure(Config{Seeds: []string{c.Nodes[0].Addr}, Username: "default", Password: "secret"})
	testkit.Until(t, "the map", func() bool { f.Hint(); return len(f.latest()) == 1 })
	f.Configure(Config{Seeds: nobody, Password: "secret"})
	s := f.Status()
	testkit.Until(t, "more refreshes", func() bool { f.Hint(); return f.Status().Refreshes > s.Refreshes+2 })
	if now := f.Status(); now.Failures != s.Failures || now.Changes != s.Changes || now.Covered != shard.Slots {
		t.Errorf("without a seed that answers: %+v, before %+v", now, s)
	}
}
