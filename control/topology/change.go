package topology

import (
	"errors"
	"fmt"
	"slices"

	"ringmaster/shard"
)

// Change is a new Config of a running Topology that has been checked and waits to be taken. While it waits the topology publishes no map:
// whoever has found one waits, until Commit or Abort or the end of Run. One of these must be called, and only the first counts.
//
// The order of a reload, which keeps every loop from taking an older map after a newer one:
//
//  1. Prepare for all upstreams. If one fails, Abort for those that have not: nothing has changed.
//  2. Post the map of each Change to the loops, with the settings that belong to it.
//  3. Commit for all upstreams. What was found meanwhile, and waits, is posted after the maps of step 2.
type Change struct {
	t       *Topology
	config  Config
	numbers *shard.Numbers
	groups  []shard.Group // of the map
	m       *shard.Map
	over    bool
}

// errChanging is what Prepare says while a Change waits.
var errChanging = errors.New("another change of its settings is under way")

// Prepare checks new settings and makes the map that belongs to them; it asks no server. The error names a setting that can't change
// while the topology runs, or says what is wrong with the servers, or that another Change waits; then nothing has changed.
//
// These may change: fixed servers with their number, names, weights and given replicas, and how keys are placed on them; the seeds of a cluster
// and the sentinels; logins, Timeout, MaxLag, Zone and Zones; Reads between policies that read from replicas. Name and Log stay as they
// were. Any goroutine.
func (t *Topology) Prepare(c Config) (*Change, error) {
	if !t.changing.CompareAndSwap(false, true) {
		return nil, t.named(errChanging)
	}
	t.turn <- struct{}{} // whoever publishes does not wait for long
	change, err := t.prepare(c)
	if err != nil {
		t.release()
		return nil, t.named(err)
	}
	return change, nil
}

// release lets others publish and change, and has those who watch look again.
func (t *Topology) release() {
	<-t.turn
	t.changing.Store(false)
	t.Hint()
}

func (t *Topology) prepare(c Config) (*Change, error) {
	if err := t.stays(&c); err != nil {
		return nil, err
	}
	change := &Change{t: t, config: c}
	if c.Fixed == nil {
		return change, nil
	}
	if change.numbers = t.numbers.Clone(); t.replicas != nil {
		change.groups = heirs(c.Groups, t.groups)
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

// stays refuses what can't change while the topology runs.
func (t *Topology) stays(c *Config) error {
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
		return nil // a cluster places keys itself, and a list by another Fixed
	case c.Placement.Distribution != old.Placement.Distribution:
		return fmt.Errorf("distribution can't change from %s to %s under Sentinel without a restart", old.Placement.Distribution, c.Placement.Distribution)
	case c.Placement.Hash != old.Placement.Hash:
		return fmt.Errorf("hash can't change from %s to %s under Sentinel without a restart", old.Placement.Hash, c.Placement.Hash)
	case c.Placement.HashTag != old.Placement.HashTag:
		return fmt.Errorf("hash-tag can't change from %q to %q under Sentinel without a restart", old.Placement.HashTag, c.Placement.HashTag)
	}
	return nil
}

// heirs are groups in which a primary without replicas has those that it had before.
func heirs(groups, before []shard.Group) []shard.Group {
	out := slices.Clone(groups)
	for i := range out {
		at := slices.IndexFunc(before, func(o shard.Group) bool { return shard.SameAddr(o.Primary.Addr, out[i].Primary.Addr) })
		if len(out[i].Replicas) == 0 && at >= 0 {
			out[i].Replicas = before[at].Replicas
		}
	}
	return out
}

// Map is the map that belongs to the new settings; nil: the one before stays. The caller posts it to the loops before Commit. Any goroutine.
func (c *Change) Map() *shard.Map { return c.m }

// Commit takes the new settings. It hands nothing to the data plane, which has Map by now. New seeds and logins count from the next
// refresh on, which comes soon. One goroutine.
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
