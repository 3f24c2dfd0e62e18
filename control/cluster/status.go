package cluster

import (
	"maps"
	"slices"
	"strings"

	"ringmaster/internal/refresh"
	"ringmaster/shard"
)

// Status is a copy of what a watcher knows, for the admin address and metrics.
type Status struct {
	refresh.Counts
	// Covered is the number of slots that have a primary, Open the number of those that the asked nodes are moving.
	Covered, Open int
	// Remembered says that the previous map stands against the nodes' present views.
	Remembered bool
	// Groups are the current groups. They must not be changed.
	Groups []shard.Group
	// Nodes are all known nodes, by address.
	Nodes []Node
}

// Node is a node of the cluster.
type Node struct {
	ID string
	// Addr is HOST:PORT, or "" if unknown.
	Addr string
	// Primary is the ID of a replica's primary, "" for a primary.
	Primary string
	// Epoch is the config epoch, of a replica its primary's.
	Epoch uint64
	// Failing says that most of the asked nodes flag it as failing.
	Failing bool
}

// Status copies what is known now. Any goroutine.
func (w *Watcher) Status() Status {
	k := w.follower.Known()
	s, t := Status{Counts: k.Counts, Groups: k.Groups}, k.Found
	if t == nil {
		return s
	}
	s.Covered, s.Open, s.Remembered = t.covered, t.open, t.remembered
	for _, m := range slices.SortedFunc(maps.Values(t.members), func(a, b *member) int {
		return strings.Compare(a.addr+a.id, b.addr+b.id)
	}) {
		s.Nodes = append(s.Nodes, Node{ID: m.id, Addr: m.addr, Primary: m.primary, Epoch: m.epoch, Failing: m.failing})
	}
	return s
}
