package e2e

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ringmaster/internal/testkit"
	"ringmaster/shard"
)

// clearFailover is what clients may be told while a primary is replaced: whether the command may have run.
var clearFailover = regexp.MustCompile(`^-ERR (timed out after \d+ ms waiting for |lost the connection to |)server \w+( is down|)(; the command (may have run|was not sent)|` +
	` refused the command at first, and a later command has run since; the first one did not run)`)

// sentinelProxy starts the proxy in front of sentinels.
func sentinelProxy(t *testing.T, sentinels []string, names string, flags ...string) *testkit.Server {
	t.Helper()
	return testkit.Proxy(t, sentinels, append([]string{"--topology", "sentinel", "--sentinel-masters", names}, flags...)...)
}

// A primary is killed and its replica takes over, FAILOVERS times: errors end with the promotion, and all of them are clear.
func TestSentinelFailoverEndsTheErrors(t *testing.T) {
	rounds := scale(t, "FAILOVERS", 1, 1, 1)
	s := testkit.StartSentinelsWith(t, testkit.SentinelOptions{Replicas: 1})
	proxy := sentinelProxy(t, s.Addrs(), "mymaster")
	w := weather{clear: clearFailover}
	w.strict.Store(true)
	stop := startMixed(t, proxy.Addr, scale(t, "SENTINEL_CLIENTS", 10, 20, 20), &w)
	for round := range rounds {
		w.goesOn(t)
		old := s.Primary("mymaster")
		w.strict.Store(false)
		w.crashes.Add(1)
		old.Kill()
		s.WaitPromoted(t, "mymaster", old)
		seen := time.Now()
		probes := dialEveryLoop(t, proxy.Addr)
		probes.until(t, "writes to the promoted replica", func(c *testkit.Conn) bool {
			return c.Do("SET", "probe", fmt.Sprint(round)) == "+OK\r\n"
		})
		probes.close()
		t.Logf("round %d: writes %v after the promotion was visible", round, time.Since(seen).Round(time.Millisecond))
		w.strict.Store(true)
		old.Restart(t)
		s.WaitOK(t)
		w.goesOn(t)
	}
	done, errors := stop()
	t.Logf("%d commands, %d errors", done, errors)
}

// A primary that hangs is replaced: what it owes is answered with errors, and when it goes on nobody hears of it.
func TestSentinelReplacesAPrimaryThatHangs(t *testing.T) {
	s := testkit.StartSentinelsWith(t, testkit.SentinelOptions{Replicas: 1})
	proxy := sentinelProxy(t, s.Addrs(), "mymaster")
	w := weather{clear: clearFailover}
	stop := startMixed(t, proxy.Addr, scale(t, "SENTINEL_CLIENTS", 10, 20, 20), &w)
	old := s.Primary("mymaster")
	w.goesOn(t)
	w.crashes.Add(1)
	old.Stop()
	s.WaitPromoted(t, "mymaster", old)
	probes := dialEveryLoop(t, proxy.Addr)
	probes.until(t, "writes to the promoted replica", func(c *testkit.Conn) bool { return c.Do("SET", "probe", "1") == "+OK\r\n" })
	w.crashes.Add(1)
	old.Cont()
	s.WaitOK(t)
	w.strict.Store(true)
	w.goesOn(t)
	if got := probes[0].Do("SET", "probe", "2"); got != "+OK\r\n" {
		t.Errorf("a write while the old primary follows: %q", got)
	}
	if v, err := s.Ask(s.Primary("mymaster"), "GET", "probe"); err != nil || v.Text != "2" {
		t.Errorf("the primary has %v, %v", v, err)
	}
	done, errors := stop()
	t.Logf("%d commands, %d errors", done, errors)
}

// The proxy starts while a primary is down: what comes waits for the promotion, or gets a clear error.
func TestSentinelProxyStartsDuringAnOutage(t *testing.T) {
	s := testkit.StartSentinels(t, 1)
	old := s.Primary("mymaster")
	old.Kill()
	proxy := sentinelProxy(t, s.Addrs(), "mymaster", "--timeout", "20s")
	if got := testkit.Dial(t, proxy.Addr).Do("SET", "k", "v"); got != "+OK\r\n" {
		t.Errorf("a write during the outage: %q", got)
	}
	if v, err := s.Ask(s.Groups["mymaster"][1], "GET", "k"); err != nil || v.Text != "v" {
		t.Errorf("the new primary has %v, %v", v, err)
	}
}

// sentinelTopology is what /topology shows.
type sentinelTopology struct {
	Topology string
	Servers  []shard.Server
	Sentinel struct {
		Sentinels []string
		Groups    []shard.Group
		Masters   []struct {
			Name, Addr    string
			Views, Agreed int
		}
	}
}

func topologyOf(t *testing.T, proxy *testkit.Server) (top sentinelTopology) {
	t.Helper()
	proxy.Topology(t, &top)
	return top
}

