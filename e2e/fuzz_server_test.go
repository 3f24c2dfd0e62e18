package e2e

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ringmaster/internal/testkit"
)

// A server answers anything at all, at the login, to commands, in transactions, to what is gathered from several. The proxy lives
// within bounded memory, every client gets an answer or an end, and clients of the server beside are not harmed.
func TestFuzzHostileServer(t *testing.T) {
	z := &serverFuzz{fuzzRun: newFuzz(t)}
	good := testkit.Redis(t)
	bad := testkit.NewFakeShard(t, z.serve)
	for round := 0; z.more() && len(z.sites) < 20; round++ {
		z.round(t, good, bad, []string{"one", "shards", "cluster"}[round%3])
		if t.Failed() && len(z.sites) == 0 {
			break
		}
	}
	t.Logf("%d requests, %d hostile replies, largest memory %d MB", z.tried, z.replies.Load(), z.peak>>20)
	if z.replies.Load() == 0 {
		t.Error("the server said nothing hostile")
	}
}

type serverFuzz struct {
	*fuzzRun
	replies atomic.Int64
	peak    int64
	polite  atomic.Bool            // the bad server answers as it should
	cluster atomic.Pointer[string] // the bad server's address when it is a cluster; otherwise nil

	mu   sync.Mutex
	said []string // the latest replies, for reports
}

// secondsOfOneProxy is how long a round lasts.
const secondsOfOneProxy = 3

// atOnce is how many clients there are.
const atOnce = 32

// mostMemory is what the proxy may use, bytes. Clients wait for replies that may announce any length, which takes
// none of it until the bytes are there.
const mostMemory = 300 << 20

// round lets clients of a hostile server and of a good one use a new proxy.
func (z *serverFuzz) round(t *testing.T, good *testkit.Server, bad *testkit.FakeShard, kind string) {
	t.Helper()
	flags := []string{"--timeout", "200ms", "--stall-timeout", "400ms", "--dial-timeout", "300ms", "--admin-commands", "allow", "--hash-tag", "{}"}
	upstreams := []string{bad.Addr}
	z.cluster.Store(nil)
	switch kind {
	case "shards":
		upstreams, flags = append(upstreams, good.Addr), append(flags, "--timeout", "2s", "--stall-timeout", "2s") // a busy machine is no harm
	case "cluster":
		z.cluster.Store(&bad.Addr)
		flags = append(flags, "--topology", "cluster")
	}
	z.polite.Store(true) // a proxy that finds no cluster does not start
	proxy := testkit.Proxy(t, upstreams, flags...)
	z.polite.Store(false)
	defer proxy.Kill()
	end := time.Now().Add(secondsOfOneProxy * time.Second)
	if z.until.Before(end) {
		end = z.until
	}
	stop := make(chan struct{})
	var by sync.WaitGroup
	if kind == "shards" {
		keys := keysAt(t, proxy, good)
		for id := range 4 {
			by.Go(func() { z.bystand(t, proxy.Addr, keys[id], stop) })
		}
	}
	for time.Now().Before(end) {
		if !z.clients(t, proxy, kind) {
			break
		}
	}
	close(stop)
	by.Wait()
	if !proxy.Exited() {
		z.peak = max(z.peak, proxy.PeakRSS(t))
		if z.peak > mostMemory {
			t.Errorf("the proxy used %d MB", z.peak>>20)
		}
	}
}

// keysAt are keys that the proxy has at the good server.
func keysAt(t *testing.T, proxy, good *testkit.Server) (keys []string) {
	t.Helper()
	direct := testkit.Dial(t, good.Addr)
	for n := 0; len(keys) < 4; n++ {
		key := fmt.Sprintf("by:%d", n)
		direct.Do("DEL", key)
		c := testkit.Dial(t, proxy.Addr)
		if _, err := c.Call("SET", key, key); err == nil && direct.Do("EXISTS", key) == ":1\r\n" {
			keys = append(keys, key)
		}
		c.Close()
	}
	return keys
}

