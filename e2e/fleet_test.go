package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

// Where the upstream's name leads changes while ringmaster runs: writes go on at the new primary without a restart, none runs
// twice, and the log tells. The name is a symbolic link to a server's socket.
func TestWritesGoToWhereTheNameLeads(t *testing.T) {
	for _, sharded := range []bool{false, true} {
		t.Run(fmt.Sprintf("sharded=%t", sharded), func(t *testing.T) {
			dir := t.TempDir()
			socket := func(name string) string { return filepath.Join(dir, name) }
			old := testkit.Redis(t, "--unixsocket", socket("old"), "--repl-diskless-sync-delay", "0")
			next := testkit.Redis(t, "--unixsocket", socket("next"), "--repl-diskless-sync-delay", "0")
			lead := func(to string) {
				if err := os.Symlink(socket(to), socket("new link")); err != nil {
					t.Fatal(err)
				}
				if err := os.Rename(socket("new link"), socket("primary")); err != nil {
					t.Fatal(err)
				}
			}
			lead("old")
			upstreams := []string{"unix://" + socket("primary")}
			if sharded {
				upstreams = append(upstreams, testkit.Redis(t).Addr)
			}
			proxy := testkit.Proxy(t, upstreams, "--hash-tag", "{}", "--loops", "1")
			oldDirect, nextDirect := testkit.Dial(t, old.Addr), testkit.Dial(t, next.Addr)
			plain, watching := testkit.Dial(t, proxy.Addr), testkit.Dial(t, proxy.Addr)
			key := "k"
			for plain.Do("SET", key, "0") != "+OK\r\n" || oldDirect.Do("EXISTS", key) != ":1\r\n" {
				key += "k" // one of the server behind the name
			}
			watching.Do("WATCH", key)
			subscribed := testkit.Dial(t, proxy.Addr)
			subscribed.Do("SUBSCRIBE", "{"+key+"}news")

			host, port, _ := strings.Cut(next.Addr, ":")
			oldDirect.Do("REPLICAOF", "no", "one")
			nextDirect.Do("REPLICAOF", "127.0.0.1", strconv.Itoa(old.Port(t)))
			testkit.Until(t, "the next primary has the keys", func() bool { return nextDirect.Do("GET", key) == "$1\r\n0\r\n" })
			nextDirect.Do("REPLICAOF", "no", "one")
			oldDirect.Do("REPLICAOF", host, port)
			refused, counted := plain.Do("INCR", key), 0
			if !strings.HasPrefix(refused, "-READONLY ") {
				t.Fatalf("a write at what is a replica now: %q", refused)
			}
			lead("next")
			testkit.Until(t, "writes go to the new primary", func() bool {
				got := plain.Do("INCR", key)
				if got[0] == ':' {
					counted++
				} else if !strings.HasPrefix(got, "-READONLY ") {
					t.Fatalf("INCR: %q", got)
				}
				return counted == 10
			})
			if got := nextDirect.Do("GET", key); got != "$2\r\n10\r\n" {
				t.Errorf("10 increments were confirmed, the new primary has %q", got)
			}
			// What was watched at the server before is watched no more.
			watching.Do("MULTI")
			watching.Do("SET", key, "x")
			if got := watching.Do("EXEC"); got[0] == '*' && got != "*-1\r\n" {
				t.Errorf("EXEC of what was watched at the old primary: %q", got)
			}
			testkit.Until(t, "a transaction runs at the new primary", func() bool {
				return watching.Do("WATCH", key)+watching.Do("MULTI")+watching.Do("INCR", key)+watching.Do("EXEC") == "+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n:11\r\n"
			})
			if left, err := subscribed.Rest(); left != "" || err != nil {
				t.Errorf("a subscriber at the old primary is not closed: %q, %v", left, err)
			}
			if log := proxy.Log(); !strings.Contains(log, "refuses writes because it is a replica") || strings.Count(log, "refuses writes") > 3 {
				t.Errorf("the log says\n%s", log)
			}
			if n := proxy.Metric(t, "ringmaster_server_disconnects_total", `reason="not_primary"`); n == 0 {
				t.Error("no connection is counted as one to a server that is no primary")
			}
		})
	}
}

