package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"ringmaster/internal/testkit"
)

// replicaStatus is what /topology says of a replica.
type replicaStatus struct {
	Addr, Why string
	Readable  bool
}

// replicasOf is what the proxy says of its replicas, by address.
func replicasOf(t *testing.T, proxy *testkit.Server) map[string]replicaStatus {
	t.Helper()
	var got struct{ Replicas []replicaStatus }
	proxy.Topology(t, &got)
	all := map[string]replicaStatus{}
	for _, r := range got.Replicas {
		all[r.Addr] = r
	}
	return all
}

func waitReadable(t *testing.T, proxy, replica *testkit.Server, want bool) {
	t.Helper()
	testkit.Until(t, fmt.Sprintf("reads from %s: %t", replica.Addr, want), func() bool {
		return replicasOf(t, proxy)[replica.Addr].Readable == want
	})
}

// replicaOf starts a server that follows another, which is reached at addr.
func replicaOf(t *testing.T, addr string) *testkit.Server {
	t.Helper()
	host, port, _ := strings.Cut(addr, ":")
	r := testkit.Redis(t, "--replicaof", host+" "+port, "--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1")
	waitLinked(t, r)
	return r
}

func waitLinked(t *testing.T, r *testkit.Server) {
	t.Helper()
	c := testkit.Dial(t, r.Addr)
	testkit.Until(t, "the replica's link", func() bool { return strings.Contains(c.Do("INFO", "replication"), "master_link_status:up") })
}

// readsOf is how many requests the proxy has sent to some servers.
func readsOf(t *testing.T, proxy *testkit.Server, servers ...*testkit.Server) (n float64) {
	t.Helper()
	for _, s := range servers {
		n += proxy.Metric(t, "ringmaster_server_requests_total", `server="`+s.Addr+`"`)
	}
	return n
}

// A replica that may have old data gets no reads, however it came to have them: what is read is what was written.
func TestAStaleReplicaGetsNoReads(t *testing.T) {
	primary := testkit.Redis(t, "--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1")
	elsewhere := testkit.Redis(t)
	wire := testkit.NewForwarder(t, primary.Addr)
	replica := replicaOf(t, wire.Addr)
	proxy := testkit.Proxy(t, []string{primary.Addr}, "--read-policy", "prefer-replica", "--replicas", primary.Addr+"="+replica.Addr,
		"--replica-max-lag", "400ms")
	c, direct, own := testkit.Dial(t, proxy.Addr), testkit.Dial(t, primary.Addr), testkit.Dial(t, replica.Addr)
	n := 0
	write := func() string {
		n++
		direct.Do("SET", "key", strconv.Itoa(n))
		return testkit.Request("key", strconv.Itoa(n))[len("*2\r\n$3\r\nkey\r\n"):]
	}
	release := func() {}
	host, port, _ := strings.Cut(wire.Addr, ":")
	for _, trouble := range []struct {
		name       string
		begin, end func()
	}{
		{"the link is reset and can't be made again", func() {
			own.Do("CONFIG", "SET", "masterauth", "wrong")
			direct.Do("CONFIG", "SET", "requirepass", "right")
			wire.Reset()
		}, func() {
			direct.Do("CONFIG", "SET", "requirepass", "")
			own.Do("CONFIG", "SET", "masterauth", "")
		}},
		{"the stream stands still, and the link looks fine", func() { release = wire.Freeze() }, func() { release() }},
		{"it follows somebody else", func() {
			h, p, _ := strings.Cut(elsewhere.Addr, ":")
			own.Do("REPLICAOF", h, p)
		}, func() { own.Do("REPLICAOF", host, port) }},
		{"it was promoted", func() { own.Do("REPLICAOF", "NO", "ONE") }, func() { own.Do("REPLICAOF", host, port) }},
		{"it hangs", func() { replica.Stop() }, func() { replica.Signal(syscall.SIGCONT) }},
	} {
		waitReadable(t, proxy, replica, true)
		before := readsOf(t, proxy, replica)
		testkit.Until(t, "a read from the replica", func() bool {
			c.Do("GET", "key")
			return readsOf(t, proxy, replica) > before
		})
		trouble.begin()
		testkit.Until(t, trouble.name, func() bool {
			write()
			if replicasOf(t, proxy)[replica.Addr].Readable {
				return false
			}
			before = readsOf(t, proxy, replica)
			c.Do("GET", "key")
			return readsOf(t, proxy, replica) == before // the loop was told, too
		})
		for range 50 {
			want := write()
			if got := c.Do("GET", "key"); got != want {
				t.Fatalf("%s: GET gives %q, want %q", trouble.name, got, want)
			}
		}
		if after := readsOf(t, proxy, replica); after != before {
			t.Errorf("%s: the replica got %v reads", trouble.name, after-before)
		}
		t.Logf("%s: %s", trouble.name, replicasOf(t, proxy)[replica.Addr].Why)
		trouble.end()
	}
	waitReadable(t, proxy, replica, true)
}

