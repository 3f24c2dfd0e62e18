package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"ringmaster/control/admin"
	"ringmaster/control/cluster"
	"ringmaster/control/config"
	"ringmaster/control/replicas"
	"ringmaster/control/sentinel"
	"ringmaster/internal/refresh"
	"ringmaster/pool"
	"ringmaster/shard"
	"ringmaster/stats"
)

// watcher follows servers that change.
type watcher interface {
	Discover(ctx context.Context) ([]shard.Group, error)
	Run(ctx context.Context, publish func([]shard.Group))
	Hint()
}

// topology is where the map of the servers comes from: the settings, or a cluster or sentinels that are followed.
type topology struct {
	initial  *shard.Map
	current  atomic.Pointer[shard.Map]
	watcher  watcher           // nil: the servers are fixed
	replicas *replicas.Watcher // nil: nothing is read from replicas
	fixed    *shard.Map        // without replicas; nil where the servers change
	numbers  shard.Numbers
	log      *slog.Logger
	kind     string // as --topology
}

// newTopology finds the servers to begin with.
func newTopology(ctx context.Context, c *config.Config, log *slog.Logger) (*topology, error) {
	t := &topology{log: log, kind: c.Topology}
	var groups []shard.Group
	var err error
	switch c.Topology {
	case config.Cluster:
		t.watcher = cluster.New(cluster.Config{
			Seeds: addrs(c.Upstream), Username: c.UpstreamUsername, Password: c.UpstreamPassword.Reveal(), Timeout: c.DialTimeout, Log: log,
		})
		groups, err = t.discover(ctx, "cluster", "check that --upstream names nodes of a Redis Cluster that run, and --upstream-password")
	case config.Sentinel:
		t.numbers.Placement = c.Placement()
		t.watcher = sentinel.New(sentinel.Config{
			Sentinels: addrs(c.Upstream), Names: c.SentinelMasters, Username: c.SentinelUsername, Password: c.SentinelPassword.Reveal(),
			ServerUsername: c.UpstreamUsername, ServerPassword: c.UpstreamPassword.Reveal(), Timeout: c.DialTimeout, Log: log,
		})
		groups, err = t.discover(ctx, "primaries", "check that --upstream names sentinels that run, --sentinel-masters and --sentinel-password")
	default:
		t.fixed, err = c.Map()
		groups = c.Groups()
	}
	if err != nil {
		return nil, err
	}
	if c.ReadPolicy != shard.ReadPrimary {
		t.numbers.Replicas = true
		groups = t.ask(ctx, c, groups)
	}
	if t.initial, err = t.mapOf(groups); err != nil {
		return nil, err
	}
	t.current.Store(t.initial)
	return t, nil
}

func addrs(servers []shard.Server) (list []string) {
	for _, s := range servers {
		list = append(list, s.Addr)
	}
	return list
}

// discover finds what is followed; remedy is for the error.
func (t *topology) discover(ctx context.Context, what, remedy string) ([]shard.Group, error) {
	groups, err := t.watcher.Discover(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot find the %s: %w; %s", what, err, remedy)
	}
	return groups, nil
}

// ask asks the servers for their replication a first time and returns groups with the replicas that were found.
func (t *topology) ask(ctx context.Context, c *config.Config, groups []shard.Group) []shard.Group {
	t.replicas = replicas.New(replicas.Config{
		MaxLag: c.ReplicaMaxLag, Zone: c.Zone, Zones: c.ServerZones, Discover: t.fixed != nil,
		Username: c.UpstreamUsername, Password: c.UpstreamPassword.Reveal(), Timeout: c.DialTimeout, Log: t.log,
	})
	t.replicas.Follow(groups)
	t.replicas.Ask(ctx)
	if t.fixed == nil {
		return groups
	}
	return t.replicas.Groups()
}

// mapOf is the map of groups.
func (t *topology) mapOf(groups []shard.Group) (*shard.Map, error) {
	switch {
	case t.fixed == nil:
		return t.numbers.Map(groups)
	case !t.numbers.Replicas:
		return t.fixed, nil
	}
	return t.numbers.Attach(t.fixed, groups)
}

// run follows what changes, if anything does, and the servers' replication, until ctx ends.
func (t *topology) run(ctx context.Context, data plane) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { t.warnOfNames(ctx) })
	if t.replicas != nil {
		wg.Go(func() { t.replicas.Run(ctx, data.Judge, func(groups []shard.Group) { t.found(groups, data) }) })
	}
	if t.watcher != nil {
		t.watcher.Run(ctx, func(groups []shard.Group) {
			t.follow(groups, data)
			if t.replicas != nil {
				t.replicas.Follow(groups)
			}
		})
	}
}

