package cluster

import (
	"maps"
	"slices"
	"strings"
	"time"

	"ringmaster/shard"
)

// Status is a copy of what a watcher knows, for the admin address and metrics.
type Status struct {
	// Refreshes counts the times that nodes were asked, Failures those that gave no map.
	Refreshes, Failures uint64
	// Changes counts the maps that differed from the one before, the first included.
	Changes uint64
	// Asked counts the nodes asked, Silent those that did not answer, or not with a view.
	Asked, Silent uint64
	// Outvoted counts the views that were not followed, or not in everything: of a minority, out of date, or of
	// another cluster.
	Outvoted uint64
	// LastGood is when nodes last gave a map; zero before the first time.
	LastGood time.Time
	// Covered is the slots that have a primary, Open those that nodes asked say are on their way to another.
	Covered, Open int
	// Remembered says that the map before stands against what the nodes asked say.
	Remembered bool
	// Groups are the current ones. They must not be changed.
	Groups []shard.Group
	// Nodes are all nodes known, by address.
	Nodes []Node
}

// Node is a node of the cluster.
type Node struct {
	ID string
	// Addr is HOST:PORT, or "" where nobody can say.
	Addr string
	// Primary is the ID of a replica's primary, "" for a primary.
	Primary string
	// Epoch is the config epoch, of a replica its primary's.
	Epoch uint64
	// Failing says that most nodes asked have it flagged.
	Failing bool
}

// count adds what a refresh took.
func (s *Status) count(answers []answer, outvoted int) {
	s.Asked += uint64(len(answers))
	s.Outvoted += uint64(outvoted)
	for _, a := range answers {
		if a.View == nil {
			s.Silent++
		}
	}
}

// Age is the time since the last good map, 0 before the first.
func (s *Status) Age() time.Duration {
	if s.LastGood.IsZero() {
		return 0
	}
	return time.Since(s.LastGood)
}

// Status copies what is known now. Any goroutine.
func (w *Watcher) Status() Status {
	w.mu.Lock()
	s, t := w.status, w.current
	s.Groups = w.groups
	w.mu.Unlock()
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
