package topology

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ringmaster/internal/testkit"
	"ringmaster/pool"
	"ringmaster/shard"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// data is a data plane that records what it gets.
type data struct {
	mu     sync.Mutex
	maps   []*shard.Map
	health pool.Health
}

func (d *data) Follow(m *shard.Map) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.maps = append(d.maps, m)
}

func (d *data) Judge(h pool.Health) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.health = h
}

// latest returns the last map that was handed over; nil: none was.
func (d *data) latest() *shard.Map {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.maps) == 0 {
		return nil
	}
	return d.maps[len(d.maps)-1]
}

func (d *data) knows(addr string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, known := d.health[addr]
	return known
}

// all returns the maps that were handed over.
func (d *data) all() []*shard.Map {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.maps)
}

func (d *data) judged(addr string) pool.ServerHealth {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.health[addr]
}

// record is a log that two goroutines may use.
type record struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (r *record) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(b)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.String()
}

// begin makes a topology that logs to log.
func begin(t *testing.T, c Config) (*Topology, *record) {
	t.Helper()
	log := new(record)
	c.Log, c.Timeout = slog.New(slog.NewTextHandler(log, nil)), testkit.Patience
	top, err := New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return top, log
}

// run runs top until the test ends.
func run(t *testing.T, top *Topology) *data {
	t.Helper()
	d := new(data)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		top.Run(ctx, d)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return d
}

// fixed returns the Config of fixed servers.
func fixed(t *testing.T, servers string) Config {
	t.Helper()
	list, err := shard.ParseServers(servers)
	if err != nil {
		t.Fatal(err)
	}
	m, err := shard.New(shard.Config{Servers: list})
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Kind: Sharded, Fixed: m}
	for _, s := range list {
		c.Groups = append(c.Groups, shard.Group{Primary: s})
	}
	return c
}

func TestFixedServersStayAsTheyAreByThemselves(t *testing.T) {
	c := fixed(t, "10.0.0.1:6379@red,10.0.0.2:6379@blue")
	top, log := begin(t, c)
	if top.Initial() != c.Fixed || top.Discovered() || top.Health() != nil || top.ReplicaStats() != nil || top.Counted() != nil {
		t.Errorf("initial %v, discovered %v, health %v, replicas %v, counted %v", top.Initial(), top.Discovered(), top.Health(), top.ReplicaStats(), top.Counted())
	}
	if got := top.Names(); !slices.Equal(got, []string{"red", "blue"}) {
		t.Errorf("names %q", got)
	}
	d := new(data)
	top.Hint()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	top.Run(ctx, d)
	if d.latest() != nil || d.health != nil || log.String() != "" {
		t.Errorf("the loops got %v, %v; logged %s", d.maps, d.health, log)
	}
}

// node is a cluster's only node that answers. The test may change what it says about the cluster.
type node struct {
	*testkit.FakeShard
	mu    sync.Mutex
	nodes string
}

func startNode(t *testing.T) *node {
	t.Helper()
	n := new(node)
	n.FakeShard = testkit.NewFakeShard(t, testkit.Answering(func(_ int, args []string) string {
		n.mu.Lock()
		defer n.mu.Unlock()
		switch strings.Join(args, " ") {
		case "CLUSTER INFO":
			return bulk("cluster_state:ok\r\n")
		case "CLUSTER NODES":
			return bulk(n.nodes)
		case "CLUSTER SLOTS":
			return "*0\r\n"
		}
		return "-ERR Unknown subcommand\r\n"
	}))
	n.says(fmt.Sprintf("a %s@1 myself,master - 0 0 1 connected 0-16383", n.Addr))
	return n
}

func (n *node) says(nodes string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.nodes = nodes
}

func bulk(s string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(s), s) }

