package cluster

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"ringmaster/shard"
)

const (
	// maxLines bounds the lines that one change of the map writes.
	maxLines = 20
	// maxRanges bounds the ranges that a line names.
	maxRanges = 4
)

// change is a line of the log.
type change struct {
	level  slog.Level
	text   string
	moving bool // slots that move from one primary to another
}

// changes describes the changes from old.
func changes(old, now *topology) []change {
	lines := slotChanges(old, now)
	lines = append(lines, addressChanges(old, now)...)
	lines = append(lines, replicaChanges(old, now)...)
	if over := len(lines) - maxLines; over > 0 {
		lines = append(lines[:maxLines], change{text: fmt.Sprintf("and %d more changes", over)})
	}
	return lines
}

// move is the slots that went from one node to another; nil stands for no node.
type move struct{ from, to *member }

func slotChanges(old, now *topology) []change {
	moves := map[move][]shard.SlotRange{}
	var order []move
	for s := range shard.Slots {
		k := move{old.owners[s], now.owners[s]}
		if k.from == k.to || k.from != nil && k.to != nil && k.from.id == k.to.id {
			continue
		}
		ranges := moves[k]
		if ranges == nil {
			order = append(order, k)
		}
		moves[k] = extend(ranges, uint16(s))
	}
	var lines []change
	for _, k := range order {
		slots := named(moves[k])
		switch {
		case k.to == nil:
			lines = append(lines, change{level: slog.LevelWarn, text: fmt.Sprintf("slots %s no longer have an owner; it was %s", slots, k.from.addr)})
		case k.from == nil:
			lines = append(lines, change{text: fmt.Sprintf("slots %s now have an owner: %s", slots, k.to.addr)})
		case old.succeeds(k):
			lines = append(lines, change{text: fmt.Sprintf("primary of %s is now %s, was %s", slots, k.to.addr, k.from.addr)})
		default:
			lines = append(lines, change{text: fmt.Sprintf("slots %s moved from %s to %s", slots, k.from.addr, k.to.addr), moving: true})
		}
	}
	return lines
}

// succeeds reports whether k.to was a replica of k.from, so that this is a promotion and not a move.
func (t *topology) succeeds(k move) bool {
	for _, g := range t.groups {
		if g.primary.id == k.from.id {
			return slices.Contains(g.lineage, k.to.id)
		}
	}
	return false
}

func addressChanges(old, now *topology) []change {
	var lines []change
	for id, m := range now.members {
		if o := old.members[id]; o != nil && o.addr != m.addr && m.addr != "" && o.addr != "" {
			lines = append(lines, change{text: fmt.Sprintf("node %.8s is now at %s, was at %s", id, m.addr, o.addr)})
		}
	}
	return sorted(lines)
}

func replicaChanges(old, now *topology) []change {
	before, after := old.replicas(), now.replicas()
	var lines []change
	for id, of := range before {
		if after[id] != nil {
			continue
		}
		why := "failing or gone"
		if now.groupOf(id) != nil {
			why = "promoted"
		} else if m := now.members[id]; m != nil && !m.failing {
			why = "unlinked, loading or removed"
		}
		lines = append(lines, change{text: fmt.Sprintf("replica %s of %s removed: %s", old.members[id].addr, of.primary.addr, why)})
	}
	for id, of := range after {
		was := before[id]
		switch {
		case was == nil:
			lines = append(lines, change{text: fmt.Sprintf("replica %s of %s added", now.members[id].addr, of.primary.addr)})
		case was.primary.id != of.primary.id && !slices.Contains(was.lineage, of.primary.id):
			lines = append(lines, change{text: fmt.Sprintf("replica %s now follows %s, was a replica of %s", now.members[id].addr, of.primary.addr, was.primary.addr)})
		}
	}
	return sorted(lines)
}

// replicas returns the group of each replica, by the replica's ID.
func (t *topology) replicas() map[string]*group {
	all := map[string]*group{}
	for _, g := range t.groups {
		for _, r := range g.replicas {
			all[r.id] = g
		}
	}
	return all
}

// groupOf returns the group whose primary is id, or nil.
func (t *topology) groupOf(id string) *group {
	for _, g := range t.groups {
		if g.primary.id == id {
			return g
		}
	}
	return nil
}

func sorted(lines []change) []change {
	slices.SortFunc(lines, func(a, b change) int { return cmp.Compare(a.text, b.text) })
	return lines
}

// extend adds slot, which must be higher than all in ranges.
func extend(ranges []shard.SlotRange, slot uint16) []shard.SlotRange {
	if n := len(ranges); n > 0 && ranges[n-1].Last+1 == slot {
		ranges[n-1].Last = slot
		return ranges
	}
	return append(ranges, shard.SlotRange{First: slot, Last: slot})
}

// named writes ranges as 0-99,200. If there are many, it writes the first ones and the number of ranges.
func named(ranges []shard.SlotRange) string {
	var b strings.Builder
	slots := 0
	for i, r := range ranges {
		slots += int(r.Last-r.First) + 1
		if i >= maxRanges {
			continue
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(int(r.First)))
		if r.Last > r.First {
			b.WriteByte('-')
			b.WriteString(strconv.Itoa(int(r.Last)))
		}
	}
	if len(ranges) > maxRanges {
		fmt.Fprintf(&b, " and others, %d in all,", slots)
	}
	return b.String()
}
