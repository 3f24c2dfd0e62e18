package e2e

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"ringmaster/internal/testkit"
)

// atMostTimes is how much slower light clients may be beside a heavy one.
const atMostTimes = 10

// noise is the time below which a comparison says nothing on a shared machine.
const noise = 2 * time.Millisecond

// compared is the share of the round trips that are compared. Who is starved waits each time; a machine that stands still for a
// moment makes each client wait once.
const compared = .9

const lightClients = 100

// latencies are round trips, sorted.
type latencies []time.Duration

func (l latencies) at(share float64) time.Duration { return l[int(share*float64(len(l)-1))] }

// slowest is the mean of the slowest share of them.
func (l latencies) slowest(share float64) time.Duration {
	slow := l[len(l)-max(1, int(share*float64(len(l)))):]
	var sum time.Duration
	for _, d := range slow {
		sum += d
	}
	return sum / time.Duration(len(slow))
}

func (l latencies) String() string {
	return fmt.Sprintf("p50 %v, p90 %v, p99 %v", l.at(.5), l.at(.9), l.at(.99))
}

// check compares what was measured beside others with what was measured alone, and with what the same clients measured at a
// plain Redis in the meantime: that says how busy the machine was.
func (l latencies) check(t *testing.T, alone, control latencies) {
	t.Helper()
	if bound := atMostTimes * max(alone.at(compared), control.at(compared), noise); l.at(compared) > bound {
		t.Errorf("%v, more than %v; at a plain Redis in the meantime %v", l, bound, control)
	}
}

// measureBoth is measureLight at a proxy, and at a plain Redis that nobody else uses at the same time.
func measureBoth(t *testing.T, proxy, plain string, each int) (got, control latencies) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		control = measureLight(t, plain, each)
	}()
	got = measureLight(t, proxy, each)
	<-done
	return got, control
}

// measureLight lets a hundred clients send one command every few milliseconds each, and
// returns their round trips.
func measureLight(t *testing.T, addr string, each int) latencies {
	t.Helper()
	var mu sync.Mutex
	var all latencies
	var wg sync.WaitGroup
	for id := range lightClients {
		c, err := testkit.Connect(addr)
		if err != nil {
			t.Error(err)
			continue
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer c.Close()
			own, err := light(c, id, each)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, own...)
			if err != nil {
				t.Errorf("light client %d: %v", id, err)
			}
		}()
	}
	wg.Wait()
	if len(all) == 0 {
		t.Error("no light client was answered")
		all = append(all, 0)
	}
	slices.Sort(all)
	return all
}

func light(c *testkit.Conn, id, each int) ([]time.Duration, error) {
	key := "light:" + string(rune('a'+id%26))
	pace := time.NewTicker(5 * time.Millisecond)
	defer pace.Stop()
	var own []time.Duration
	for i := range each {
		<-pace.C
		began := time.Now()
		var err error
		if i%2 == 0 {
			_, err = c.Call("SET", key, "value")
		} else {
			_, err = c.Call("GET", key)
		}
		if err != nil {
			return own, err
		}
		own = append(own, time.Since(began))
	}
	return own, nil
}

// A client that sends as fast as it can, and one that never reads its replies, must not
// slow a hundred light clients by more than ten times.
func TestLightClientsBesideHeavyOnes(t *testing.T) {
	each := scale(t, "LIGHT_REQUESTS", 60, 400, 400)
	for _, poll := range []string{"edge", "level"} {
		t.Run(poll, func(t *testing.T) {
			s, plain := testkit.Redis(t), testkit.Redis(t)
			proxy := testkit.Proxy(t, []string{s.Addr}, "--poll", poll, "--timeout", "20s", "--client-output-limit", "32mb")
			testkit.Dial(t, proxy.Addr).Do("SET", "big", string(make([]byte, 1<<10)))
			alone := measureLight(t, proxy.Addr, each)
			t.Logf("alone: %v", alone)
			for _, n := range []struct {
				name  string
				heavy func(c *testkit.Conn)
			}{{"flat out", sendFlatOut}, {"never reading", neverRead}} {
				stop := besides(t, proxy.Addr, n.heavy)
				got, control := measureBoth(t, proxy.Addr, plain.Addr, each)
				stop()
				t.Logf("beside a client %s: %v; at a plain Redis %v", n.name, got, control)
				got.check(t, alone, control)
			}
		})
	}
}

// besides runs heavy over one connection after another until the returned function is
// called.
func besides(t *testing.T, addr string, heavy func(*testkit.Conn)) (stop func()) {
	t.Helper()
	done := make(chan struct{})
	var mu sync.Mutex
	var open *testkit.Conn
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		for {
			c, err := testkit.Connect(addr)
			mu.Lock()
			select {
			case <-done:
				mu.Unlock()
				if err == nil {
					c.Close()
				}
				return
			default:
				open = c
			}
			mu.Unlock()
			if err == nil {
				heavy(c)
				c.Close()
			}
		}
	}()
	return func() {
		mu.Lock()
		close(done)
		if open != nil {
			open.Close()
		}
		mu.Unlock()
		wg.Wait()
	}
}

func repeated1000(args ...string) []byte {
	var b []byte
	for range 1000 {
		b = testkit.AppendRequest(b, args...)
	}
	return b
}

// sendFlatOut pipelines without any limit and reads what comes.
func sendFlatOut(c *testkit.Conn) {
	go func() { _, _ = io.Copy(io.Discard, c.Conn) }()
	batch := repeated1000("SET", "flat", "out")
	for {
		if _, err := c.Write(batch); err != nil {
			return
		}
	}
}

// neverRead asks for big values and reads none.
func neverRead(c *testkit.Conn) {
	batch := testkit.Request("GET", "big")
	for {
		if _, err := c.Write([]byte(batch)); err != nil {
			return
		}
	}
}
