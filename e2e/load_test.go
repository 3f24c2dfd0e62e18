package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ringmaster/internal/testkit"
)

// SCAN returns every key that is there all along, while others are written, deleted and scanned.
func TestSCANWhileKeysAreWritten(t *testing.T) {
	keys := scale(t, "SCAN_KEYS", 2000, 20_000, 20_000)
	proxy, _ := threeShards(t)
	c := testkit.Dial(t, proxy.Addr)
	for at := 0; at < keys; at += 500 {
		mset := []string{"MSET"}
		for i := at; i < min(at+500, keys); i++ {
			mset = append(mset, fmt.Sprintf("stays:%d", i), "v")
		}
		c.Do(mset...)
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	disturb := func(step func(c *testkit.Conn, i int) error) {
		other := testkit.Dial(t, proxy.Addr)
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				if err := step(other, i); err != nil {
					t.Error(err)
					return
				}
			}
		}()
	}
	// Keys that come and go make the servers' tables grow and shrink, which moves the others in them.
	disturb(func(c *testkit.Conn, i int) error {
		names := []string{"MSET"}
		for k := range 200 {
			names = append(names, fmt.Sprintf("comes:%d", (i*200+k)%(2*keys)), "v")
		}
		_, err := c.Call(names...)
		return err
	})
	disturb(func(c *testkit.Conn, i int) error {
		names := []string{"DEL"}
		for k := range 200 {
			names = append(names, fmt.Sprintf("comes:%d", (i*200+k+keys)%(2*keys)))
		}
		_, err := c.Call(names...)
		return err
	})
	disturb(func(c *testkit.Conn, i int) error {
		_, err := c.Call("SCAN", "0", "COUNT", "7")
		return err
	})
	for range 3 {
		seen, stayed := scanAll(t, c), 0
		for k := range seen {
			if strings.HasPrefix(k, "stays:") {
				stayed++
			}
		}
		if stayed != keys {
			t.Errorf("SCAN returned %d of the %d keys that stayed", stayed, keys)
		}
	}
	close(done)
	wg.Wait()
}

// Transactions without WATCH need no connection of their own, however many there are and however slow the server is. Each loop
// has one connection over which it can ask whether a script keeps the server busy, from the first transaction on.
func TestTransactionsTakeNoConnections(t *testing.T) {
	seconds := scale(t, "TX_SECONDS", 1, 1, 1)
	s := testkit.Redis(t)
	const loops, clients, depth = 2, 20, 10
	proxy := testkit.Proxy(t, []string{s.Addr}, "--loops", strconv.Itoa(loops))
	direct := testkit.Dial(t, s.Addr)
	connections := func() int { return connectionsEver(t, direct) }
	conns := make([]*testkit.Conn, clients)
	for i := range conns {
		conns[i] = testkit.Dial(t, proxy.Addr)
		conns[i].Do("PING")
	}
	before := afterFirstTransactions(t, proxy, direct, loops, conns...)
	began := time.Now()
	counts := make(chan int)
	for i, c := range conns {
		key := fmt.Sprint("counter:", i)
		one := testkit.Request("MULTI") + testkit.Request("INCR", key) + testkit.Request("INCRBY", key, "2") + testkit.Request("EXEC")
		go func() {
			n := 0
			defer func() { counts <- n }()
			for time.Since(began) < time.Duration(seconds)*time.Second {
				if err := c.SendBytes([]byte(strings.Repeat(one, depth))); err != nil {
					t.Error(err)
					return
				}
				for range depth {
					want := fmt.Sprintf("+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:%d\r\n:%d\r\n", 3*n+1, 3*n+3)
					got := ""
					for range 4 {
						b, err := c.Next()
						if err != nil {
							t.Error(err)
							return
						}
						got += string(b)
					}
					if got != want {
						t.Errorf("transaction %d: %q, want %q", n, got, want)
						return
					}
					n++
				}
			}
		}()
	}
	total := 0
	for range conns {
		total += <-counts
	}
	if after := connections(); after != before {
		t.Errorf("%d transactions took connections: %d, then %d", total, before, after)
	}
	t.Logf("%d transactions in %v, %.0f a second", total, time.Since(began), float64(total)/time.Since(began).Seconds())
}

// connectionsEver is how many connections a server has had.
func connectionsEver(t *testing.T, direct *testkit.Conn) int {
	t.Helper()
	n, err := strconv.Atoi(infoField(direct, "stats", "total_connections_received"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// afterFirstTransactions has clients of a proxy, which are on so many loops, run a transaction each, and gives how many
// connections the server has had when each loop has the one over which it asks about scripts. A loop makes it at the first
// transaction that finds the loop's shared connection ready.
func afterFirstTransactions(t *testing.T, proxy *testkit.Server, direct *testkit.Conn, loops int, conns ...*testkit.Conn) int {
	t.Helper()
	testkit.Until(t, "every loop to have its shared connection", func() bool { code, _ := proxy.Get(t, "/readyz"); return code == 200 })
	want := connectionsEver(t, direct) + loops
	for _, c := range conns {
		c.Do("MULTI")
		c.Do("SET", "first", "1")
		c.Do("EXEC")
	}
	testkit.Until(t, "the connection of each loop that asks about scripts", func() bool { return connectionsEver(t, direct) >= want })
	return want
}

// Blocked clients slow others no more than chance does.
func TestLightClientsBesideBlockedOnes(t *testing.T) {
	clients := scale(t, "BLOCKED", 20, 200, 200)
	each := scale(t, "LIGHT_REQUESTS", 60, 200, 200)
	s, plain := testkit.Redis(t), testkit.Redis(t)
	proxy := testkit.Proxy(t, []string{s.Addr})
	alone := measureLight(t, proxy.Addr, each)
	direct := testkit.Dial(t, s.Addr)
	for range clients {
		testkit.Dial(t, proxy.Addr).Send(testkit.Request("BLPOP", "queue", "0"))
	}
	testkit.Until(t, "all to be blocked", func() bool {
		return strings.Contains(direct.Do("INFO", "clients"), fmt.Sprintf("blocked_clients:%d\r\n", clients))
	})
	beside, control := measureBoth(t, proxy.Addr, plain.Addr, each)
	t.Logf("alone: %v; beside %d blocked clients: %v; at a plain Redis %v", alone, clients, beside, control)
	beside.check(t, alone, control)
}
