package shard

import (
	"errors"
	"slices"
)

// MaxNodes bounds the servers of a discovered topology, including removed ones.
const MaxNodes = 1024

// Numbers makes the maps of a topology that changes. A server keeps its number from map to map, and the number of a
// removed server is reused only after all other free ones. A shard with a name is different: its number is its place
// in the list of groups, and passes from one primary to the next. [Numbers.Map] is for discovered servers,
// [Numbers.Fixed] for those of a list. One goroutine at a time; control plane only.
type Numbers struct {
	// Replicas says that replicas are numbered too, so that they can be read from.
	Replicas bool
	// Placement places keys on groups with names, as on servers with these names. Its Servers are ignored.
	Placement Config

	servers []Server // by number; without an address: removed
	freed   []int    // the numbers of removed servers, the oldest first
	// channels is the server, from 1, of channels by the hash slot of their names; 0: none.
	channels [Slots]uint16

	fixed holders // of a list
}

// Clone returns an independent copy of n.
func (n *Numbers) Clone() *Numbers {
	c := *n
	c.servers, c.freed, c.fixed.list = slices.Clone(n.servers), slices.Clone(n.freed), slices.Clone(n.fixed.list)
	return &c
}

// Map numbers the servers of groups and places the slots on their primaries, or keys by name if groups have names.
// Names must be the same, in the same order, each time. Slots without an owner go to the first primary, whose error
// then says what is wrong. The error says that there are no groups, or too many servers.
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
		for _, r := range g.Replicas {
			wanted[r.Addr] = wanted[r.Addr] || n.Replicas
		}
	}
	at, err := n.keep(wanted)
	if err != nil {
		return nil, err
	}
	m := &Map{slots: new([Slots]uint16), channels: new([Slots]uint16)}
	for _, g := range groups {
		m.shards = append(m.shards, n.number(g.Primary, at))
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
	for slot := range n.channels {
		if at := int(n.channels[slot]) - 1; !slices.Contains(m.shards, at) { // none, or a replica now
			n.channels[slot] = m.slots[slot] + 1
		}
		m.channels[slot] = n.channels[slot] - 1
	}
	if n.Replicas {
		m.replicas = n.replicas(groups, at)
	}
	m.servers = slices.Clone(n.servers)
	return m, nil
}

// replicas numbers the replicas of groups and lists them by primary.
func (n *Numbers) replicas(groups []Group, at map[string]int) [][]int {
	lists := make([][]int, MaxNodes)
	taken := map[int]bool{}
	for _, g := range groups {
		taken[at[g.Primary.Addr]] = true
	}
	for _, g := range groups {
		primary := at[g.Primary.Addr]
		for _, r := range g.Replicas {
			if i := n.number(r, at); !taken[i] { // if two primaries claim it, the first gets it
				taken[i] = true
				lists[primary] = append(lists[primary], i)
			}
		}
	}
	return lists[:len(n.servers)]
}

// forsake removes the channels from server i.
func (n *Numbers) forsake(i int) {
	for slot, server := range n.channels {
		if int(server) == i+1 {
			n.channels[slot] = 0
		}
	}
}

// named is Map for groups with names.
func (n *Numbers) named(groups []Group) (*Map, error) {
	c := n.Placement
	c.Servers = nil
	for _, g := range groups {
		c.Servers = append(c.Servers, Server{Name: g.Name, Addr: g.Primary.Addr, Weight: 1})
	}
	m, err := New(c)
	if err != nil || !n.Replicas {
		return m, err
	}
	return n.Attach(m, groups)
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
