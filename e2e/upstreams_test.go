package e2e

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ringmaster/internal/testkit"
)

// threeUpstreams is one process with three upstreams, three plain shards, a Redis Cluster and one server with a password, and a
// listener for each.
type threeUpstreams struct {
	proxy  *testkit.Server
	addrs  [3]string // of the listeners
	shards []*testkit.Server
}

func startThreeUpstreams(t *testing.T) *threeUpstreams {
	t.Helper()
	u := &threeUpstreams{}
	var servers []string
	for range 3 {
		s := testkit.Redis(t)
		u.shards = append(u.shards, s)
		servers = append(servers, "'"+s.Addr+"'")
	}
	cluster := testkit.StartCluster(t, 3, 0)
	locked := testkit.Redis(t, "--requirepass", "secret")
	u.addrs[1], u.addrs[2] = fmt.Sprintf("127.0.0.1:%d", testkit.FreePort(t)), fmt.Sprintf("127.0.0.1:%d", testkit.FreePort(t))
	u.proxy = testkit.ProxyWith(t, testkit.ProxyOptions{Settings: func(addr string) string {
		u.addrs[0] = addr
		return fmt.Sprintf(`
listeners:
  - {address: '%s', upstream: cache}
  - {address: '%s', upstream: main, deny-commands: [keys]}
  - {address: '%s', upstream: locked, password: mine}
upstreams:
  cache: {servers: [%s], timeout: 2s}
  main: {topology: cluster, servers: ['%s']}
  locked: {servers: ['%s'], password: secret}
`, addr, u.addrs[1], u.addrs[2], strings.Join(servers, ", "), cluster.Nodes[0].Addr, locked.Addr)
	}})
	return u
}

// clients are connected to the listeners, and logged in where that is needed.
func (u *threeUpstreams) clients(t *testing.T) (all [3]*testkit.Conn) {
	t.Helper()
	for i, addr := range u.addrs {
		all[i] = testkit.Dial(t, addr)
	}
	if got := all[2].Do("AUTH", "mine"); got != "+OK\r\n" {
		t.Fatalf("AUTH: %q", got)
	}
	return all
}

func TestEachListenerSeesItsUpstreamOnly(t *testing.T) {
	u := startThreeUpstreams(t)
	c := u.clients(t)
	const keys = 200
	for i, conn := range c {
		for k := range keys {
			if got := conn.Do("SET", fmt.Sprintf("key:%d", k), fmt.Sprintf("of %d", i)); got != "+OK\r\n" {
				t.Fatalf("listener %d: SET: %q", i, got)
			}
		}
	}
	for i, conn := range c {
		want := fmt.Sprintf("$4\r\nof %d\r\n", i)
		for k := range keys {
			if got := conn.Do("GET", fmt.Sprintf("key:%d", k)); got != want {
				t.Fatalf("listener %d: %q", i, got)
			}
		}
		if got := conn.Do("DBSIZE"); got != fmt.Sprintf(":%d\r\n", keys) {
			t.Errorf("listener %d: DBSIZE %q", i, got)
		}
	}
	// What one listener's clients do to all of its servers, and what they are denied, is no matter of the others'.
	if got := c[0].Do("FLUSHALL"); got != "+OK\r\n" {
		t.Errorf("FLUSHALL: %q", got)
	}
	for i, want := range []int{0, keys, keys} {
		if got := c[i].Do("DBSIZE"); got != fmt.Sprintf(":%d\r\n", want) {
			t.Errorf("after FLUSHALL at another listener %d has %q", i, got)
		}
	}
	for i, want := range []string{"*0\r\n", "-NOPERM ", "*0\r\n"} {
		if got := c[i].Do("KEYS", "no*"); !strings.HasPrefix(got, want) {
			t.Errorf("listener %d: KEYS: %q", i, got)
		}
	}
}

func TestUpstreamsShareNoMessagesAndNoClients(t *testing.T) {
	u := startThreeUpstreams(t)
	var listening, talking [3]*testkit.Conn
	listening, talking = u.clients(t), u.clients(t)
	for i, conn := range listening {
		if got := conn.Do("SUBSCRIBE", "news"); got != "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n" {
			t.Fatalf("listener %d: %q", i, got)
		}
	}
	for i, conn := range talking {
		if got := conn.Do("PUBLISH", "news", fmt.Sprintf("from %d", i)); got != ":1\r\n" {
			t.Errorf("listener %d: PUBLISH reached %q", i, got)
		}
		if got := conn.Do("CLIENT", "LIST"); strings.Count(got, "id=") != 2 {
			t.Errorf("listener %d: CLIENT LIST: %q", i, got)
		}
	}
	for i, conn := range listening {
		want := fmt.Sprintf("*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$6\r\nfrom %d\r\n", i)
		if got := conn.Read1(); got != want {
			t.Errorf("listener %d: %q", i, got)
		}
		if got := conn.Do("UNSUBSCRIBE"); got != "*3\r\n$11\r\nunsubscribe\r\n$4\r\nnews\r\n:0\r\n" {
			t.Errorf("listener %d has more: %q", i, got)
		}
	}
}

