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

// hotTags are hash tags of the cluster's lowest slots, which are those that Reshard moves.
var hotTags = []string{"{h12860}", "{h20259}", "{h18068}", "{h13477}"}

// hotSlots is how many of the lowest slots hold them.
const hotSlots = 4

// clusterRun is a proxy in front of a cluster under traffic of clients that know what they must get.
type clusterRun struct {
	cluster *testkit.Cluster
	proxy   *testkit.Server
	// replicas is how many replicas the cluster has.
	replicas int

	commands, messages atomic.Int64
	watched            atomic.Int64 // transactions with a watched key that have run
	told               atomic.Int64 // subscribers that were told that they may have missed something
	// crashes counts the kills so far, counted before each. Writes that were acknowledged between two of them are not lost.
	crashes atomic.Int64
	// emptied: a node has just lost its last slot. It becomes a replica of who took it and, as such, takes SPUBLISH, so that shard
	// channels have messages of two nodes, which have no order, until the map is new.
	emptied atomic.Bool

	mu      sync.Mutex
	outages []outage
	errors  []clientError
	faults  []string // no outage excuses them

	ids     int // clients so far
	stop    chan struct{}
	clients sync.WaitGroup
}

// outage is the time in which requests may fail.
type outage struct{ from, until time.Time }

// clientError is what a client was told instead of a reply.
type clientError struct {
	sent, came time.Time
	what       string
}

func startClusterRun(t *testing.T, primaries, replicas int, flags ...string) *clusterRun {
	t.Helper()
	c := testkit.StartCluster(t, primaries, replicas)
	flags = append([]string{"--topology", "cluster"}, flags...)
	return &clusterRun{
		cluster: c, replicas: replicas, proxy: testkit.Proxy(t, []string{c.Nodes[0].Addr, c.Nodes[1].Addr}, flags...),
	}
}

// start starts n clients of mixed commands, and one station with its listeners for each ten of them.
func (r *clusterRun) start(n int) {
	r.stop = make(chan struct{})
	for range n {
		id := r.ids
		r.ids++
		r.goClient((&clusterClient{run: r, id: id}).loop)
		if id%10 == 0 {
			r.goClient((&station{run: r, id: id}).loop)
		}
	}
}

func (r *clusterRun) goClient(f func()) {
	r.clients.Add(1)
	go func() {
		defer r.clients.Done()
		f()
	}()
}

// pause is that of a client that was told an error; it ends with the run.
func (r *clusterRun) pause() {
	select {
	case <-r.stop:
	case <-time.After(afterError):
	}
}

func (r *clusterRun) stopped() bool {
	select {
	case <-r.stop:
		return true
	default:
		return false
	}
}

// fault notes what must not happen at all.
func (r *clusterRun) fault(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = append(r.faults, time.Now().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
}

// failed notes an error that a client was told.
func (r *clusterRun) failed(sent time.Time, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errors = append(r.errors, clientError{sent, time.Now(), fmt.Sprintf(format, args...)})
}

// faulty reports whether something was seen already that fails the test.
func (r *clusterRun) faulty() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.faults) > 0
}

// kill kills slot's owner and returns it once its replica has visibly taken its place, and every loop of the proxy serves all nodes.
// From then on nothing fails any more.
func (r *clusterRun) kill(t *testing.T, slot int) *testkit.Server {
	t.Helper()
	old := r.cluster.Primary(slot)
	if old == nil {
		t.Fatalf("nobody owns slot %d", slot)
	}
	// From here on what only the old one knows may be lost.
	r.crashes.Add(1)
	from := time.Now()
	old.Kill()
	r.cluster.WaitPromoted(t, old, slot)
	seen := time.Now()
	everywhere := []string{"MSET"}
	for i := range coldSlots {
		everywhere = append(everywhere, coldKey(i)+"probe", "x")
	}
	probes := dialEveryLoop(t, r.proxy.Addr)
	defer probes.close()
	probes.until(t, "writes to all nodes", func(c *testkit.Conn) bool { return c.Do(everywhere...) == "+OK\r\n" })
	t.Logf("writes %v after the promotion was visible", time.Since(seen).Round(time.Millisecond))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outages = append(r.outages, outage{from, time.Now()})
	return old
}

// end ends the clients.
func (r *clusterRun) end() {
	close(r.stop)
	r.clients.Wait()
}

// report tells what the clients saw.
func (r *clusterRun) report(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	last, latest := time.Duration(0), ""
	for _, e := range r.errors {
		o := r.excuse(e)
		if o == nil {
			r.faults = append(r.faults, fmt.Sprintf("%s after %v: %s", e.came.Format("15:04:05.000"), e.came.Sub(e.sent).Round(time.Millisecond), e.what))
			continue
		}
		if after := e.sent.Sub(o.from); after > last {
			last, latest = after, e.what
		}
	}
	for i, f := range r.faults {
		if i == 20 {
			t.Errorf("and %d more", len(r.faults)-i)
			break
		}
		t.Error(f)
	}
	t.Logf("%d commands, %d messages; %d errors, %d times subscribers were told of gaps",
		r.commands.Load(), r.messages.Load(), len(r.errors), r.told.Load())
	if last > 0 {
		t.Logf("the last request that failed was sent %v after a kill: %s", last.Round(time.Millisecond), latest)
	}
	if r.commands.Load() < 100 || r.messages.Load() < 10 || r.watched.Load() == 0 {
		t.Error("too little traffic to say anything")
	}
}

// excuse is the latest outage in which a request failed; nil: none.
func (r *clusterRun) excuse(e clientError) *outage {
	for i := range slices.Backward(r.outages) {
		if o := &r.outages[i]; e.came.After(o.from) && e.sent.Before(o.until) {
			return o
		}
	}
	return nil
}

// isClearInCluster reports whether an error says what happened, in the proxy's words or a node's.
func isClearInCluster(reply string) bool {
	return strings.HasPrefix(reply, "-CLUSTERDOWN ") || isClear(strings.TrimPrefix(reply, "-"))
}