// bystand reads a key of the good server until stop is closed.
func (z *serverFuzz) bystand(t *testing.T, addr, key string, stop <-chan struct{}) {
	c, err := testkit.Connect(addr)
	if err != nil {
		return // the proxy has ended, which is reported elsewhere
	}
	defer c.Close()
	for {
		select {
		case <-stop:
			return
		default:
		}
		got, err := c.Call("GET", key)
		if err != nil {
			return // as above, or it is reported as a hang of its own
		}
		if got != bulk(key) {
			t.Errorf("a client of the good server got %.200q for %s; the bad one said\n%s", got, key, z.recently())
			return
		}
	}
}

// clients sends the batches of some clients at a time; false: the proxy has ended, or something is wrong.
func (z *serverFuzz) clients(t *testing.T, proxy *testkit.Server, kind string) bool {
	var wires [atOnce][]byte
	var got [atOnce]string
	var closed [atOnce]bool
	var wait sync.WaitGroup
	for i := range wires {
		for wires[i] = z.batch(); z.without != nil && z.without.Match(wires[i]); {
			wires[i] = z.batch()
		}
		z.tried++
		patience := 12 * time.Second
		if mayWait.Match(wires[i]) {
			patience = time.Second / 2
		}
		wait.Go(func() { got[i], closed[i] = askAll(proxy.Addr, wires[i], patience) })
	}
	wait.Wait()
	ok := true
	for i := range wires {
		if !closed[i] && !mayWait.Match(wires[i]) {
			t.Errorf("%s: no end of the replies to %.1000q, got %.300q; the server said\n%s", kind, wires[i], got[i], z.recently())
			ok = false
		}
	}
	return z.alive(t, proxy, fmt.Sprintf("%s, sent %.2000q; the server said\n%s", kind, wires, z.recently())) && ok
}

// mayWait are commands that wait for as long as the server does.
var mayWait = regexp.MustCompile("BLPOP|BLMOVE|BLOCK|BZPOPMIN|WAIT|MONITOR|XREADGROUP")

// hostileCommands are those whose replies the proxy looks into, joins, or passes on; $K is some key.
var hostileCommands = strings.Split(`GET $K;SET $K v;MGET $K $K $K $K;MSET $K 1 $K 2;DEL $K $K $K;EXISTS $K $K;KEYS *;DBSIZE;SCAN 0;SCAN 5 COUNT 7;HSCAN $K 0;RANDOMKEY;INFO;INFO all;INFO server
MULTI|GET $K|EXEC;WATCH $K|MULTI|SET $K 1|GET $K|EXEC;MULTI|MGET $K $K|KEYS *|EXEC;MULTI|DBSIZE|SCAN 0|DISCARD;MULTI|EVAL x 0|EXEC;MULTI|NOSUCH|EXEC
EVAL return_1 0;EVAL x 1 $K;EVALSHA abc 1 $K;FCALL f 1 $K;SCRIPT LOAD x;SCRIPT EXISTS a b;SCRIPT FLUSH;SCRIPT KILL;FUNCTION LIST;FUNCTION STATS;FUNCTION DUMP;FUNCTION LOAD x
BLPOP $K 0.1;BLMOVE $K $K LEFT LEFT 0.1;XREAD BLOCK 10 STREAMS $K 0;XREADGROUP GROUP g c STREAMS $K >;BZPOPMIN $K 0.1;WAIT 1 10;WAITAOF 0 0 10
SUBSCRIBE c;SUBSCRIBE c|UNSUBSCRIBE;PSUBSCRIBE *;SSUBSCRIBE c;PUBLISH c m;SPUBLISH c m;PUBSUB CHANNELS;PUBSUB NUMSUB a b;PUBSUB NUMPAT
CLIENT TRACKING ON|GET $K;CLIENT TRACKING ON BCAST;CLIENT NO-EVICT ON|GET $K;CLIENT REPLY OFF|GET $K|CLIENT REPLY ON;MONITOR;SELECT 3|GET $K;RESET|GET $K
COMMAND;COMMAND COUNT;COMMAND INFO get;COMMAND DOCS get;CONFIG GET *;CONFIG SET a b;SLOWLOG GET;SLOWLOG LEN;LATENCY LATEST;LATENCY HISTOGRAM;MEMORY STATS;MEMORY USAGE $K;MEMORY DOCTOR;ACL LIST;ACL LOG;ROLE;TIME;LASTSAVE;LOLWUT
CLUSTER INFO;CLUSTER SLOTS;CLUSTER SHARDS;CLUSTER NODES;CLUSTER COUNTKEYSINSLOT 5;CLUSTER GETKEYSINSLOT 5 5;OBJECT ENCODING $K;SORT $K;SORT $K STORE $K;DUMP $K;RESTORE $K 0 x;COPY $K $K;RENAME $K $K;LCS $K $K
ZINTERSTORE $K 2 $K $K;SINTER $K $K;PFCOUNT $K $K;GEORADIUS $K 1 1 1 m;FUNCTION FLUSH;UNLINK $K $K;TOUCH $K $K;MSETNX $K 1;MOD.ODD $K;MOD.OTHER;GET $K|GET $K|GET $K|SET $K 2|MGET $K $K|GET $K;PING|ECHO x|GET $K
FAILOVER;DEBUG SLEEP 0;HELLO 3|GET $K;HELLO 3|HGETALL $K|SMEMBERS $K;READONLY;ASKING|GET $K;LATENCY RESET;CONFIG RESETSTAT;INFO commandstats;MODULE LIST`, ";")