func TestAnUpstreamThatIsDownIsNoMatterOfTheOthers(t *testing.T) {
	u := startThreeUpstreams(t)
	c := u.clients(t)
	for _, s := range u.shards {
		s.Kill()
	}
	testkit.Until(t, "the first upstream to be down", func() bool { return strings.HasPrefix(c[0].Do("GET", "red"), "-ERR server ") })
	for range 1000 {
		for i := 1; i < 3; i++ {
			if got := c[i].Do("SET", "red", "1"); got != "+OK\r\n" {
				t.Fatalf("listener %d: %q", i, got)
			}
		}
	}
	if n := u.proxy.Metric(t, "ringmaster_server_up", `upstream="cache"`); n != 0 {
		t.Errorf("%v servers of the first are up", n)
	}
	if n := u.proxy.Metric(t, "ringmaster_server_up", `upstream="main"`) + u.proxy.Metric(t, "ringmaster_server_up", `upstream="locked"`); n != 4 {
		t.Errorf("%v servers of the others are up", n)
	}
	_, page := u.proxy.Get(t, "/topology")
	for _, want := range []string{`"Name": "cache"`, `"Name": "main"`, `"Name": "locked"`} {
		if !strings.Contains(page, want) {
			t.Errorf("/topology lacks %s: %s", want, page)
		}
	}
}

// Two listeners lead to the same server. What one's clients may do is no matter of the other's.
func TestListenersOfOneUpstreamHaveRulesOfTheirOwn(t *testing.T) {
	redis := testkit.Redis(t)
	second := fmt.Sprintf("127.0.0.1:%d", testkit.FreePort(t))
	var first string
	testkit.ProxyWith(t, testkit.ProxyOptions{Settings: func(addr string) string {
		first = addr
		return fmt.Sprintf(`
upstream: '%s'
listeners:
  - {address: '%s', admin-commands: allow}
  - {address: '%s', password: secret, deny-commands: [set], rename-command: [get=fetch], proto-max-bulk-len: 1mb}
`, redis.Addr, addr, second)
	}})
	a, b := testkit.Dial(t, first), testkit.Dial(t, second)
	for _, step := range []struct {
		c           *testkit.Conn
		words, want string
	}{
		{a, "SET red 1", "+OK\r\n"}, {b, "FETCH red", "-NOAUTH "}, {b, "AUTH secret", "+OK\r\n"}, {b, "FETCH red", "$1\r\n1\r\n"},
		{b, "GET red", "-ERR unknown command"}, {a, "FETCH red", "-ERR unknown command"}, {b, "SET red 2", "-NOPERM "}, {a, "GET red", "$1\r\n1\r\n"},
		{a, "CONFIG SET maxmemory 0", "+OK\r\n"}, {b, "CONFIG SET maxmemory 0", "-NOPERM "}, {b, "AUTH wrong", "-WRONGPASS "},
	} {
		if got := step.c.Do(strings.Fields(step.words)...); !strings.HasPrefix(got, step.want) {
			t.Errorf("%s: %q, want %q", step.words, got, step.want)
		}
	}
	large := strings.Repeat("x", 2<<20)
	if got := a.Do("ECHO", large); len(got) < len(large) {
		t.Errorf("the first listener refuses a large word: %.100q", got)
	}
	if err := b.SendBytes([]byte("*2\r\n$4\r\nECHO\r\n$2097152\r\n")); err != nil {
		t.Fatal(err)
	}
	if got := b.Read1(); got != "-ERR Protocol error: invalid bulk length\r\n" {
		t.Errorf("the second listener: %.100q", got)
	}
}

// TestKilledUpstreamLeavesOthers has clients at the other upstreams while all servers of one are killed. With KILL_SECONDS it says
// how long their requests took, for as long before and after.
func TestKilledUpstreamLeavesOthers(t *testing.T) {
	u := startThreeUpstreams(t)
	watch := scale(t, "KILL_SECONDS", 0, 0, 0)
	const clients = 4 // for each listener
	var mu sync.Mutex
	var took []time.Duration
	var wg sync.WaitGroup
	var ask atomic.Bool
	ask.Store(true)
	defer func() { ask.Store(false); wg.Wait() }()
	down := u.clients(t)[0]
	for range clients {
		for i, c := range u.clients(t) {
			if i == 0 {
				continue
			}
			wg.Go(func() {
				for n := 0; ask.Load(); n++ {
					began := time.Now()
					key, value := fmt.Sprintf("key:%d", n%100), fmt.Sprintf("%d of %d", n, i)
					set, err := c.Call("SET", key, value)
					got, err2 := c.Call("GET", "no:"+key)
					if err != nil || err2 != nil || set != "+OK\r\n" || got != "$-1\r\n" {
						t.Errorf("listener %d: %q %q, %v, %v", i, set, got, err, err2)
						return
					}
					mu.Lock()
					took = append(took, time.Since(began))
					mu.Unlock()
				}
			})
		}
	}
	more := func(n int) {
		t.Helper()
		mu.Lock()
		from := len(took)
		mu.Unlock()
		testkit.Until(t, "requests to be answered", func() bool { mu.Lock(); defer mu.Unlock(); return len(took) >= from+n || t.Failed() })
	}
	round := func(when string) {
		t.Helper()
		mu.Lock()
		took = took[:0]
		mu.Unlock()
		more(1000)
		<-time.After(time.Duration(watch) * time.Second)
		mu.Lock()
		defer mu.Unlock()
		slices.Sort(took)
		t.Logf("%s: %d pairs of requests, p50 %v, p99 %v", when, len(took), took[len(took)/2], took[len(took)*99/100])
	}
	round("before")
	for _, s := range u.shards {
		s.Kill()
		more(100)
	}
	testkit.Until(t, "the first upstream to be down", func() bool { return strings.HasPrefix(down.Do("GET", "red"), "-ERR server ") })
	round("after")
}
