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

// Data is the data plane as seen from here. Its methods are called from any goroutine and must not wait long.
type Data interface {
	// Follow switches to a new map of the servers.
	Follow(m *shard.Map)
	// Judge takes what has become known of the servers' replication.
	Judge(h pool.Health)
}

// Topology is where the map of one upstream's servers comes from: the settings, or a cluster or sentinels that are followed.
type Topology struct {
	kind     atomic.Pointer[Kind]
	log      *slog.Logger
	watcher  watcher           // nil where the servers are fixed
	replicas *replicas.Watcher // nil: nothing is read from replicas
	initial  *shard.Map
	current  atomic.Pointer[shard.Map]
	renamed  chan struct{} // fixed servers may have other names
	// lookUp is the addresses of a host; none: it can't be looked up.
	lookUp func(ctx context.Context, host string) []string

	// turn has a token while somebody makes a map and hands it over: maps are handed over in the order in which they are made. It is no
	// mutex, so that whoever waits for a Change can be stopped.
	turn     chan struct{}
	changing atomic.Bool // a Change is made, or waits

	// In turn.
	config  Config
	numbers *shard.Numbers
	groups  []shard.Group // fixed servers with the replicas of the current map, where replicas are read from
	data    Data          // nil before Run
}

// New finds the servers to begin with. The error says who was asked and what they answered. It asks servers, and may wait.
func New(ctx context.Context, c Config) (*Topology, error) {
	t := &Topology{
		log: c.logger(), config: c, numbers: &shard.Numbers{Placement: c.Placement},
		turn: make(chan struct{}, 1), renamed: make(chan struct{}, 1), lookUp: lookUp,
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

// named is err with the upstream's name, if it has one.
func (t *Topology) named(err error) error {
	if t.config.Name == "" {
		return err
	}
	return fmt.Errorf("upstream %s: %w", t.config.Name, err)
}

// begin finds the groups to begin with, and their replicas.
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

// mapOf is the map of groups, or of fixed servers with the replicas of groups. In turn.
func (t *Topology) mapOf(groups []shard.Group) (*shard.Map, error) {
	if t.config.Fixed != nil {
		return t.numbers.Fixed(t.config.Fixed, groups)
	}
	return t.numbers.Map(groups)
}

// Run follows the servers, if they change by themselves, and their replication, until ctx ends. One goroutine, once.
func (t *Topology) Run(ctx context.Context, data Data) {
	var wg sync.WaitGroup
	defer wg.Wait()
	if !t.inTurn(ctx, func() { t.data = data }) {
		return
	}
	wg.Go(func() { t.watchNames(ctx) })
	if t.replicas != nil {
		wg.Go(func() { t.replicas.Run(ctx, data.Judge, t.look) })
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

// inTurn calls f when no other map is made and no Change waits; false: ctx has ended, and one is or does.
func (t *Topology) inTurn(ctx context.Context, f func()) bool {
	select {
	case t.turn <- struct{}{}: // even if ctx has ended: a Run that ends at once closes what New has begun
	default:
		select {
		case t.turn <- struct{}{}:
		case <-ctx.Done():
			return false
		}
	}
	defer func() { <-t.turn }()
	f()
	return true
}

// look publishes a map with the replicas of fixed servers that are known now, if they are others than those of the current map. The watcher
// reports those of servers that are discovered. It does not wait: after a Change, release has it called again.
func (t *Topology) look() {
	select {
	case t.turn <- struct{}{}:
	default:
		return
	}
	defer func() { <-t.turn }()
	if t.config.Fixed == nil {
		return
	}
	if groups := t.replicas.Groups(); !reflect.DeepEqual(groups, t.groups) {
		t.publish(groups)
	}
}

// follow takes what the watcher has found.
func (t *Topology) follow(ctx context.Context, groups []shard.Group) {
	t.inTurn(ctx, func() { t.publish(groups) })
}

// publish makes a map of groups and hands it to the data plane. In turn.
func (t *Topology) publish(groups []shard.Group) {
	m, err := t.mapOf(groups)
	if err != nil {
		t.log.Error("the new map can't be used; the previous one stays in use", slog.Any("cause", err))
		return
	}
	t.groups = groups
	if t.config.Fixed != nil && m.Equal(t.current.Load()) {
		return // the data plane has it with a Change
	}
	t.current.Store(m)
	t.data.Follow(m)
}

// Initial is the map to begin with. Any goroutine.
func (t *Topology) Initial() *shard.Map { return t.initial }

// Discovered reports whether the servers are discovered, and so may change by themselves; false: they are listed. Any goroutine.
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
