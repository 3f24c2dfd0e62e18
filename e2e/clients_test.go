package e2e

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ringmaster/internal/testkit"
)

// patience is the longest that a client may wait because of what another one asks of the proxy itself, on a machine that has
// nothing else to do. On a busy one it is as many times what a plain Redis takes in the meantime.
const (
	patience      = 50 * time.Millisecond
	patienceTimes = 5
)

// One client that asks for the list of all clients, over and over in one pipeline, holds up nobody, and costs little memory
// whether it reads the lists or not. LIST_CLIENTS=9000 shows it with as many clients.
func TestListsOfClientsHoldUpNobody(t *testing.T) {
	clients := scale(t, "LIST_CLIENTS", 500, 3000, 3000)
	const lists = 100
	server := testkit.Redis(t)
	for _, c := range []struct {
		loops string
		reads bool
	}{{"1", true}, {"1", false}, {"2", true}} {
		proxy := testkit.Proxy(t, []string{server.Addr}, "--loops", c.loops, "--max-clients", "20000")
		idle := make([]net.Conn, clients)
		for i := range idle {
			c, err := net.Dial("tcp", proxy.Addr)
			if err != nil {
				t.Fatal(err)
			}
			idle[i] = c
		}
		beside := testkit.Dial(t, proxy.Addr)
		holdsUpNobody(t, proxy, server, func(lister *testkit.Conn) {
			lister.Send(strings.Repeat(testkit.Request("CLIENT", "LIST"), lists))
			if !c.reads {
				for range 2000 { // as long as it takes to fill memory, if it fills
					beside.Do("PING")
				}
				return
			}
			for i := range lists {
				if got := strings.Count(lister.Read1(), "\nid="); got < clients {
					t.Fatalf("list %d has %d clients, of %d", i, got, clients)
				}
			}
		})
		peak := peakMemory(t, proxy.PID())
		t.Logf("%d clients, %s loops, read %v: peak RSS %d MB", clients, c.loops, c.reads, peak>>20)
		if peak > 300<<20 {
			t.Errorf("the proxy took %d MB", peak>>20)
		}
		for _, c := range idle {
			_ = c.Close()
		}
	}
}

// What one client makes long by its words holds up nobody either. LONG_WORDS=1000000 shows it with a million keys.
func TestLongCommandsHoldUpNobody(t *testing.T) {
	words := scale(t, "LONG_WORDS", 20_000, 100_000, 100_000)
	proxy, servers := threeShards(t, "--loops", "1", "--timeout", "20s")
	repeated := func(n int, first []string, pattern string) string {
		list := slices.Clone(first)
		for i := range n {
			list = append(list, strings.ReplaceAll(pattern, "#", strconv.Itoa(i)))
		}
		return testkit.Request(list...)
	}
	for _, c := range []struct {
		name, request string
		replies       int
	}{
		{"MGET", repeated(words, []string{"MGET"}, "key:#"), 1},
		{"DEL", repeated(words, []string{"DEL"}, "key:#"), 1},
		{"CLIENT LIST ID", repeated(words/2, []string{"CLIENT", "LIST", "ID"}, "1"), 1},
		{"EXEC", testkit.Request("MULTI") + strings.Repeat(testkit.Request("CLIENT", "INFO"), words/10) + testkit.Request("EXEC"), words/10 + 2},
		{"SUBSCRIBE", repeated(words/10, []string{"SUBSCRIBE"}, "channel:#") + testkit.Request("UNSUBSCRIBE"), words / 10 * 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			holdsUpNobody(t, proxy, servers[0], func(long *testkit.Conn) {
				go long.Send(c.request)
				for range c.replies {
					if got := long.Read1(); got[0] == '-' {
						t.Fatalf("%.200q", got)
					}
				}
			})
		})
	}
}

// holdsUpNobody lets a client do what takes long, and looks how long others wait meanwhile. A busy machine may make somebody wait
// by chance, so that it may be tried again.
func holdsUpNobody(t *testing.T, proxy, plain *testkit.Server, long func(c *testkit.Conn)) {
	t.Helper()
	const attempts = 3
	for i := 1; ; i++ {
		stop := make(chan struct{})
		through, direct := watchPings(t, proxy.Addr, stop), watchPings(t, plain.Addr, stop)
		c := testkit.Dial(t, proxy.Addr)
		began := time.Now()
		long(c)
		took := time.Since(began)
		close(stop)
		got, control := <-through, <-direct
		c.Close()
		bound := max(patience, patienceTimes*control.at(1))
		t.Logf("%v; PING of others %v, longest %v; at a plain Redis %v, longest %v", took, got, got.at(1), control, control.at(1))
		if got.at(1) <= bound {
			return
		}
		if i == attempts {
			t.Errorf("another client waited %v, more than %v", got.at(1), bound)
			return
		}
	}
}

// watchPings measures round trips of PING, one after the other, until stop is closed.
func watchPings(t *testing.T, addr string, stop <-chan struct{}) <-chan latencies {
	t.Helper()
	c := testkit.Dial(t, addr)
	done := make(chan latencies, 1)
	var ready sync.WaitGroup
	ready.Add(1)
	go func() {
		var all latencies
		defer func() { slices.Sort(all); done <- all }()
		for i := 0; ; i++ {
			began := time.Now()
			if _, err := c.Call("PING"); err != nil {
				t.Error(err)
				return
			}
			all = append(all, time.Since(began))
			if i == 0 {
				ready.Done()
			}
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	ready.Wait()
	return done
}

// peakMemory is the most resident memory that a process has had, bytes.
func peakMemory(t *testing.T, pid int) (peak int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			if _, err := fmt.Sscan(rest, &peak); err != nil {
				t.Fatal(err)
			}
			peak <<= 10
		}
	}
	return peak
}
