package e2e

import (
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"ringmaster/internal/testkit"
)

// threeShards starts three servers and a proxy that spreads keys over them.
func threeShards(t *testing.T, flags ...string) (proxy *testkit.Server, shards []*testkit.Server) {
	t.Helper()
	var addrs []string
	for range 3 {
		s := testkit.Redis(t)
		shards, addrs = append(shards, s), append(addrs, s.Addr)
	}
	return testkit.Proxy(t, addrs, flags...), shards
}

// endOfCase is answered in every state of a connection, before any check of passwords.
const endOfCase = "END-OF-CASE"

// converse sends raw and returns all that comes back, up to the reply to a last unknown
// command, or to the close.
func converse(t *testing.T, addr, raw string) string {
	t.Helper()
	c := testkit.Dial(t, addr)
	defer c.Close()
	_ = c.SendBytes([]byte(raw + testkit.Request(endOfCase))) // a peer that closed early is seen below
	var got strings.Builder
	for {
		reply, err := c.Next()
		got.Write(reply)
		if isTimeout(err) {
			t.Fatalf("%s: no end after %.200q; got %.200q", addr, raw, got.String())
		}
		if err != nil {
			return got.String() + "(closed)"
		}
		if strings.Contains(string(reply), endOfCase) {
			return got.String()
		}
	}
}

func isTimeout(err error) bool {
	ne, ok := err.(net.Error)
	return ok && ne.Timeout()
}

var ownID = regexp.MustCompile(`(\$2\r\nid\r\n):\d+`)

// sameConversation compares what raw gives from a plain server and from the proxy.
func sameConversation(t *testing.T, direct, proxy, raw string) {
	t.Helper()
	want := ownID.ReplaceAllString(converse(t, direct, raw), "$1:N")
	got := ownID.ReplaceAllString(converse(t, proxy, raw), "$1:N")
	if got != want {
		t.Errorf("after %.300q\ndirect: %.500q\nproxy:  %.500q", raw, want, got)
	}
}

func req(words string) string { return testkit.Request(strings.Fields(words)...) }

func TestConnectionCommandsAsInRedis(t *testing.T) {
	direct, behind := testkit.Redis(t), testkit.Redis(t)
	proxy := testkit.Proxy(t, []string{behind.Addr})
	for _, raw := range []string{
		"PING\r\n", "ping hello\r\n", "\r\nPING\r\n", "PING 'a b' c\r\n",
		req("HELLO"), req("HELLO 2"), req("HELLO 3"), req("HELLO 9"), req("HELLO x"), req("HELLO 3 AUTH"), req("HELLO 3 NOSUCH x"),
		req("HELLO 3") + req("HELLO 2") + req("GET nosuch"), req("HELLO 3") + req("GET nosuch"),
		req("HELLO 3 SETNAME app") + req("CLIENT GETNAME") + req("RESET") + req("CLIENT GETNAME") + req("GET nosuch"),
		req("AUTH x"), req("AUTH default x"), req("AUTH nobody x"), req("AUTH a b c"),
		req("SELECT 1") + req("SET k v") + req("SELECT 0") + req("GET k") + req("SELECT 1") + req("GET k") + req("DEL k"),
		req("SELECT 99") + req("SELECT x"), req("QUIT"), req("SET q 1") + req("QUIT") + req("SET q 2"), req("GET q"),
		req("GET"), req("GET a b"), req("NOSUCH a b"), req("CLIENT NOSUCH"), req("CLIENT"), testkit.Request("CLIENT", "SETNAME", "a b"),
	} {
		sameConversation(t, direct.Addr, proxy.Addr, raw)
	}
}

func TestPasswordChecksInRedisOrder(t *testing.T) {
	direct, behind := testkit.Redis(t, "--requirepass", "secret"), testkit.Redis(t)
	proxy := testkit.Proxy(t, []string{behind.Addr}, "--password", "secret")
	big := strings.Repeat("x", 16385)
	for _, raw := range []string{
		req("GET k"), req("GET"), req("NOSUCH"), req("PING"), "PING\r\n", req("ECHO x"), req("SELECT 0"), req("CLIENT GETNAME"),
		req("HELLO"), req("HELLO 3"), req("HELLO 9"), req("HELLO x"), req("HELLO 3 AUTH default wrong"), req("COMMAND COUNT"),
		req("HELLO 3 AUTH default secret") + req("GET nosuch"), req("HELLO 2 AUTH default secret SETNAME me") + req("CLIENT GETNAME"),
		req("AUTH wrong"), req("AUTH nobody secret"), req("AUTH secret") + req("GET nosuch"),
		req("AUTH default secret") + req("AUTH wrong") + req("GET nosuch"), req("AUTH a b c"), req("AUTH"),
		req("AUTH secret") + req("RESET") + req("GET k"), req("RESET"), req("QUIT"),
		req("SET 1 2 3 4 5 6 7 8 9 10"), testkit.Request("SET", "k", big), testkit.Request("SET", "k", big[1:]), "*10000000\r\n",
		req("AUTH secret") + testkit.Request("ECHO", big),
	} {
		sameConversation(t, direct.Addr, proxy.Addr, raw)
	}
}

