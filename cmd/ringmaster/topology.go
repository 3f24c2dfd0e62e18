package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"

	"ringmaster/control/cluster"
	"ringmaster/control/config"
	"ringmaster/control/sentinel"
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
	initial *shard.Map
	current atomic.Pointer[shard.Map]
	watcher watcher // nil: the servers are fixed
	numbers shard.Numbers
	log     *slog.Logger
	kind    string // as --topology
}

// newTopology finds the servers to begin with.
func newTopology(ctx context.Context, c *config.Config, log *slog.Logger) (*topology, error) {
	t := &topology{log: log, kind: c.Topology}
	var err error
	switch c.Topology {
	case config.Cluster:
		t.watcher = cluster.New(cluster.Config{
			Seeds: addrs(c.Upstream), Username: c.UpstreamUsername, Password: c.UpstreamPassword.Reveal(), Timeout: c.DialTimeout, Log: log,
		})
		err = t.discover(ctx, "cluster")
	case config.Sentinel:
		t.numbers.Placement = c.Placement()
		t.watcher = sentinel.New(sentinel.Config{
			Sentinels: addrs(c.Upstream), Names: c.SentinelMasters, Username: c.SentinelUsername, Password: c.SentinelPassword.Reveal(),
			ServerUsername: c.UpstreamUsername, ServerPassword: c.UpstreamPassword.Reveal(), Timeout: c.DialTimeout, Log: log,
		})
		err = t.discover(ctx, "primaries")
	default:
		t.initial, err = c.Map()
	}
	if err != nil {
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

// discover finds what is followed.
func (t *topology) discover(ctx context.Context, what string) error {
	groups, err := t.watcher.Discover(ctx)
	if err != nil {
		return fmt.Errorf("cannot find the %s: %w", what, err)
	}
	t.initial, err = t.numbers.Map(groups)
	return err
}

// run follows what changes, if anything does, until ctx ends.
func (t *topology) run(ctx context.Context, data plane) {
	if t.watcher == nil {
		return
	}
	t.watcher.Run(ctx, func(groups []shard.Group) {
		m, err := t.numbers.Map(groups)
		if err != nil {
			t.log.Error("the new map can't be used; going on with the one before", slog.Any("cause", err))
			return
		}
		t.current.Store(m)
		data.Follow(m)
	})
}

// hint tells that the map may be out of date. Any goroutine.
func (t *topology) hint() {
	if t.watcher != nil {
		t.watcher.Hint()
	}
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
	Servers  []shard.Server
	// Cluster is what is known of the cluster that is followed.
	Cluster *cluster.Status `json:",omitempty"`
	// Sentinel is what is known of the primaries that are followed.
	Sentinel *sentinel.Status `json:",omitempty"`
}

// describe is what /topology shows now. Any goroutine.
func (t *topology) describe() any {
	m := t.current.Load()
	d := described{Topology: t.kind}
	for _, i := range m.Shards() {
		d.Servers = append(d.Servers, m.Server(i))
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
		return &stats.Topology{
			Kind: t.kind, Refreshes: s.Refreshes, Failures: s.Failures, Changes: s.Changes, Asked: s.Asked, Silent: s.Silent,
			Outvoted: s.Outvoted, Age: uint64(s.Age().Seconds()), Nodes: uint64(len(s.Nodes)),
			Slotted: true, Covered: uint64(s.Covered), Moving: uint64(s.Open),
		}
	case *sentinel.Watcher:
		s := w.Status()
		return &stats.Topology{
			Kind: t.kind, Refreshes: s.Refreshes, Failures: s.Failures, Changes: s.Changes, Asked: s.Asked, Silent: s.Silent,
			Outvoted: s.Outvoted, Age: uint64(s.Age().Seconds()), Nodes: uint64(len(s.Sentinels)),
		}
	}
	return nil
}