// Replicas that nobody names are found through their primary, those that come later too.
func TestReplicasAreFoundThroughTheirPrimary(t *testing.T) {
	primary := testkit.Redis(t, "--repl-diskless-sync-delay", "0")
	first := replicaOf(t, primary.Addr)
	proxy := testkit.Proxy(t, []string{primary.Addr}, "--read-policy", "replica", "--replica-max-lag", "400ms")
	c := testkit.Dial(t, proxy.Addr)
	c.Do("SET", "key", "x")
	testkit.Until(t, "the write is at the replica", func() bool { return c.Do("GET", "key") == "$1\r\nx\r\n" })
	second := replicaOf(t, primary.Addr)
	testkit.Until(t, "reads from the second replica", func() bool {
		c.Do("GET", "key")
		return readsOf(t, proxy, second) > 0
	})
	if n := readsOf(t, proxy, first); n == 0 {
		t.Error("the first replica got no reads")
	}
	first.Kill()
	second.Kill()
	testkit.Until(t, "no replica to read from", func() bool {
		return c.Do("GET", "key") == "-ERR no replica of server "+primary.Addr+" is available for reads; the command was not sent\r\n"
	})
	if got := c.Do("SET", "key", "y"); got != "+OK\r\n" {
		t.Errorf("writes do not go on: %q", got)
	}
}

func TestReadsGoToTheOwnZone(t *testing.T) {
	primary := testkit.Redis(t, "--repl-diskless-sync-delay", "0")
	near, far := replicaOf(t, primary.Addr), replicaOf(t, primary.Addr)
	proxy := testkit.Proxy(t, []string{primary.Addr}, "--read-policy", "nearest", "--zone", "b",
		"--server-zones", primary.Addr+"=a,"+near.Addr+"=b,"+far.Addr+"=c", "--replica-max-lag", "2s")
	waitReadable(t, proxy, near, true)
	waitReadable(t, proxy, far, true)
	c := testkit.Dial(t, proxy.Addr)
	testkit.Until(t, "a read from the near one", func() bool {
		before := readsOf(t, proxy, near)
		c.Do("GET", "key")
		return readsOf(t, proxy, near) > before
	})
	before := readsOf(t, proxy, near)
	for range 100 {
		c.Do("GET", "key")
	}
	if n := readsOf(t, proxy, near) - before; n != 100 {
		t.Errorf("of 100 reads %v were in the zone", n)
	}
	near.Kill()
	for range 100 {
		if got := c.Do("GET", "key"); got != "$-1\r\n" {
			t.Fatalf("without the near one: %q", got)
		}
	}
}

