package e2e

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ringmaster/internal/testkit"
	"ringmaster/shard"
)

// weather is what clients have to expect.
type weather struct {
	strict  atomic.Bool    // an error is a fault
	crashes atomic.Int64   // of primaries: what was acknowledged may be lost with one
	clear   *regexp.Regexp // what errors may say; nil: anything
	// What has been done so far, and how much of it was answered with an error.
	done, errors atomic.Int64
}

// goesOn waits until clients have done some more.
func (w *weather) goesOn(t *testing.T) {
	t.Helper()
	before := w.done.Load()
	testkit.Until(t, "clients to go on", func() bool { return w.done.Load() > before+500 })
}

// mixed is a client that knows what it has written: counters, values over several slots, a transaction, a blocking pop.
type mixed struct {
	id   int
	addr string
	*weather
	report func(string, ...any)
}

func (m *mixed) run(stop <-chan struct{}) {
	var c *testkit.Conn
	defer func() {
		if c != nil {
			c.Close()
		}
	}()
	hot, cold := fmt.Sprintf("{hot%d}", m.id%4), fmt.Sprintf("c%d:", m.id)
	counter, tx := cold+"n", fmt.Sprintf("%s:%d", hot, m.id)
	n, txn, unsure := 0, 0, false
	for i := 0; ; i++ {
		crashes := m.crashes.Load()
		select {
		case <-stop:
			return
		default:
		}
		if c == nil {
			var err error
			if c, err = testkit.Connect(m.addr); err != nil {
				m.report("client %d cannot connect: %v", m.id, err)
				return
			}
			c.Patience = replyPatience * second
		}
		do := func(args ...string) string {
			if c == nil {
				return ""
			}
			strict := m.strict.Load()
			reply, err := c.Call(args...)
			m.done.Add(1)
			if err != nil || strings.HasPrefix(reply, "-") || strings.Contains(reply, "\r\n-") {
				m.errors.Add(1)
				unsure = true
				if strict && m.strict.Load() || m.clear != nil && !m.clear.MatchString(reply) {
					m.report("client %d, %.60q: %.200q, %v", m.id, args, reply, err)
				}
				if err != nil {
					if isTimeout(err) {
						m.report("client %d hangs at %.60q", m.id, args)
					}
					c.Close()
					c = nil
				}
				return ""
			}
			return reply
		}
		expect := func(what, got, want string) {
			if got != "" && got != want && !unsure && m.crashes.Load() == crashes {
				m.report("client %d: %s is %.200q, want %.200q", m.id, what, got, want)
			}
		}
		if got := do("INCR", counter); got != "" {
			n++
			expect("the counter", got, fmt.Sprintf(":%d\r\n", n))
		}
		value := fmt.Sprintf("%d-%d", m.id, i)
		keys := []string{cold + "a", cold + "b", hot + cold}
		if do("MSET", keys[0], value, keys[1], value+"x", keys[2], value+"y") != "" {
			expect("MGET", do("MGET", keys[2], keys[0], keys[1]), testkit.Request(value+"y", value, value+"x"))
		}
		if do("MULTI") != "" && do("INCR", tx) != "" && do("SET", tx+"v", value) != "" {
			if got := do("EXEC"); got != "" {
				txn++
				expect("EXEC", got, fmt.Sprintf("*2\r\n:%d\r\n+OK\r\n", txn))
			}
		} else if c != nil {
			c.Close()
			c = nil
		}
		if i%8 == 0 {
			do("RPUSH", hot+cold+"q", value)
			expect("BLPOP", do("BLPOP", hot+cold+"q", "5"), testkit.Request(hot+cold+"q", value))
		}
		if i%4 == 0 && c != nil {
			m.pipeline(c, hot+cold+"p", i)
		}
		if unsure || m.crashes.Load() != crashes { // what was under way may have run or not
			do("DEL", counter, tx, hot+cold+"q")
			n, txn = 0, 0
			unsure = c == nil
			if got := do("GET", counter) + do("GET", tx); got != "$-1\r\n$-1\r\n" {
				unsure = true
			}
		}
	}
}

// pipeline writes and reads a key in one write of the client: each read must give what was written just before.
func (m *mixed) pipeline(c *testkit.Conn, key string, round int) {
	const pairs = 10
	var raw []byte
	for n := range pairs {
		raw = testkit.AppendRequest(raw, "SET", key, fmt.Sprint(round, n))
		raw = testkit.AppendRequest(raw, "GET", key)
	}
	strict, crashes := m.strict.Load(), m.crashes.Load()
	if c.SendBytes(raw) != nil {
		return // the next command finds out
	}
	failed := false
	for n := range 2 * pairs {
		reply, err := c.Next()
		if err != nil {
			return
		}
		m.done.Add(1)
		if reply[0] == '-' {
			failed = true
			m.errors.Add(1)
			if strict && m.strict.Load() || m.clear != nil && !m.clear.Match(reply) {
				m.report("client %d, request %d of a pipeline: %q", m.id, n, reply)
			}
			continue
		}
		value := fmt.Sprint(round, n/2)
		if want := fmt.Sprintf("$%d\r\n%s\r\n", len(value), value); n%2 == 1 && string(reply) != want && !failed && m.crashes.Load() == crashes {
			m.report("client %d, request %d of a pipeline: %q, want %q", m.id, n, reply, want)
		}
	}
}

