package topology

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"sync/atomic"

	"ringmaster/control/replicas"
	"ringmaster/pool"
	"ringmaster/shard"
)

// Data is the data plane as a Topology sees it. Its methods are called from any goroutine and must not wait long.
type Data interface {
	// Follow switches to a new map of the servers.
	Follow(m *shard.Map)
	// Judge takes new health of the servers' replication.
	Judge(h pool.Health)
}

// Topology makes the maps of one upstream's servers, from the settings, or by following a cluster or sentinels.
type Topology struct {
	kind     atomic.Pointer[Kind]
	log      *slog.Logger
	watcher  watcher           // nil where the servers are fixed
	replicas *replicas.Watcher // nil: replicas get no reads
	initial  *shard.Map
	current  atomic.Pointer[shard.Map]
	renamed  chan struct{} // gets a token when the names of fixed servers may have changed
	// lookUp returns the addresses of a host; none: it can't be looked up.
	lookUp func(ctx context.Context, host string) []string

	// mapLock is held by a token in it while a map is made and handed over, so that maps are handed over in the order
	// in which they are made. It is a channel rather than a mutex, so that waiting for a Change can be cancelled.
	mapLock  chan struct{}
	changing atomic.Bool // a Change is being made, or waits

	// Under mapLock.
	config  Config
	numbers *shard.Numbers
	groups  []shard.Group // fixed servers with the replicas of the current map, if replicas get reads
	data    Data          // nil before Run
}

// New finds the first servers. The error says which servers were asked and what they answered. It asks servers, so it
// may wait.
func New(ctx context.Context, c Config) (*Topology, error) {
	t := &Topology{
		log: c.logger(), config: c, numbers: &shard.Numbers{Placement: c.Placement},
		mapLock: make(chan struct{}, 1), renamed: make(chan struct{}, 1), lookUp: lookUp,
	}
	t.kind.Store(&c.Kind)
	groups, err := t.begin(ctx, &c)
	if err == nil {
		if t.initial, err = t.mapOf(groups); err != nil && t.replicas != nil {
			ended, cancel := context.WithCancel(ctx)
			cancel()
			t.replicas.Run(ended, func(pool.Health) {}, func() {}) // closes its connections
		}
	}
	if err != nil {
		return nil, t.named(err)
	}
	t.current.Store(t.initial)
	return t, nil
}

// named adds the upstream's name, if it has one, to err.
func (t *Topology) named(err error) error {
	if t.config.Name == "" {
		return err
	}
	return fmt.Errorf("upstream %s: %w", t.config.Name, err)
}

// begin finds the first groups and their replicas.
func (t *Topology) begin(ctx context.Context, c *Config) ([]shard.Group, error) {
	var groups []shard.Group
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
	if c.Fixed != nil {
		groups = c.Groups
	}
	t.replicas.Follow(groups)
	t.replicas.Ask(ctx)
	if c.Fixed != nil {
		t.groups = t.replicas.Groups()
		groups = t.groups
	}
	return groups, nil
}

// mapOf makes the map of groups, or of fixed servers with the replicas of groups. Under mapLock.
func (t *Topology) mapOf(groups []shard.Group) (*shard.Map, error) {
	if t.config.Fixed != nil {
		return t.numbers.Fixed(t.config.Fixed, groups)
	}
	return t.numbers.Map(groups)
}

// Run follows the servers if they are discovered, and their replication, until ctx ends. One goroutine, once.
func (t *Topology) Run(ctx context.Context, data Data) {
	var wg sync.WaitGroup
	defer wg.Wait()
	if !t.locked(ctx, func() { t.data = data }) {
		return
	}
	wg.Go(func() { t.watchNames(ctx) })
	if t.replicas != nil {
		wg.Go(func() { t.replicas.Run(ctx, data.Judge, t.publishReplicas) })
	}
	if t.watcher != nil {
		t.watcher.Run(ctx, func(groups []shard.Group) {
			t.follow(ctx, groups)
			if t.replicas != nil {
				t.replicas.Follow(groups)
			}
		})
	}
}

// locked calls f under mapLock; false: ctx has ended before the lock was free.
func (t *Topology) locked(ctx context.Context, f func()) bool {
	select {
	case t.mapLock <- struct{}{}: // even after the end of ctx, because a Run that ends at once closes what New has opened
	default:
		select {
		case t.mapLock <- struct{}{}:
		case <-ctx.Done():
			return false
		}
	}
	defer func() { <-t.mapLock }()
	f()
	return true
}

// publishReplicas publishes a map of fixed servers if their known replicas differ from those of the current map.
// Replicas of discovered servers come from the watcher. It does not wait: after a Change, release has it called
// again.
func (t *Topology) publishReplicas() {
	select {
	case t.mapLock <- struct{}{}:
	default:
		return
	}
	defer func() { <-t.mapLock }()
	if t.config.Fixed == nil {
		return
	}
	if groups := t.replicas.Groups(); !reflect.DeepEqual(groups, t.groups) {
		t.publish(groups)
	}
}

// follow takes the watcher's groups.
func (t *Topology) follow(ctx context.Context, groups []shard.Group) {
	t.locked(ctx, func() { t.publish(groups) })
}

// publish makes a map of groups and hands it to the data plane. Under mapLock.
func (t *Topology) publish(groups []shard.Group) {
	m, err := t.mapOf(groups)
	if err != nil {
		t.log.Error("the new map can't be used; the previous one stays in use", slog.Any("cause", err))
		return
	}
	t.groups = groups
	if t.config.Fixed != nil && m.Equal(t.current.Load()) {
		return // the data plane got it with a Change
	}
	t.current.Store(m)
	t.data.Follow(m)
}

// Initial returns the first map. Any goroutine.
func (t *Topology) Initial() *shard.Map { return t.initial }

// Discovered reports whether the servers are discovered, so that they may change without a reload; false: they are
// listed. Any goroutine.
func (t *Topology) Discovered() bool { return t.watcher != nil }

// Hint says that the map or the health may be out of date. It never waits. Any goroutine.
func (t *Topology) Hint() {
	if t.watcher != nil {
		t.watcher.Hint()
	}
	if t.replicas != nil {
		t.replicas.Hint()
	}
}

// Health returns the state of the servers' replication; nil: replicas get no reads. Any goroutine.
func (t *Topology) Health() pool.Health {
	if t.replicas == nil {
		return nil
	}
	return t.replicas.Health()
}