// reader reads what never changes, over several slots, and takes nothing else for an answer.
func reader(t *testing.T, addr string, id int, stop <-chan struct{}, done *atomic.Int64) {
	c, err := testkit.Connect(addr)
	if err != nil {
		t.Errorf("reader %d: %v", id, err)
		return
	}
	defer c.Close()
	c.Patience = replyPatience * second
	var request, want string
	for i := range 8 {
		request += testkit.Request("GET", key(id+i))
		want += testkit.Request(key(id + i))[len("*1\r\n"):]
	}
	request += testkit.Request("MGET", key(id), key(id+1), key(id+2))
	want += testkit.Request(key(id), key(id+1), key(id+2))
	for {
		select {
		case <-stop:
			return
		default:
		}
		if err := c.SendBytes([]byte(request)); err != nil {
			t.Errorf("reader %d: %v", id, err)
			return
		}
		var got []byte
		for range 9 {
			b, err := c.Next()
			if err != nil {
				t.Errorf("reader %d: %v", id, err)
				return
			}
			got = append(got, b...)
		}
		if string(got) != want {
			t.Errorf("reader %d got %.300q, want %.300q", id, got, want)
			return
		}
		done.Add(9)
	}
}

// key is one of the keys that readers read; its value is itself.
func key(n int) string { return "key:" + strconv.Itoa(n%40) }

// startReaders writes what is read, waits until each primary's replicas have it and every loop reads there, and reads until the
// returned function is called. of is how many replicas a primary has.
func startReaders(t *testing.T, proxy *testkit.Server, replicas []*testkit.Server, of, clients int) (stop func() int64) {
	t.Helper()
	c := testkit.Dial(t, proxy.Addr)
	for i := range 40 {
		if got := c.Do("SET", key(i), key(i)); got != "+OK\r\n" {
			t.Fatal(got)
		}
	}
	// What a replica lacks would go with its primary.
	if got, want := c.Do("WAIT", strconv.Itoa(of), "10000"), fmt.Sprintf(":%d\r\n", of); got != want {
		t.Fatalf("WAIT gives %q, want %q", got, want)
	}
	dialEveryLoop(t, proxy.Addr).until(t, "reads at replicas", func(c *testkit.Conn) bool {
		before := readsOf(t, proxy, replicas...)
		for i := range 40 {
			c.Do("GET", key(i))
		}
		return readsOf(t, proxy, replicas...) >= before+40
	})
	var done atomic.Int64
	ended := make(chan struct{})
	var wg sync.WaitGroup
	for id := range clients {
		wg.Go(func() { reader(t, proxy.Addr, id, ended, &done) })
	}
	return func() int64 {
		close(ended)
		wg.Wait()
		return done.Load()
	}
}

// A primary is killed and its replica takes over: nobody who reads sees any of it.
func TestReadsNeverFailInAFailover(t *testing.T) {
	rounds := scale(t, "FAILOVERS", 1, 2, 2)
	c := testkit.StartCluster(t, 3, 3)
	proxy := testkit.Proxy(t, []string{c.Nodes[0].Addr, c.Nodes[1].Addr}, "--topology", "cluster", "--read-policy", "prefer-replica",
		"--timeout", "5s")
	for _, r := range c.Nodes[3:] {
		waitReadable(t, proxy, r, true)
	}
	stop := startReaders(t, proxy, c.Nodes[3:], 1, scale(t, "CLUSTER_CLIENTS", 10, 20, 20))
	for round := range rounds {
		slot := round % 3 * 6000
		old := c.Primary(slot)
		old.Kill()
		c.WaitPromoted(t, old, slot)
		old.Restart(t)
		c.WaitOK(t)
		waitReadable(t, proxy, old, true)
	}
	n := stop()
	var reads float64
	for _, r := range c.Nodes {
		reads += readsOf(t, proxy, r)
		t.Logf("%s: %v requests", r.Addr, readsOf(t, proxy, r))
	}
	t.Logf("%d reads, %v of them sent again", n, proxy.Metric(t, "ringmaster_redirects_total", `reason="read"`))
}