// startMixed runs clients until the returned function is called, which gives how much was done and how many errors there were.
func startMixed(t *testing.T, addr string, clients int, w *weather) (stop func() (done, errors int64)) {
	t.Helper()
	var faults atomic.Int64
	ended := make(chan struct{})
	var wg sync.WaitGroup
	for id := range clients {
		m := &mixed{id: id, addr: addr, weather: w, report: func(format string, args ...any) {
			if faults.Add(1) <= 20 {
				t.Errorf(format, args...)
			}
		}}
		wg.Add(1)
		go func() {
			defer wg.Done()
			m.run(ended)
		}()
	}
	return func() (int64, int64) {
		close(ended)
		wg.Wait()
		return w.done.Load(), w.errors.Load()
	}
}

// Slots are moved back and forth under traffic, with the keys that are asked for most: clients see no error.
func TestReshardingUnderTrafficIsNotSeen(t *testing.T) {
	if os.Getenv("RESHARD_SECONDS") == "" {
		t.Skip("runs with RESHARD_SECONDS=n only: in about one of eight runs the nodes themselves do not come to agree on who has a slot")
	}
	seconds := scale(t, "RESHARD_SECONDS", 2, 4, 4)
	c := testkit.StartCluster(t, 3, 0)
	proxy := testkit.Proxy(t, []string{c.Nodes[0].Addr}, "--topology", "cluster", "--timeout", "10s")
	var w weather
	w.strict.Store(true)
	stop := startMixed(t, proxy.Addr, scale(t, "CLUSTER_CLIENTS", 10, 50, 50), &w)
	moves := 0
	end := time.Now().Add(time.Duration(seconds) * time.Second)
	for time.Now().Before(end) && !t.Failed() {
		for hot := range 4 {
			slot := int(shard.Slot(fmt.Appendf(nil, "hot%d", hot)))
			from := c.Primary(slot)
			to := c.Nodes[(hot+moves)%3]
			if from != nil && from != to {
				c.MoveSlots(t, slot, slot, from, to)
				c.WaitOK(t) // who moves slots before all nodes know of the last move can lose keys
				moves++
			}
		}
	}
	done, errors := stop()
	t.Logf("%d moves under %d commands, %d errors", moves, done, errors)
}

// A primary is killed and its replica takes over: errors end with the promotion.
func TestFailoverEndsTheErrors(t *testing.T) {
	rounds := scale(t, "FAILOVERS", 1, 1, 1)
	c := testkit.StartCluster(t, 3, 3)
	proxy := testkit.Proxy(t, []string{c.Nodes[0].Addr, c.Nodes[1].Addr}, "--topology", "cluster")
	var w weather
	w.strict.Store(true)
	stop := startMixed(t, proxy.Addr, scale(t, "CLUSTER_CLIENTS", 10, 20, 20), &w)
	for round := range rounds {
		slot := int(shard.Slot(fmt.Appendf(nil, "hot%d", round%4)))
		old := c.Primary(slot)
		w.strict.Store(false)
		w.crashes.Add(1)
		old.Kill()
		c.WaitPromoted(t, old, slot)
		seen := time.Now()
		probe := testkit.Dial(t, proxy.Addr)
		testkit.Until(t, "writes to the promoted replica", func() bool {
			return probe.Do("SET", fmt.Sprintf("{hot%d}probe", round%4), "x") == "+OK\r\n"
		})
		t.Logf("round %d: writes %v after the promotion was visible", round, time.Since(seen).Round(time.Millisecond))
		old.Restart(t)
		c.WaitOK(t)
		testkit.Until(t, "all to be well", func() bool {
			return probe.Do("MSET", "a", "1", "b", "1", "c", "1", "d", "1", "e", "1", "f", "1") == "+OK\r\n"
		})
		w.strict.Store(true)
	}
	done, errors := stop()
	t.Logf("%d commands, %d errors", done, errors)
}

// Patterns are at one node of a cluster, or at all where they may match key events; clients find all of it as on one Redis.
func TestAClusterEqualsADirectRedis(t *testing.T) {
	c := testkit.StartCluster(t, 3, 0)
	proxy := testkit.Proxy(t, []string{c.Nodes[0].Addr}, "--topology", "cluster", "--admin-commands", "allow", "--loops", "2")
	sameStory(t, &pair{direct: testkit.Redis(t), proxy: proxy.Addr}, `
a PSUBSCRIBE n*
b SUBSCRIBE one
b PSUBSCRIBE n?xt *s
c PUBLISH new 1
a hears 1
c PUBLISH next 2
a hears 1
b hears 1
c PUBLISH ones 3
b hears 1
c PUBLISH one 4
b hears 1
c PUBLISH nobody 5
a hears 1
c PUBLISH other 6
c PUBSUB NUMPAT
c PUBSUB NUMSUB one new
c CONFIG SET notify-keyspace-events KEA
c SET keys 1
b hears 1
c SET locks 1
b hears 1
c SET cars 1
b hears 1
c SET bikes 1
b hears 1
c CONFIG SET notify-keyspace-events KA
c MULTI
c FLUSHALL
c SET keys 2
c CONFIG SET maxmemory nonsense
c EXEC
b hears 1
c DBSIZE
c MGET keys locks cars bikes
b PUNSUBSCRIBE *s n?xt
a PUNSUBSCRIBE n*
c PUBSUB NUMPAT
c PUBLISH next 7`)
}