// Redis answers what it owes, then says what is wrong, then closes; nothing behind the
// broken bytes runs.
func TestProtocolErrorsComeAfterOwedRepliesAndClose(t *testing.T) {
	direct, behind := testkit.Redis(t), testkit.Redis(t)
	proxy := testkit.Proxy(t, []string{behind.Addr})
	slow := testkit.Request("EVAL", "for i=1,1000000 do end return 'slow'", "1", "k")
	for _, end := range append(slices.Clone(endings), "*1\r\n$-20\r\n", "*2\r\n$3\r\nGET\r\n$-1\r\n", strings.Repeat("x", 70000)) {
		for _, raw := range []string{end, req("SET k v") + slow + req("GET k") + end} {
			want, got := untilClose(t, direct.Addr, raw), untilClose(t, proxy.Addr, raw)
			if got != want {
				t.Errorf("after %.300q\ndirect: %.500q\nproxy:  %.500q", raw, want, got)
			}
		}
	}
}

// untilClose sends raw and returns all that comes before the peer closes.
func untilClose(t *testing.T, addr, raw string) string {
	t.Helper()
	c := testkit.Dial(t, addr)
	defer c.Close()
	c.Send(raw)
	got, err := c.Rest()
	if err != nil {
		t.Errorf("%s does not close after %.300q: %v (read %.300q)", addr, raw, err, got)
	}
	return got
}

func TestKeysOfTwoShardsAreCrossSlot(t *testing.T) {
	proxy, _ := threeShards(t)
	c := testkit.Dial(t, proxy.Addr)
	const want = "-CROSSSLOT Keys in request don't hash to the same slot\r\n"
	crossed, together := 0, 0
	for i := range 60 {
		a, b := fmt.Sprintf("{a%d}1", i), fmt.Sprintf("b%d", i)
		c.Do("SET", a, "1")
		switch got := c.Do("RENAME", a, b); got {
		case want:
			crossed++
		case "+OK\r\n":
			together++
		default:
			t.Fatalf("RENAME: %q", got)
		}
	}
	if crossed == 0 || together == 0 {
		t.Errorf("of 60 pairs on three shards %d crossed and %d did not; both should happen", crossed, together)
	}
}

func TestMGETKeepsTheOrderOfKeysOverShards(t *testing.T) {
	proxy, _ := threeShards(t)
	direct := testkit.Redis(t)
	mset, mget := []string{"MSET"}, []string{"MGET"}
	for i := range 200 {
		mset = append(mset, fmt.Sprintf("key:%d", i*2), fmt.Sprintf("value %d", i))
		mget = append(mget, fmt.Sprintf("key:%d", i), fmt.Sprintf("key:%d", i*3%40))
	}
	p, d := testkit.Dial(t, proxy.Addr), testkit.Dial(t, direct.Addr)
	for _, hello := range []string{"2", "3"} {
		p.Do("HELLO", hello)
		d.Do("HELLO", hello)
		for _, cmd := range [][]string{mset, mget, append([]string{"EXISTS"}, mget[1:]...), append([]string{"TOUCH"}, mget[1:]...), append([]string{"DEL"}, mget[1:]...), mget} {
			if got, want := p.Do(cmd...), d.Do(cmd...); got != want {
				t.Errorf("RESP%s %s of %d arguments:\ndirect: %.300q\nproxy:  %.300q", hello, cmd[0], len(cmd), want, got)
			}
		}
	}
}

func TestSCANOverShardsReturnsEveryKey(t *testing.T) {
	proxy, shards := threeShards(t)
	c := testkit.Dial(t, proxy.Addr)
	const keys = 3000
	for at := 0; at < keys; at += 100 {
		mset := []string{"MSET"}
		for i := at; i < at+100; i++ {
			mset = append(mset, fmt.Sprintf("key:%d", i), "v")
		}
		c.Do(mset...)
	}
	for i, s := range shards {
		if got := testkit.Dial(t, s.Addr).Do("DBSIZE"); got == ":0\r\n" {
			t.Errorf("shard %d holds no key", i)
		}
	}
	if got := c.Do("DBSIZE"); got != fmt.Sprintf(":%d\r\n", keys) {
		t.Errorf("DBSIZE: %q", got)
	}
	seen := scanAll(t, c)
	if len(seen) != keys {
		t.Errorf("SCAN returned %d different keys of %d", len(seen), keys)
	}
	if got := c.Do("SCAN", "x"); got != "-ERR invalid cursor\r\n" {
		t.Errorf("SCAN x: %q", got)
	}
}

func scanAll(t *testing.T, c *testkit.Conn) map[string]bool {
	t.Helper()
	seen := map[string]bool{}
	cursor := "0"
	for range 10_000 {
		v, err := testkit.ParseValue([]byte(c.Do("SCAN", cursor, "COUNT", "50")))
		if err != nil || len(v.Elems) != 2 {
			t.Fatalf("SCAN %s: %v, %v", cursor, v, err)
		}
		for _, k := range v.Elems[1].Elems {
			seen[k.Text] = true
		}
		if cursor = v.Elems[0].Text; cursor == "0" {
			return seen
		}
	}
	t.Fatal("SCAN does not end")
	return nil
}