// Fixed servers are killed in turn, the primary and its replicas, while one stays: reads go on.
func TestReadsNeverFailWhileAServerIsLeft(t *testing.T) {
	rounds := scale(t, "FAILOVERS", 2, 3, 3)
	primary := testkit.Redis(t, "--repl-diskless-sync-delay", "0")
	servers := []*testkit.Server{primary, replicaOf(t, primary.Addr), replicaOf(t, primary.Addr)}
	proxy := testkit.Proxy(t, []string{primary.Addr}, "--read-policy", "prefer-replica", "--replica-max-lag", "400ms", "--timeout", "5s")
	for _, r := range servers[1:] {
		waitReadable(t, proxy, r, true)
	}
	stop := startReaders(t, proxy, servers[1:], 2, 10)
	for round := range rounds {
		victim := servers[round%3]
		if victim == primary {
			own := testkit.Dial(t, primary.Addr)
			testkit.Until(t, "the data is saved", func() bool { return own.Do("SAVE") == "+OK\r\n" })
		}
		victim.Kill()
		c := testkit.Dial(t, proxy.Addr)
		for i := range 100 {
			if got := c.Do("GET", key(i)); got != testkit.Request(key(i))[len("*1\r\n"):] {
				t.Fatalf("%q", got)
			}
		}
		victim.Restart(t)
		for _, r := range servers[1:] {
			waitLinked(t, r)
			waitReadable(t, proxy, r, true)
		}
	}
	t.Logf("%d reads, %v of them sent again", stop(), proxy.Metric(t, "ringmaster_redirects_total", `reason="read"`))
}

// A replica hangs: what waits there goes to the primary once that is known, and nothing fails.
func TestReadsLeaveAReplicaThatHangs(t *testing.T) {
	primary := testkit.Redis(t, "--repl-diskless-sync-delay", "0")
	replica := replicaOf(t, primary.Addr)
	proxy := testkit.Proxy(t, []string{primary.Addr}, "--read-policy", "prefer-replica", "--replica-max-lag", "400ms", "--dial-timeout", "300ms",
		"--timeout", "10s")
	waitReadable(t, proxy, replica, true)
	stop := startReaders(t, proxy, []*testkit.Server{replica}, 1, 10)
	before := readsOf(t, proxy, replica)
	testkit.Until(t, "reads at the replica", func() bool { return readsOf(t, proxy, replica) > before+100 })
	replica.Stop()
	waitReadable(t, proxy, replica, false)
	before = readsOf(t, proxy, primary)
	testkit.Until(t, "reads at the primary", func() bool { return readsOf(t, proxy, primary) > before+1000 })
	replica.Cont()
	waitReadable(t, proxy, replica, true)
	n := stop()
	again := proxy.Metric(t, "ringmaster_redirects_total", `reason="read"`)
	if again == 0 {
		t.Error("no read was sent again")
	}
	t.Logf("%d reads, %v of them sent again", n, again)
}

// The same under Sentinel: a name's primary is killed, and another has the name.
func TestReadsNeverFailInAFailoverOfSentinel(t *testing.T) {
	rounds := scale(t, "FAILOVERS", 1, 2, 2)
	s := testkit.StartSentinelsWith(t, testkit.SentinelOptions{Replicas: 1})
	proxy := sentinelProxy(t, s.Addrs(), "mymaster", "--read-policy", "prefer-replica", "--timeout", "10s")
	replicas := s.Replicas("mymaster")
	waitReadable(t, proxy, replicas[0], true)
	stop := startReaders(t, proxy, replicas, 1, scale(t, "SENTINEL_CLIENTS", 10, 20, 20))
	for range rounds {
		old := s.Primary("mymaster")
		old.Kill()
		s.WaitPromoted(t, "mymaster", old)
		old.Restart(t)
		s.WaitOK(t)
		waitReadable(t, proxy, old, true)
	}
	t.Logf("%d reads, %v of them sent again", stop(), proxy.Metric(t, "ringmaster_redirects_total", `reason="read"`))
}