func (z *serverFuzz) batch() []byte {
	var wire []byte
	if z.chance(4) {
		wire = testkit.AppendRequest(wire, "HELLO", "3")
	}
	for range 1 + z.rand.IntN(3) {
		line := strings.ReplaceAll(hostileCommands[z.rand.IntN(len(hostileCommands))], "\n", ";")
		for _, one := range strings.FieldsFunc(line, func(r rune) bool { return r == '|' || r == ';' }) {
			words := strings.Fields(one)
			for i, w := range words {
				if w == "$K" {
					words[i] = fmt.Sprintf("k%d", z.rand.IntN(20))
				}
			}
			wire = testkit.AppendRequest(wire, words...)
		}
	}
	return wire
}

// serve answers a connection of the proxy. It has a source of numbers of its own, since connections run side by side.
func (z *serverFuzz) serve(n int, c *testkit.Conn) {
	own := &fuzzRun{rand: rand.New(rand.NewPCG(z.seed, uint64(n)+1))}
	rude := own.chance(10) // from the login on
	for {
		args, err := c.ReadRequest()
		if err != nil || len(args) == 0 {
			return
		}
		reply, known := testkit.Handshake(args)
		if strings.EqualFold(args[0], "ECHO") && len(args) == 2 { // which ends what the proxy asks at the login, and fences
			reply, known = bulk(args[1]), true
		}
		if addr := z.cluster.Load(); addr != nil && strings.EqualFold(args[0], "CLUSTER") && len(args) > 1 && (z.polite.Load() || !own.chance(6)) {
			reply, known = clusterAnswer(args, *addr)
		}
		if !z.polite.Load() && (!known || rude || own.chance(12)) {
			reply = own.hostile(reply)
			z.remember(args, reply)
		}
		for len(reply) > 0 { // in pieces at times
			piece := reply
			if own.chance(3) && len(reply) > 1 {
				piece = reply[:1+own.rand.IntN(min(len(reply)-1, 4096))]
			}
			if c.SendBytes([]byte(piece)) != nil {
				return
			}
			reply = reply[len(piece):]
		}
		if !z.polite.Load() && own.chance(40) {
			return
		}
	}
}