// One of three servers is down: clients that ask INFO, ROLE or SCRIPT LOAD first, or subscribe to a pattern, are served.
func TestClientsBeginWhileAShardIsDown(t *testing.T) {
	proxy, shards := threeShards(t, "--hash-tag", "{}", "--lost-subscriptions", "resubscribe", "--loops", "1", "--backoff-max", "200ms")
	c := testkit.Dial(t, proxy.Addr)
	down := shards[1]
	down.Kill()
	testkit.Until(t, "the loss is noticed", func() bool { return strings.HasPrefix(c.Do("DBSIZE"), "-ERR server ") })
	for _, section := range []string{"", "server", "persistence", "replication", "everything", "nosuch"} {
		args := []string{"INFO"}
		if section != "" {
			args = append(args, section)
		}
		if got := c.Do(args...); got[0] != '$' || !strings.Contains(got, "\r\nservers_missing:"+down.Addr+"\r\n") {
			t.Errorf("%v: %q", args, got)
		}
	}
	if got := c.Do("INFO"); !strings.Contains(got, "\r\nloading:0\r\n") || !strings.Contains(got, "\r\nrole:master\r\n") {
		t.Errorf("INFO lacks what clients look for: %q", got)
	}
	digest := c.Do("SCRIPT", "LOAD", "return 'ran'")
	if !strings.HasPrefix(digest, "$40\r\n") {
		t.Fatalf("SCRIPT LOAD: %q", digest)
	}
	digest = digest[5:45]
	if got := c.Do("SCRIPT", "EXISTS", digest); got != "*1\r\n:1\r\n" {
		t.Errorf("SCRIPT EXISTS: %q", got)
	}
	if got := c.Do("ROLE"); !strings.HasPrefix(got, "*3\r\n$6\r\nmaster\r\n") {
		t.Errorf("ROLE: %q", got)
	}
	for _, counts := range [][]string{{"DBSIZE"}, {"KEYS", "*"}, {"RANDOMKEY"}, {"FLUSHALL"}, {"SCRIPT", "FLUSH"}, {"SLOWLOG", "LEN"}} {
		if got := c.Do(counts...); !strings.HasPrefix(got, "-ERR server "+down.Addr+" is down") {
			t.Errorf("%v hides that a server is missing: %q", counts, got)
		}
	}
	subscriber := testkit.Dial(t, proxy.Addr)
	if got := subscriber.Do("PSUBSCRIBE", "news*"); !strings.HasPrefix(got, "*3\r\n$10\r\npsubscribe\r\n") {
		t.Fatalf("PSUBSCRIBE: %q", got)
	}

	down.Restart(t)
	testkit.Until(t, "the server is back", func() bool { return c.Do("DBSIZE")[0] == ':' })
	if got := c.Do("INFO"); strings.Contains(got, "Ringmaster") {
		t.Errorf("INFO still says that something is missing: %q", got)
	}
	direct := testkit.Dial(t, down.Addr)
	testkit.Until(t, "the pattern is subscribed there", func() bool { return direct.Do("PUBSUB", "NUMPAT") == ":1\r\n" })
	direct.Do("PUBLISH", "news1", "hello")
	if got := subscriber.Read1(); !strings.Contains(got, "hello") {
		t.Errorf("message: %q", got)
	}
	for i, ran := 0, false; !ran; i++ {
		key := fmt.Sprint("k", i*7919)
		c.Do("SET", key, "x")
		if ran = direct.Do("EXISTS", key) == ":1\r\n"; ran {
			if got := c.Do("EVALSHA", digest, "1", key); !strings.HasPrefix(got, "-NOSCRIPT ") {
				t.Errorf("EVALSHA at the server that is back: %q", got)
			}
		}
	}
}

// A server with two names, one of them another spelling, is one: what is for all servers reaches it once.
func TestAServerWithTwoNamesIsAskedOnce(t *testing.T) {
	a, b := testkit.Redis(t), testkit.Redis(t)
	again := "localhost" + strings.TrimPrefix(a.Addr, "127.0.0.1")
	proxy := testkit.Proxy(t, []string{a.Addr + "@m1", b.Addr + "@m2", again + "@m3"}, "--hash-tag", "{}")
	c := testkit.Dial(t, proxy.Addr)
	const keys = 100
	for i := range keys {
		c.Do("SET", fmt.Sprint("k", i), "x")
	}
	if got := c.Do("DBSIZE"); got != ":100\r\n" {
		t.Errorf("DBSIZE: %q", got)
	}
	if got := c.Do("KEYS", "*"); !strings.HasPrefix(got, "*100\r\n") {
		t.Errorf("KEYS: %.20q", got)
	}
	s := testkit.Dial(t, proxy.Addr)
	s.Do("PSUBSCRIBE", "x*")
	for i := range 10 {
		c.Do("PUBLISH", fmt.Sprint("x", i), fmt.Sprint("m", i))
	}
	for i := range 10 {
		if got := s.Read1(); !strings.Contains(got, fmt.Sprintf("\r\nm%d\r\n", i)) {
			t.Fatalf("message %d: %q", i, got)
		}
	}
	if got := c.Do("FLUSHALL"); got != "+OK\r\n" || c.Do("DBSIZE") != ":0\r\n" {
		t.Errorf("FLUSHALL: %q", got)
	}
	if code, body := proxy.Get(t, "/readyz"); code != 200 {
		t.Errorf("/readyz: %d %s", code, body)
	}
}

// What Bull's queue.empty() and phpredis send over shards.
func TestTransactionsOfClientsOverShards(t *testing.T) {
	proxy, _ := threeShards(t, "--hash-tag", "{}")
	c := testkit.Dial(t, proxy.Addr)
	for i := range 50 {
		c.Do("SET", fmt.Sprint("other:", i), "x")
	}
	c.Do("SET", "{bull:q}:1:limited", "x")
	c.Do("LPUSH", "{bull:q}:wait", "1")
	got := c.Do("MULTI") + c.Do("LRANGE", "{bull:q}:wait", "0", "-1") + c.Do("KEYS", "*other:*") + c.Do("KEYS", "{bull:q}:*:limited") +
		c.Do("DEL", "{bull:q}:wait", "{bull:q}:paused") + c.Do("DBSIZE")
	if want := "+OK\r\n" + strings.Repeat("+QUEUED\r\n", 5); got != want {
		t.Fatalf("queued: %q", got)
	}
	if got := c.Do("EXEC"); !strings.HasPrefix(got, "*5\r\n*1\r\n$1\r\n1\r\n*50\r\n") || !strings.HasSuffix(got, "*1\r\n$18\r\n{bull:q}:1:limited\r\n:1\r\n:51\r\n") {
		t.Errorf("EXEC: %q", got)
	}
	c.Do("MULTI")
	first := c.Do("SETEX", "other:0", "10", "1")
	second := first
	for i := 1; second == first; i++ {
		second = c.Do("SETEX", fmt.Sprint("other:", i*7919), "10", "1")
	}
	if first != "+QUEUED\r\n" || !strings.HasPrefix(second, "-CROSSSLOT ") {
		t.Errorf("keys of two shards are queued with %q and %q", first, second)
	}
	if got := c.Do("EXEC"); got != "-EXECABORT Transaction discarded because of previous errors.\r\n" {
		t.Errorf("EXEC: %q", got)
	}
}
