package shard

import (
	"errors"
	"fmt"
	"slices"
)

// MaxNodes bounds the servers of a topology that is discovered, those that are gone included.
const MaxNodes = 1024

// Numbers makes the maps of a topology that changes: a server keeps its number from map to map, and the number of one that
// is gone is not given to another before all others were. A shard with a name is different: its number is that of its place
// in the list of groups, and passes from one primary to the next. One goroutine at a time; control plane only.
type Numbers struct {
	// Placement places keys on groups with names, as on servers with these names. Its Servers are left out.
	Placement Config

	servers []Server // by number; without an address: gone
	freed   []int    // the numbers of those, the oldest first
}

// Map numbers the servers of groups and places the slots on their primaries, or keys by name where groups have names; these
// are the same, in the same order, each time. Slots without an owner go to the first primary, which says what is wrong. The
// error says that there are no groups, or too many servers.
func (n *Numbers) Map(groups []Group) (*Map, error) {
	if len(groups) == 0 {
		return nil, errors.New("shard: no primary is known")
	}
	if groups[0].Name != "" {
		return n.named(groups)
	}
	wanted := map[string]bool{}
	for _, g := range groups {
		wanted[g.Primary.Addr] = true
	}
	if len(wanted) > MaxNodes {
		return nil, fmt.Errorf("shard: %d servers: at most %d are possible", len(wanted), MaxNodes)
	}
	at := map[string]int{}
	for i, s := range n.servers {
		switch {
		case s.Addr == "":
		case wanted[s.Addr]:
			at[s.Addr] = i
		default:
			n.servers[i] = Server{}
			n.freed = append(n.freed, i)
		}
	}
	m := &Map{slots: new([Slots]uint16)}
	for _, g := range groups {
		i, known := at[g.Primary.Addr]
		if !known {
			i = n.take(g.Primary)
			at[g.Primary.Addr] = i
		}
		m.shards = append(m.shards, i)
	}
	slices.Sort(m.shards)
	m.shards = slices.Compact(m.shards)
	for slot := range m.slots {
		m.slots[slot] = uint16(m.shards[0])
	}
	for _, g := range groups {
		for _, r := range g.Slots {
			for slot := int(r.First); slot <= int(r.Last) && slot < Slots; slot++ {
				m.slots[slot] = uint16(at[g.Primary.Addr])
			}
		}
	}
	m.servers = slices.Clone(n.servers)
	return m, nil
}

// named is Map for groups with names.
func (n *Numbers) named(groups []Group) (*Map, error) {
	c := n.Placement
	c.Servers = nil
	for _, g := range groups {
		c.Servers = append(c.Servers, Server{Name: g.Name, Addr: g.Primary.Addr, Weight: 1})
	}
	return New(c)
}

// take gives a new server a number.
func (n *Numbers) take(s Server) int {
	if len(n.servers) < MaxNodes {
		n.servers = append(n.servers, s)
		return len(n.servers) - 1
	}
	i := n.freed[0]
	n.freed = n.freed[1:]
	n.servers[i] = s
	return i
}