// clusterAnswer is what the only node of a cluster says of itself.
func clusterAnswer(args []string, addr string) (string, bool) {
	id := strings.Repeat("a", 40)
	switch strings.ToUpper(args[1]) {
	case "NODES":
		return bulk(id + " " + addr + "@1 myself,master - 0 0 1 connected 0-16383\n"), true
	case "SLOTS":
		host, port, _ := strings.Cut(addr, ":")
		return fmt.Sprintf("*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n%s:%s\r\n%s", bulk(host), port, bulk(id)), true
	case "INFO":
		return bulk("cluster_enabled:1\r\ncluster_state:ok\r\n"), true
	}
	return "-ERR unknown subcommand\r\n", true
}

func (z *serverFuzz) remember(args []string, reply string) {
	z.replies.Add(1)
	z.mu.Lock()
	defer z.mu.Unlock()
	z.said = append(z.said, fmt.Sprintf("%.60q: %d bytes %.100q", args, len(reply), reply))
	if len(z.said) > 12 {
		z.said = z.said[1:]
	}
}

func (z *serverFuzz) recently() string {
	z.mu.Lock()
	defer z.mu.Unlock()
	return strings.Join(z.said, "\n")
}

// hostile is a reply as none should be; good is the right one, or nothing.
func (z *fuzzRun) hostile(good string) string {
	one := func() string { return z.value(0, true) }
	switch z.rand.IntN(60) { // most are whole, so that a connection lives for some time
	case 0:
		return "" // nothing, ever
	case 1:
		return z.bytes(300)
	case 2:
		v := one() + one()
		return v[:z.rand.IntN(len(v)+1)]
	case 3:
		return one() + one() // one more than was asked for
	case 4:
		return pick(z, "$", "*", "%", "~", ">", "|", "=", "!") + fmt.Sprint(z.number()) + "\r\n"
	case 5:
		return strings.Repeat(pick(z, "*1\r\n", ">1\r\n", "~1\r\n", "|1\r\n+a\r\n"), 1+z.rand.IntN(100_000))
	case 6:
		return strings.Repeat("x", 1+z.rand.IntN(1<<20))
	case 7:
		return pick(z, "+", "-", ":", "(") + strings.Repeat("y", 1+z.rand.IntN(1<<20))
	case 8:
		return fmt.Sprintf(">%d\r\n%s%s%s", 3, bulk(pick(z, "message", "pmessage", "smessage", "invalidate", "subscribe", "odd")), bulk("c"), one()) + one()
	case 9:
		return ">2\r\n" + bulk("invalidate") + pick(z, "_\r\n", "*1\r\n$1\r\nk\r\n", "*1\r\n*0\r\n", ":1\r\n") + good
	case 10:
		return "|1\r\n" + one() + one() + one()
	case 11:
		return "*100000\r\n" + strings.Repeat(one(), 3)
	case 12:
		return "-" + pick(z, "MOVED 5 127.0.0.1:1", "MOVED 99999 127.0.0.1:1", "MOVED x", "MOVED 5 :0", "ASK 5 [::1]:70000", "ASK", "TRYAGAIN", "LOADING x", "BUSY x", "NOAUTH x", "CLUSTERDOWN x", "MASTERDOWN", "READONLY x", "NOSCRIPT x", "EXECABORT x", "OOM x", "ERR unknown command", "NOPROTO x") + "\r\n"
	case 13:
		return pick(z, "*2\r\n$1\r\n0\r\n*3\r\n", "*2\r\n:0\r\n*0\r\n", "*2\r\n$22\r\n9999999999999999999999\r\n*0\r\n", "*2\r\n$2\r\n-1\r\n*-1\r\n", "*1\r\n$1\r\n0\r\n")
	case 14:
		return "+QUEUED\r\n" + good
	case 15:
		return "*" + fmt.Sprint(z.rand.IntN(5)) + "\r\n" + one() + one()
	case 16:
		return bulk(strings.Repeat("v", 1+z.rand.IntN(2<<20)))
	case 17:
		return "$?\r\n;4\r\nabcd\r\n;0\r\n" + good
	case 18:
		return "\r\n" + good
	case 19:
		return strings.ReplaceAll(one(), "\r\n", pick(z, "\n", "\r", "\n\r", "\r\r\n"))
	}
	return one()
}