// found goes by replicas that were found of fixed servers; others are told by whoever follows their primaries.
func (t *topology) found(groups []shard.Group, data plane) {
	if t.fixed != nil {
		t.follow(groups, data)
	}
}

func (t *topology) follow(groups []shard.Group, data plane) {
	m, err := t.mapOf(groups)
	if err != nil {
		t.log.Error("the new map can't be used; going on with the one before", slog.Any("cause", err))
		return
	}
	t.current.Store(m)
	data.Follow(m)
}

// hint tells that the map may be out of date. Any goroutine.
func (t *topology) hint() {
	if t.watcher != nil {
		t.watcher.Hint()
	}
	if t.replicas != nil {
		t.replicas.Hint()
	}
}

// health is what is known of the servers' replication. Any goroutine.
func (t *topology) health() pool.Health {
	if t.replicas == nil {
		return nil
	}
	return t.replicas.Health()
}

// replicaStats is what is known of replicas, for the metrics. Any goroutine.
func (t *topology) replicaStats() map[string]stats.Replica {
	if t.replicas == nil {
		return nil
	}
	out := map[string]stats.Replica{}
	for _, r := range t.replicas.Status() {
		out[r.Name] = stats.Replica{Readable: r.Readable, LagSeconds: uint64(r.LagMillis / 1000), LagBytes: uint64(r.LagBytes)}
	}
	return out
}

// names are the servers' names by number, "" for those that are gone. Any goroutine.
func (t *topology) names() []string {
	m := t.current.Load()
	names := make([]string, m.Len())
	for i := range names {
		names[i] = m.Server(i).Name
	}
	return names
}

// described is what /topology shows.
type described struct {
	Topology string
	Servers  []describedServer
	// Replicas are those that are read from, or might be.
	Replicas []replicas.Status `json:",omitempty"`
	// Cluster is what is known of the cluster that is followed.
	Cluster *cluster.Status `json:",omitempty"`
	// Sentinel is what is known of the primaries that are followed.
	Sentinel *sentinel.Status `json:",omitempty"`
}

// describedServer is a server as /topology shows it.
type describedServer struct {
	shard.Server
	// Unescaped names what the server puts into replies as a client wrote it, so that it goes over connections of its own, unless
	// the setting scripts is shared: "scripts", "modules".
	Unescaped []string `json:",omitempty"`
}

// unescaped is, by server number, what loops have found that servers do not escape; nil: the loops give no answer.
func unescaped(from admin.Source) [][]string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	loops, err := from.Snapshot(ctx)
	if err != nil || len(loops) == 0 {
		return nil
	}
	list := make([][]string, len(loops[0].Servers))
	for i := range list {
		var scripts, modules bool
		for l := range loops {
			if s := loops[l].Servers; i < len(s) {
				scripts, modules = scripts || s[i].UnescapedScripts, modules || s[i].UnescapedModules
			}
		}
		if scripts {
			list[i] = append(list[i], "scripts")
		}
		if modules {
			list[i] = append(list[i], "modules")
		}
	}
	return list
}

// describe is what /topology shows now; unescaped is by server number. Any goroutine.
func (t *topology) describe(unescaped [][]string) any {
	m := t.current.Load()
	d := described{Topology: t.kind}
	for _, i := range m.Shards() {
		s := describedServer{Server: m.Server(i)}
		if i < len(unescaped) {
			s.Unescaped = unescaped[i]
		}
		d.Servers = append(d.Servers, s)
	}
	if t.replicas != nil {
		d.Replicas = t.replicas.Status()
	}
	switch w := t.watcher.(type) {
	case *cluster.Watcher:
		s := w.Status()
		d.Cluster = &s
	case *sentinel.Watcher:
		s := w.Status()
		d.Sentinel = &s
	}
	return d
}

// counted is what /metrics shows of how the servers were discovered; nil: they are fixed. Any goroutine.
func (t *topology) counted() *stats.Topology {
	switch w := t.watcher.(type) {
	case *cluster.Watcher:
		s := w.Status()
		c := t.count(s.Counts, len(s.Nodes))
		c.Slotted, c.Covered, c.Moving = true, uint64(s.Covered), uint64(s.Open)
		return c
	case *sentinel.Watcher:
		s := w.Status()
		return t.count(s.Counts, len(s.Sentinels))
	}
	return nil
}

func (t *topology) count(c refresh.Counts, nodes int) *stats.Topology {
	return &stats.Topology{
		Kind: t.kind, Refreshes: c.Refreshes, Failures: c.Failures, Changes: c.Changes, Asked: c.Asked, Silent: c.Silent,
		Outvoted: c.Outvoted, Age: uint64(c.Age().Seconds()), Nodes: uint64(nodes),
	}
}
