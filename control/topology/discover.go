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
	// configure takes new settings from the next question on.
	configure(c *Config)
	// describe adds the watcher's knowledge to what /topology shows, count to what /metrics shows.
	describe(d *Description)
	count(c *stats.Topology)
}

// newWatcher makes the watcher of c's servers; nil: they are fixed. what and remedy are texts for an error of its
// Discover.
func newWatcher(c *Config, log *slog.Logger) (w watcher, what, remedy string) {
	switch c.Kind {
	case Cluster:
		settings := clusterConfig(c)
		settings.Log = log
		return clusterWatcher{cluster.New(settings)}, "cluster", "check that these are running nodes of a Redis Cluster, and the user and password"
	case Sentinel:
		settings := sentinelConfig(c)
		settings.Log = log
		return sentinelWatcher{sentinel.New(settings)}, "primaries", "check that these are running sentinels, their user and password, and the names in sentinel-masters"
	}
	return nil, "", ""
}

// discover finds the first groups.
func discover(ctx context.Context, w watcher, what, remedy string) ([]shard.Group, error) {
	groups, err := w.Discover(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot find the %s: %w; %s", what, err, remedy)
	}
	return groups, nil
}

// clusterWatcher is the watcher of a Redis Cluster with its figures for operators.
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

func (w clusterWatcher) configure(c *Config) { w.Configure(clusterConfig(c)) }

func clusterConfig(c *Config) cluster.Config {
	return cluster.Config{Seeds: c.Seeds, Username: c.Servers.Username, Password: c.Servers.Password, Timeout: c.Timeout}
}

// sentinelWatcher is the watcher of sentinels with its figures for operators.
type sentinelWatcher struct{ *sentinel.Watcher }

func (w sentinelWatcher) describe(d *Description) {
	s := w.Status()
	d.Sentinel = &s
}

func (w sentinelWatcher) count(c *stats.Topology) {
	s := w.Status()
	count(c, s.Counts, len(s.Sentinels))
}

func (w sentinelWatcher) configure(c *Config) { w.Configure(sentinelConfig(c)) }

func sentinelConfig(c *Config) sentinel.Config {
	return sentinel.Config{
		Sentinels: c.Seeds, Names: c.Masters, Username: c.Sentinels.Username, Password: c.Sentinels.Password,
		ServerUsername: c.Servers.Username, ServerPassword: c.Servers.Password, Timeout: c.Timeout,
	}
}

// count copies the figures that all watchers have; nodes is the number of nodes that can be asked.
func count(c *stats.Topology, from refresh.Counts, nodes int) {
	c.Refreshes, c.Failures, c.Changes = from.Refreshes, from.Failures, from.Changes
	c.Asked, c.Silent, c.Outvoted = from.Asked, from.Silent, from.Outvoted
	c.Age, c.Nodes = uint64(from.Age().Seconds()), uint64(nodes)
}
