package e2e

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ringmaster/internal/testkit"
)

const second = time.Second

// backWithin is the longest that a server's return to full service may take; on a busy machine, as many times what a visit to a
// plain Redis takes in the meantime. The proxy visits the server in several steps, and waits between them.
const (
	backWithin      = time.Second
	backWithinTimes = 20
)

// faultShard is one of the servers behind the proxy, and keys that live on it.
type faultShard struct {
	*testkit.Server
	probe string
}

// faultRun is a proxy under tagged traffic.
type faultRun struct {
	proxy  *testkit.Server
	shards []*faultShard // the third is reached through cutter
	cutter *testkit.Forwarder
	plain  *testkit.Server // a Redis that nobody uses
	probes everyLoop
	lossy  atomic.Bool
	tally  tally
	before testkit.Usage

	mu      sync.Mutex
	reports []string

	stop    chan struct{}
	clients sync.WaitGroup
}

// Servers are killed, stopped, restarted and cut off in mid-reply, again and again. No
// client may see a reply that is not its own, none may hang, nothing may leak, and a
// server that is back is used within a second.
func TestTaggedTrafficUnderFaults(t *testing.T) {
	run := newFaultRun(t)
	run.start(scale(t, "FAULT_CLIENTS", 50, 200, 200))
	until := time.Now().Add(time.Duration(scale(t, "FAULT_SECONDS", 3, 10, 10)) * second)
	rounds := 0
	for time.Now().Before(until) || rounds < 1 {
		run.killAndRestart(t, run.shards[0])
		run.stopAndContinue(t, run.shards[1])
		run.cutAndReset(t)
		rounds++
	}
	run.finish()
	t.Logf("%d rounds of faults, %d replies, of them %d errors, %d connections closed", rounds,
		run.tally.replies.Load(), run.tally.errors.Load(), run.tally.closes.Load())
	if run.tally.replies.Load() < 1000 || run.tally.errors.Load() == 0 {
		t.Error("too little traffic or no error at all: the faults were not felt")
	}
	for i, r := range run.reports {
		if i == 20 {
			t.Errorf("and %d more", len(run.reports)-i)
			break
		}
		t.Error(r)
	}
	run.checkNothingLeaked(t)
}

func newFaultRun(t *testing.T) *faultRun {
	t.Helper()
	run := &faultRun{stop: make(chan struct{}), plain: testkit.Redis(t)}
	var addrs []string
	for range 3 {
		s := testkit.Redis(t)
		run.shards = append(run.shards, &faultShard{Server: s})
		addrs = append(addrs, s.Addr)
	}
	run.cutter = testkit.NewForwarder(t, addrs[2])
	addrs[2] = run.cutter.Addr
	run.proxy = testkit.Proxy(t, addrs)
	run.probes = dialEveryLoop(t, run.proxy.Addr)
	run.findProbeKeys(t)
	for _, s := range run.shards {
		run.untilServed(t, s)
	}
	run.before = run.proxy.Usage(t)
	return run
}

// findProbeKeys finds a key of each shard by looking where the proxy put it.
func (run *faultRun) findProbeKeys(t *testing.T) {
	t.Helper()
	for n, missing := 0, len(run.shards); missing > 0; n++ {
		key := fmt.Sprintf("probe:%d", n)
		if got := run.probes[0].Do("SET", key, key); got != "+OK\r\n" {
			t.Fatalf("SET %s: %q", key, got)
		}
		for _, s := range run.shards {
			if s.probe == "" && testkit.Dial(t, s.Addr).Do("EXISTS", key) == ":1\r\n" {
				s.probe = key
				missing--
			}
		}
		if n > 1000 {
			t.Fatal("some shard gets no key")
		}
	}
}

func (run *faultRun) start(clients int) {
	report := func(s string) {
		run.mu.Lock()
		defer run.mu.Unlock()
		run.reports = append(run.reports, s)
	}
	for id := range clients {
		c := newTagger(id, run.proxy.Addr, &run.lossy, &run.tally, report)
		run.clients.Add(1)
		go func() {
			defer run.clients.Done()
			c.run(run.stop)
		}()
	}
}

func (run *faultRun) finish() {
	close(run.stop)
	run.clients.Wait()
}

