package topology

import (
	"errors"
	"fmt"
	"slices"

	"ringmaster/shard"
)

// Change is a checked new Config of a running Topology that waits to be taken. While it waits the topology publishes
// no map: a new map waits until Commit, Abort or the end of Run. Commit or Abort must be called, and only the first
// call counts.
//
// The order of a reload, which keeps every loop from taking an older map after a newer one:
//
//  1. Prepare all upstreams. If one fails, Abort the others: nothing has changed.
//  2. Post the map of each Change to the loops, with the settings that belong to it.
//  3. Commit all upstreams. Maps that were found meanwhile are posted after the maps of step 2.
type Change struct {
	t       *Topology
	config  Config
	numbers *shard.Numbers
	groups  []shard.Group // of the map
	m       *shard.Map
	over    bool
}

// errChanging is the error of Prepare while a Change waits.
var errChanging = errors.New("another change of its settings is under way")

// Prepare checks new settings and makes their map. It asks no server. The error names a setting that can't change
// while the topology runs, says what is wrong with the servers, or says that another Change waits. After an error
// nothing has changed.
//
// These may change: fixed servers with their number, names, weights and given replicas, and how keys are placed on
// them; the seeds of a cluster and the sentinels; logins, Timeout, MaxLag, Zone and Zones; Reads between policies
// that read from replicas. Name and Log stay. Any goroutine.
func (t *Topology) Prepare(c Config) (*Change, error) {
	if !t.changing.CompareAndSwap(false, true) {
		return nil, t.named(errChanging)
	}
	t.mapLock <- struct{}{} // a publisher holds it only briefly
	change, err := t.prepare(c)
	if err != nil {
		t.release()
		return nil, t.named(err)
	}
	return change, nil
}

// release lets others publish and change, and asks the watchers to look again.
func (t *Topology) release() {
	<-t.mapLock
	t.changing.Store(false)
	t.Hint()
}

func (t *Topology) prepare(c Config) (*Change, error) {
	if err := t.needsRestart(&c); err != nil {
		return nil, err
	}
	change := &Change{t: t, config: c}
	if c.Fixed == nil {
		return change, nil
	}
	if change.numbers = t.numbers.Clone(); t.replicas != nil {
		change.groups = inheritReplicas(c.Groups, t.groups)
	}
	m, err := change.numbers.Fixed(c.Fixed, change.groups)
	if err != nil {
		return nil, err
	}
	if !m.Equal(t.current.Load()) {
		change.m = m
	}
	return change, nil
}

// needsRestart returns an error if c changes a setting that can't change while the topology runs.
func (t *Topology) needsRestart(c *Config) error {
	old := &t.config
	switch {
	case (c.Fixed == nil) != (old.Fixed == nil):
		return errors.New("servers can't change between fixed and discovered without a restart")
	case c.Kind != old.Kind && c.Fixed == nil:
		return fmt.Errorf("topology can't change from %s to %s without a restart", old.Kind, c.Kind)
	case (c.Reads == shard.ReadPrimary) != (old.Reads == shard.ReadPrimary):
		return fmt.Errorf("read-policy can't change from %s to %s without a restart", old.Reads, c.Reads)
	case !slices.Equal(c.Masters, old.Masters):
		return fmt.Errorf("sentinel-masters can't change from %q to %q without a restart", old.Masters, c.Masters)
	case c.Fixed == nil && len(c.Seeds) == 0:
		return errors.New("servers: there is none to ask")
	case c.Kind != Sentinel:
		return nil // a cluster places keys itself, and for a list Fixed does
	case c.Placement.Distribution != old.Placement.Distribution:
		return fmt.Errorf("distribution can't change from %s to %s under Sentinel without a restart", old.Placement.Distribution, c.Placement.Distribution)
	case c.Placement.Hash != old.Placement.Hash:
		return fmt.Errorf("hash can't change from %s to %s under Sentinel without a restart", old.Placement.Hash, c.Placement.Hash)
	case c.Placement.HashTag != old.Placement.HashTag:
		return fmt.Errorf("hash-tag can't change from %q to %q under Sentinel without a restart", old.Placement.HashTag, c.Placement.HashTag)
	}
	return nil
}

// inheritReplicas returns groups, in which each primary without replicas has those that it had before.
func inheritReplicas(groups, before []shard.Group) []shard.Group {
	out := slices.Clone(groups)
	for i := range out {
		at := slices.IndexFunc(before, func(o shard.Group) bool { return shard.SameAddr(o.Primary.Addr, out[i].Primary.Addr) })
		if len(out[i].Replicas) == 0 && at >= 0 {
			out[i].Replicas = before[at].Replicas
		}
	}
	return out
}

// Map returns the map of the new settings; nil: the current map stays. The caller posts it to the loops before
// Commit. Any goroutine.
func (c *Change) Map() *shard.Map { return c.m }

// Commit takes the new settings. It hands nothing to the data plane, which already has Map. New seeds and logins
// count from the next refresh on, which comes soon. One goroutine.
func (c *Change) Commit() {
	if c.over {
		return
	}
	c.over = true
	t := c.t
	c.config.Name, c.config.Log = t.config.Name, t.config.Log
	t.config = c.config
	t.kind.Store(&c.config.Kind)
	if t.watcher != nil {
		t.watcher.configure(&t.config)
	}
	if t.replicas != nil {
		t.replicas.Configure(t.config.replicas(t.log))
	}
	if t.config.Fixed != nil {
		t.numbers, t.groups = c.numbers, c.groups
		if c.m != nil {
			t.current.Store(c.m)
		}
		if t.replicas != nil {
			t.replicas.Follow(t.config.Groups)
		}
	}
	t.release()
	select {
	case t.renamed <- struct{}{}:
	default:
	}
}

// Abort leaves everything as it was. One goroutine.
func (c *Change) Abort() {
	if !c.over {
		c.over = true
		c.t.release()
	}
}