func TestAClusterIsFollowed(t *testing.T) {
	n := startNode(t)
	top, log := begin(t, Config{Kind: Cluster, Seeds: []string{n.Addr}})
	if m := top.Initial(); !top.Discovered() || m.Len() != 1 || m.Server(0).Addr != n.Addr || !m.Slotted() {
		t.Fatalf("%+v", m)
	}
	if c := top.Counted(); c.Kind != "cluster" || c.Refreshes != 1 || c.Changes != 1 || c.Nodes != 1 || !c.Slotted || c.Covered != shard.Slots {
		t.Errorf("%+v", c)
	}
	d := run(t, top)

	// A slot moves: the server keeps its number, and the new one gets the next.
	n.says(fmt.Sprintf("a %s@1 myself,master - 0 0 1 connected 1-16383\nb 10.0.0.2:1@2 master - 0 0 2 connected 0", n.Addr))
	testkit.Until(t, "the second map", func() bool { top.Hint(); return d.latest() != nil })
	if m := d.latest(); m.Len() != 2 || m.Server(0).Addr != n.Addr || m.Server(1).Addr != "10.0.0.2:1" {
		t.Errorf("%+v", m)
	}
	if got := top.Names(); !slices.Equal(got, []string{n.Addr, "10.0.0.2:1"}) {
		t.Errorf("names %q", got)
	}
	if m := top.Initial(); m.Len() != 1 {
		t.Errorf("the initial map has changed: %+v", m)
	}

	// More servers than a map can have.
	var many strings.Builder
	fmt.Fprintf(&many, "a %s@1 myself,master - 0 0 1 connected 2000-16383", n.Addr)
	for i := range shard.MaxNodes {
		fmt.Fprintf(&many, "\nn%d 10.1.%d.%d:1@2 master - 0 0 %d connected %d", i, i/256, i%256, i+2, i)
	}
	n.says(many.String())
	testkit.Until(t, "the map that can't be used", func() bool { top.Hint(); return strings.Contains(log.String(), "the new map can't be used") })
	if m := d.latest(); m.Len() != 2 || len(top.Names()) != 2 {
		t.Errorf("the map before is gone: %d servers, names %q", m.Len(), top.Names())
	}
}

func TestADiscoveryThatFailsSaysWhatToCheck(t *testing.T) {
	nobody := testkit.Loopback(testkit.FreePort(t))
	for _, c := range []struct {
		config     Config
		head, tail string
	}{
		{Config{Kind: Cluster}, "cannot find the cluster: no node describes the cluster: " + nobody + ": ",
			"; check that these are running nodes of a Redis Cluster, and the user and password"},
		{Config{Kind: Sentinel, Masters: []string{"m"}}, "cannot find the primaries: no sentinel answers: " + nobody + ": ",
			"; check that these are running sentinels, their user and password, and the names in sentinel-masters"},
		{Config{Kind: Cluster, Name: "cache"}, "upstream cache: cannot find the cluster: ", "and the user and password"},
	} {
		c.config.Seeds, c.config.Timeout = []string{nobody}, testkit.Patience
		c.config.Log = slog.New(slog.DiscardHandler)
		top, err := New(t.Context(), c.config)
		if top != nil || err == nil || !strings.HasPrefix(err.Error(), c.head) || !strings.HasSuffix(err.Error(), c.tail) {
			t.Errorf("%s: %v", c.config.Kind, err)
		}
	}
}

func TestAnUpstreamWithANameIsNamedInTheLog(t *testing.T) {
	n := startNode(t)
	for name, want := range map[string]bool{"": false, "cache": true} {
		_, log := begin(t, Config{Kind: Cluster, Seeds: []string{n.Addr}, Name: name})
		if !strings.Contains(log.String(), "cluster discovered") || strings.Contains(log.String(), "upstream=cache") != want {
			t.Errorf("%q: %s", name, log)
		}
	}
}