func (run *faultRun) killAndRestart(t *testing.T, s *faultShard) {
	t.Helper()
	run.lossy.Store(true)
	s.Kill()
	run.untilRefused(t, s)
	s.Restart(t)
	run.back(t, s, "killed and restarted")
}

// stopAndContinue freezes a server for three seconds, longer than the timeout.
func (run *faultRun) stopAndContinue(t *testing.T, s *faultShard) {
	t.Helper()
	s.Stop()
	stopped := time.NewTimer(3 * second)
	if testing.Short() {
		stopped.Reset(1500 * time.Millisecond)
	}
	run.untilRefused(t, s)
	<-stopped.C
	s.Cont()
	testkit.Until(t, "the continued server to answer", func() bool { return testkit.Answers(s.Addr) })
	run.back(t, s, "stopped and continued")
}

func (run *faultRun) cutAndReset(t *testing.T) {
	t.Helper()
	s := run.shards[2]
	for range 5 {
		cuts := run.cutter.Cuts()
		run.cutter.CutReply()
		testkit.Until(t, "a reply to be cut", func() bool { return run.cutter.Cuts() > cuts })
		run.back(t, s, "cut in mid-reply")
	}
	run.cutter.Reset()
	run.back(t, s, "reset")
}

// untilRefused waits until every probe gets an error for s's key.
func (run *faultRun) untilRefused(t *testing.T, s *faultShard) {
	t.Helper()
	testkit.Until(t, "errors for the keys of a lost server", func() bool { return run.served(t, s) == 0 })
}

func (run *faultRun) untilServed(t *testing.T, s *faultShard) {
	t.Helper()
	testkit.Until(t, "full service for a server", func() bool { return run.served(t, s) == len(run.probes) })
}

// served is how many of the probes, which cover every loop, can write to s.
func (run *faultRun) served(t *testing.T, s *faultShard) int {
	t.Helper()
	ok := 0
	for i, c := range run.probes {
		reply, err := c.Call("SET", s.probe, "x")
		if err != nil { // a reply cut in its middle closes its client
			if isTimeout(err) {
				t.Errorf("a probe hangs: %v", err)
			}
			c.Close()
			run.probes[i] = testkit.Dial(t, run.proxy.Addr)
		} else if reply == "+OK\r\n" {
			ok++
		}
	}
	return ok
}

// back waits until s, which answers directly, is in full service through the proxy: until a round of probes begins that are all
// served. How long that one takes says how busy the machine is.
func (run *faultRun) back(t *testing.T, s *faultShard, after string) {
	t.Helper()
	began := time.Now()
	var took time.Duration
	plain := startMeter(t, run.plain.Addr)
	testkit.Until(t, "full service for a server", func() bool {
		took = time.Since(began)
		return run.served(t, s) == len(run.probes)
	})
	control := plain.longest()
	t.Logf("full service %v after a server %s; a visit to a plain Redis took %v", took.Round(time.Millisecond), after, control)
	if bound := max(backWithin, backWithinTimes*control); took > bound {
		t.Errorf("full service took %v after a server %s, want at most %v", took, after, bound)
	}
}

// checkNothingLeaked waits until the proxy holds no more than before the traffic.
func (run *faultRun) checkNothingLeaked(t *testing.T) {
	t.Helper()
	var now testkit.Usage
	settled := testkit.Eventually(testkit.Patience, func() bool {
		now = run.proxy.Usage(t)
		return now.Goroutines <= run.before.Goroutines && now.FDs <= run.before.FDs
	})
	if !settled {
		_, stacks := run.proxy.Get(t, "/debug/pprof/goroutine?debug=1")
		t.Errorf("leak: %v before, %v after\n%s\n%s", run.before, now, run.proxy.Sockets(), stacks)
	}
	for _, metric := range []string{"ringmaster_server_in_flight_requests", "ringmaster_foreign_bytes_total"} {
		if v := run.proxy.Metric(t, metric); v != 0 {
			t.Errorf("%s is %v after the traffic, want 0", metric, v)
		}
	}
	if v := run.proxy.Metric(t, "ringmaster_clients_connected"); v != float64(len(run.probes)) {
		t.Errorf("%v clients are still counted, want the %d probes", v, len(run.probes))
	}
}