// Several names are shards, placed by ketama over the names as over servers of these names.
func TestSentinelNamesAreShards(t *testing.T) {
	names := []string{"red", "green", "blue"}
	s := testkit.StartSentinelsWith(t, testkit.SentinelOptions{Names: names, Replicas: 1, Password: "secret", Guard: "guard", DownAfter: testkit.Patience})
	// One sentinel is named, the others are learnt.
	proxy := sentinelProxy(t, s.Addrs()[:1], strings.Join(names, ","), "--upstream-password", "secret", "--sentinel-password", "guard",
		"--hash", "murmur", "--timeout", testkit.Patience.String())
	c := testkit.Dial(t, proxy.Addr)
	var list []shard.Server
	for _, name := range names {
		list = append(list, shard.Server{Name: name, Addr: name, Weight: 1})
	}
	m, err := shard.New(shard.Config{Servers: list, Hash: shard.Murmur})
	if err != nil {
		t.Fatal(err)
	}
	placed := map[string]int{}
	check := func() {
		t.Helper()
		for i := range 60 {
			key := fmt.Sprint("key:", i)
			name := names[m.Lookup([]byte(key))]
			v, err := s.Ask(s.Primary(name), "EXISTS", key)
			if err != nil || v.Text != "1" {
				t.Fatalf("%s is not with %s: %v, %v", key, name, v, err)
			}
			placed[name]++
		}
	}
	for i := range 60 {
		if got := c.Do("SET", fmt.Sprint("key:", i), "x"); got != "+OK\r\n" {
			t.Fatal(got)
		}
	}
	check()
	if len(placed) != 3 {
		t.Errorf("keys are with %v only", placed)
	}
	if got := c.Do("MGET", "key:1", "key:2", "key:3", "none"); got != "*4\r\n$1\r\nx\r\n$1\r\nx\r\n$1\r\nx\r\n$-1\r\n" {
		t.Errorf("MGET: %q", got)
	}
	if got := c.Do("SELECT", "3") + c.Do("DBSIZE") + c.Do("SET", "key:1", "y") + c.Do("DBSIZE"); got != "+OK\r\n:0\r\n+OK\r\n:1\r\n" {
		t.Errorf("another database: %q", got)
	}
	testkit.Until(t, "/topology to show all sentinels and replicas", func() bool {
		top := topologyOf(t, proxy)
		return top.Topology == "sentinel" && len(top.Servers) == 3 && len(top.Sentinel.Sentinels) == 3 && len(top.Sentinel.Masters) == 3 &&
			!slices.ContainsFunc(top.Sentinel.Groups, func(g shard.Group) bool { return len(g.Replicas) != 1 })
	})

	// A planned failover moves no key, and others do not notice. What a replica lacks would be lost.
	s.WaitOK(t)
	red, green := s.Primary("red"), keyAt(m, 1, "mine")
	blocked, subscriber, elsewhere := testkit.Dial(t, proxy.Addr), testkit.Dial(t, proxy.Addr), testkit.Dial(t, proxy.Addr)
	elsewhere.Send(testkit.Request("BLPOP", green, "0"))
	blocked.Send(testkit.Request("BLPOP", keyAt(m, 0, "mine"), "0"))
	if got := subscriber.Do("SUBSCRIBE", keyAt(m, 0, "mine")); !strings.Contains(got, "subscribe") {
		t.Fatal(got)
	}
	testkit.Until(t, "clients that are blocked", func() bool {
		v, err := s.Ask(red, "INFO", "clients")
		w, err2 := s.Ask(s.Primary("green"), "INFO", "clients")
		return err == nil && err2 == nil && strings.Contains(v.Text, "blocked_clients:1") && strings.Contains(w.Text, "blocked_clients:1")
	})
	ended, calm := make(chan struct{}), make(chan error, 1)
	go func() { calm <- untroubled(proxy.Addr, keyAt(m, 1, "other"), ended) }()
	if v, err := s.Ask(s.Sentinels[2], "SENTINEL", "FAILOVER", "red"); err != nil || v.Kind == '-' {
		t.Fatalf("%v, %v", v, err)
	}
	promoted := s.WaitPromoted(t, "red", red)
	testkit.Until(t, "/topology to show the new primary", func() bool { return topologyOf(t, proxy).Servers[0].Addr == promoted.Addr })
	c.Do("SELECT", "0")
	testkit.Until(t, "a write to reach the new primary", func() bool { // the page is changed before the loops are told
		if got := c.Do("SET", keyAt(m, 0, "mine"), "z"); got != "+OK\r\n" {
			t.Fatalf("a write while the primary is replaced: %q", got)
		}
		v, err := s.Ask(promoted, "GET", keyAt(m, 0, "mine"))
		return err == nil && v.Text == "z"
	})
	if got, err := blocked.Next(); err != nil || !strings.HasPrefix(string(got), "-UNBLOCKED ") && !clearFailover.Match(got) {
		t.Errorf("who was blocked got %q, %v", got, err)
	}
	if got, err := subscriber.Next(); err == nil {
		t.Errorf("who was subscribed got %q", got)
	}
	c.Do("RPUSH", green, "x")
	if got, err := elsewhere.Next(); err != nil || string(got) != testkit.Request(green, "x") {
		t.Errorf("who was blocked elsewhere got %q, %v", got, err)
	}
	s.WaitOK(t)
	check()
	close(ended)
	if err := <-calm; err != nil {
		t.Errorf("a client of another name: %v", err)
	}
	for _, want := range []string{"sentinels found the primaries", fmt.Sprintf("primary of red is now %s, was %s", promoted.Addr, red.Addr)} {
		if !strings.Contains(proxy.Log(), want) {
			t.Errorf("the log lacks %q:\n%s", want, proxy.Log())
		}
	}
}

// untroubled writes to a key until ended is closed; any error is told.
func untroubled(addr, key string, ended <-chan struct{}) error {
	c, err := testkit.Connect(addr)
	if err != nil {
		return err
	}
	defer c.Close()
	for n := 1; ; n++ {
		select {
		case <-ended:
			return nil
		default:
		}
		if got, err := c.Call("SET", key, fmt.Sprint(n)); err != nil || got != "+OK\r\n" {
			return fmt.Errorf("write %d: %q, %w", n, got, err)
		}
	}
}

// keyAt is a key of a shard that begins with a word.
func keyAt(m *shard.Map, shard int, word string) string {
	for i := 0; ; i++ {
		if key := fmt.Sprint(word, ":", i); m.Lookup([]byte(key)) == shard {
			return key
		}
	}
}