func TestPrimariesOfSentinelAreFollowed(t *testing.T) {
	s := testkit.StartSentinelsWith(t, testkit.SentinelOptions{Names: []string{"red", "blue"}, Replicas: 1, Sentinels: 1, Password: "secret", Guard: "guard"})
	top, _ := begin(t, Config{
		Kind: Sentinel, Seeds: s.Addrs(), Masters: []string{"blue", "red"}, Servers: Login{Password: "secret"}, Sentinels: Login{Password: "guard"},
		Placement: shard.Config{HashTag: "{}"}, Reads: shard.ReadAny,
	})
	m := top.Initial()
	if got := top.Names()[:2]; !slices.Equal(got, []string{"blue", "red"}) || m.Slotted() || len(m.Shards()) != 2 {
		t.Errorf("names %q, %d shards", got, len(m.Shards()))
	}
	blue, red := s.Groups["blue"], s.Groups["red"]
	if m.Server(0).Addr != blue[0].Addr || m.Server(1).Addr != red[0].Addr {
		t.Errorf("blue is %v, red %v", m.Server(0), m.Server(1))
	}
	if c := top.Counted(); c.Kind != "sentinel" || c.Nodes != 1 || c.Slotted || c.Changes != 1 {
		t.Errorf("%+v", c)
	}
	d := run(t, top)
	testkit.Until(t, "blue's replica", func() bool {
		top.Hint()
		_, known := top.ReplicaStats()[blue[1].Addr]
		return known && d.judged(blue[1].Addr).Reads == pool.ReadsAlways
	})
	if v, err := s.Ask(s.Sentinels[0], "SENTINEL", "FAILOVER", "blue"); err != nil || v.Kind == '-' {
		t.Fatalf("%v, %v", v, err)
	}
	testkit.Until(t, "the failover", func() bool {
		m := d.latest()
		return m != nil && m.Server(0).Addr == blue[1].Addr
	})
}

func TestReplicasOfFixedServersAreFound(t *testing.T) {
	primary := testkit.Redis(t, "--repl-diskless-sync-delay", "0")
	c := fixed(t, primary.Addr)
	c.Kind, c.Reads, c.MaxLag = Standalone, shard.ReadPreferReplica, time.Second
	top, _ := begin(t, c)
	if top.Initial().Len() != 1 || len(top.ReplicaStats()) != 0 || top.Health()[primary.Addr].At.IsZero() {
		t.Errorf("%d servers, replicas %v, health %v", top.Initial().Len(), top.ReplicaStats(), top.Health())
	}
	d := run(t, top)
	host, port, _ := strings.Cut(primary.Addr, ":")
	replica := testkit.Redis(t, "--replicaof", host+" "+port, "--repl-diskless-sync-delay", "0")
	testkit.Until(t, "a map with the replica", func() bool { top.Hint(); return d.latest() != nil })
	if m := d.latest(); m.Len() != 2 || !slices.Equal(m.Replicas(0), []int{1}) || m.Server(1).Addr != replica.Addr || !slices.Equal(m.Shards(), []int{0}) {
		t.Errorf("%+v", m)
	}
	testkit.Until(t, "the replica to be fit", func() bool { top.Hint(); return d.judged(replica.Addr).Reads == pool.ReadsAlways })
	if s := top.ReplicaStats()[replica.Addr]; !s.Readable {
		t.Errorf("%+v", top.ReplicaStats())
	}
	if r := top.Describe(nil).Replicas; len(r) != 1 || r[0].Addr != replica.Addr {
		t.Errorf("/topology shows the replicas %+v", r)
	}
}

// TestARunThatEndsAtOnceLeavesNothing is the case of a new upstream in a reload that is refused.
func TestARunThatEndsAtOnceLeavesNothing(t *testing.T) {
	primary := testkit.Redis(t)
	c := fixed(t, primary.Addr)
	c.Kind, c.Reads = Standalone, shard.ReadPreferReplica
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection would close sockets that are no longer referenced
	for range 20 {
		top, _ := begin(t, c)
		top.Run(ended, new(data))
	}
	observer := testkit.Dial(t, primary.Addr)
	testkit.Until(t, "the connections to end", func() bool {
		return strings.Contains(observer.Do("INFO", "clients"), "connected_clients:1\r\n")
	})
}