func TestUnixSocketServesClients(t *testing.T) {
	s := testkit.Redis(t)
	socket := "unix://" + filepath.Join(t.TempDir(), "ringmaster.sock")
	testkit.Proxy(t, []string{s.Addr}, "--listen", socket)
	c := testkit.Dial(t, socket)
	if got := c.Do("SET", "k", "v") + c.Do("GET", "k"); got != "+OK\r\n$1\r\nv\r\n" {
		t.Errorf("over the socket: %q", got)
	}
}

func TestSIGTERMFinishesWhatIsInFlight(t *testing.T) {
	s := testkit.Redis(t)
	proxy := testkit.Proxy(t, []string{s.Addr}, "--timeout", "30s", "--drain-timeout", "20s")
	idle, busy := testkit.Dial(t, proxy.Addr), testkit.Dial(t, proxy.Addr)
	idle.Do("PING")
	busy.Send(testkit.Request("EVAL", "for i=1,100000000 do end return 'done'", "1", "k") + req("GET k"))
	testkit.Until(t, "the script to be in flight", func() bool {
		return proxy.Metric(t, "ringmaster_server_in_flight_requests") > 0
	})
	proxy.Signal(syscall.SIGTERM)
	testkit.Until(t, "new clients to be refused", func() bool { return !testkit.Answers(proxy.Addr) })
	if got, err := busy.Rest(); err != nil || got != "$4\r\ndone\r\n$-1\r\n" {
		t.Errorf("the busy client got %q, %v", got, err)
	}
	if got, err := idle.Rest(); err != nil || got != "" {
		t.Errorf("the idle client got %q, %v; want a close", got, err)
	}
	if code := proxy.ExitCode(t, testkit.Patience); code != 0 {
		t.Errorf("exit code %d, want 0; log:\n%s", code, proxy.Log())
	}
}

// refusal runs the binary with flags that it must not accept, and returns what it says.
func refusal(t *testing.T, flags ...string) string {
	t.Helper()
	cmd := exec.Command(testkit.Ringmaster(t), flags...)
	out, err := cmd.CombinedOutput()
	if _, exited := err.(*exec.ExitError); !exited {
		t.Fatalf("%q: %v; want a failed start\n%s", flags, err, out)
	}
	return string(out)
}

func TestStartSaysWhatIsWrongAndWhatToDo(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().String()
	free, server := testkit.Loopback(testkit.FreePort(t)), testkit.Loopback(testkit.FreePort(t))
	for _, c := range []struct {
		name  string
		flags []string
		says  []string
	}{
		{"port in use", []string{"--listen", taken, "--upstream", server, "--admin", ""}, []string{taken, "in use"}},
		{"admin port in use", []string{"--listen", free, "--upstream", server, "--admin", taken}, []string{taken, "in use"}},
		{"protected mode", []string{"--listen", "0.0.0.0:0", "--upstream", server, "--admin", ""}, []string{"password", "protected-mode"}},
		{"no servers", []string{"--listen", free, "--admin", ""}, []string{"upstream"}},
		{"empty password", []string{"--listen", free, "--upstream", server, "--admin", "", "--password", ""}, []string{"--password", "is given but empty"}},
		{"unknown flag", []string{"--nosuch"}, []string{"nosuch"}},
		{"no cluster", []string{"--listen", free, "--admin", "", "--topology", "cluster", "--upstream", server}, []string{"cannot find the cluster", server, "refused", "check that these are running nodes"}},
		{"no sentinels", []string{"--listen", free, "--admin", "", "--topology", "sentinel", "--sentinel-masters", "m", "--upstream", server}, []string{"cannot find the primaries", server, "refused", "sentinel-masters"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := refusal(t, c.flags...)
			for _, want := range c.says {
				if !strings.Contains(out, want) {
					t.Errorf("the message lacks %q:\n%s", want, out)
				}
			}
		})
	}
}

func TestRedisBenchmarkRunsWithoutAnError(t *testing.T) {
	bench := testkit.Need(t, "redis-benchmark")
	proxy, _ := threeShards(t, "--timeout", "10s")
	requests := scale(t, "BENCH_REQUESTS", 200, 2000, 5000)
	out, err := exec.Command(bench, "-h", "127.0.0.1", "-p", fmt.Sprint(proxy.Port(t)), "-n", fmt.Sprint(requests), "-r", "1000", "-q").CombinedOutput()
	text := strings.ReplaceAll(string(out), "\r", "\n")
	if err != nil || strings.Contains(text, "rror") || strings.Contains(text, "ERR") || strings.Contains(text, "WARN") {
		t.Fatalf("redis-benchmark: %v\n%s", err, text)
	}
	if n := strings.Count(text, "requests per second"); n < 20 {
		t.Errorf("%d results, want the whole suite of 20:\n%s", n, text)
	}
}
