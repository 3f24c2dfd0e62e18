package topology

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"ringmaster/control/replicas"
	"ringmaster/pool"
	"ringmaster/shard"
)

// Data is the data plane as seen from here. Its methods are called from any goroutine and must not wait long.
type Data interface {
	// Follow switches to a new map of the servers.
	Follow(m *shard.Map)
	// Judge takes what has become known of the servers' replication.
	Judge(h pool.Health)
}

// Topology is where the map of one upstream's servers comes from: the settings, or a cluster or sentinels that are followed.
type Topology struct {
	kind     Kind
	log      *slog.Logger
	fixed    *shard.Map        // without replicas; nil where the servers are discovered
	watcher  watcher           // nil where the servers are fixed
	replicas *replicas.Watcher // nil: nothing is read from replicas
	initial  *shard.Map
	current  atomic.Pointer[shard.Map]

	numbers shard.Numbers // of New, then of whoever reports groups to Run: the watcher, or of fixed servers the replicas
}

// New finds the servers to begin with. The error says who was asked and what they answered. It asks servers, and may wait.
func New(ctx context.Context, c Config) (*Topology, error) {
	t := &Topology{kind: c.Kind, log: c.logger(), fixed: c.Fixed}
	t.numbers.Placement = c.Placement
	groups, err := t.begin(ctx, &c)
	if err == nil {
		t.initial, err = t.mapOf(groups)
	}
	switch {
	case err == nil:
	case c.Name != "":
		return nil, fmt.Errorf("upstream %s: %w", c.Name, err)
	default:
		return nil, err
	}
	t.current.Store(t.initial)
	return t, nil
}

// begin finds the groups to begin with, and their replicas.
func (t *Topology) begin(ctx context.Context, c *Config) ([]shard.Group, error) {
	groups := c.Groups
	if w, what, remedy := newWatcher(c, t.log); w != nil {
		t.watcher = w
		var err error
		if groups, err = discover(ctx, w, what, remedy); err != nil {
			return nil, err
		}
	}
	if c.Reads == shard.ReadPrimary {
		return groups, nil
	}
	t.numbers.Replicas = true
	t.replicas = replicas.New(c.replicas(t.log))
	t.replicas.Follow(groups)
	t.replicas.Ask(ctx)
	if t.fixed == nil {
		return groups, nil
	}
	return t.replicas.Groups(), nil
}

// mapOf is the map of groups.
func (t *Topology) mapOf(groups []shard.Group) (*shard.Map, error) {
	switch {
	case t.fixed == nil:
		return t.numbers.Map(groups)
	case !t.numbers.Replicas:
		return t.fixed, nil
	}
	return t.numbers.Attach(t.fixed, groups)
}

// Run follows the servers, if they change, and their replication, until ctx ends. One goroutine, once.
func (t *Topology) Run(ctx context.Context, data Data) {
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

// found takes replicas that were found of fixed servers; the watcher reports those of servers that are discovered.
func (t *Topology) found(groups []shard.Group, data Data) {
	if t.fixed != nil {
		t.follow(groups, data)
	}
}

// follow makes a map of groups and hands it to the data plane.
func (t *Topology) follow(groups []shard.Group, data Data) {
	m, err := t.mapOf(groups)
	if err != nil {
		t.log.Error("the new map can't be used; going on with the one before", slog.Any("cause", err))
		return
	}
	t.current.Store(m)
	data.Follow(m)
}

// Initial is the map to begin with. Any goroutine.
func (t *Topology) Initial() *shard.Map { return t.initial }

// Discovered reports whether the servers are discovered, and so may change; false: they are fixed, but for their replicas. Any
// goroutine.
func (t *Topology) Discovered() bool { return t.watcher != nil }

// Hint says that the map, or what is known of the servers' replication, may be out of date. It never waits. Any goroutine.
func (t *Topology) Hint() {
	if t.watcher != nil {
		t.watcher.Hint()
	}
	if t.replicas != nil {
		t.replicas.Hint()
	}
}

// Health is what is known of the servers' replication; nil: nothing is read from replicas. Any goroutine.
func (t *Topology) Health() pool.Health {
	if t.replicas == nil {
		return nil
	}
	return t.replicas.Health()
}
