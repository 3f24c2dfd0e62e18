package topology

import (
	"context"
	"fmt"
	"log/slog"

	"ringmaster/control/cluster"
	"ringmaster/control/sentinel"
	"ringmaster/internal/refresh"
	"ringmaster/shard"
	"ringmaster/stats"
)

// watcher follows servers that change.
type watcher interface {
	Discover(ctx context.Context) ([]shard.Group, error)
	Run(ctx context.Context, publish func([]shard.Group))
	Hint()
	// describe adds what is known to what /topology shows, count to what /metrics shows.
	describe(d *Description)
	count(c *stats.Topology)
}

// newWatcher makes what follows the servers of c; nil: they are fixed. what and remedy are for an error of its Discover.
func newWatcher(c *Config, log *slog.Logger) (w watcher, what, remedy string) {
	switch c.Kind {
	case Cluster:
		return clusterWatcher{cluster.New(cluster.Config{
			Seeds: c.Seeds, Username: c.Servers.Username, Password: c.Servers.Password, Timeout: c.Timeout, Log: log,
		})}, "cluster", "check that --upstream names nodes of a Redis Cluster that run, and --upstream-password"
	case Sentinel:
		return sentinelWatcher{sentinel.New(sentinel.Config{
			Sentinels: c.Seeds, Names: c.Masters, Username: c.Sentinels.Username, Password: c.Sentinels.Password,
			ServerUsername: c.Servers.Username, ServerPassword: c.Servers.Password, Timeout: c.Timeout, Log: log,
		})}, "primaries", "check that --upstream names sentinels that run, --sentinel-masters and --sentinel-password"
	}
	return nil, "", ""
}

// discover finds the groups to begin with.
func discover(ctx context.Context, w watcher, what, remedy string) ([]shard.Group, error) {
	groups, err := w.Discover(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot find the %s: %w; %s", what, err, remedy)
	}
	return groups, nil
}

// clusterWatcher is a Redis Cluster's watcher with its figures for operators.
type clusterWatcher struct{ *cluster.Watcher }

func (w clusterWatcher) describe(d *Description) {
	s := w.Status()
	d.Cluster = &s
}

func (w clusterWatcher) count(c *stats.Topology) {
	s := w.Status()
	count(c, s.Counts, len(s.Nodes))
	c.Slotted, c.Covered, c.Moving = true, uint64(s.Covered), uint64(s.Open)
}

// sentinelWatcher is the sentinels' watcher with its figures for operators.
type sentinelWatcher struct{ *sentinel.Watcher }

func (w sentinelWatcher) describe(d *Description) {
	s := w.Status()
	d.Sentinel = &s
}

func (w sentinelWatcher) count(c *stats.Topology) {
	s := w.Status()
	count(c, s.Counts, len(s.Sentinels))
}

// count copies the figures that all watchers have; nodes are those that can be asked.
func count(c *stats.Topology, from refresh.Counts, nodes int) {
	c.Refreshes, c.Failures, c.Changes = from.Refreshes, from.Failures, from.Changes
	c.Asked, c.Silent, c.Outvoted = from.Asked, from.Silent, from.Outvoted
	c.Age, c.Nodes = uint64(from.Age().Seconds()), uint64(nodes)
}
