package shard

import (
	"cmp"
	"fmt"
	"slices"
)

// MaxNumbers is above every number of a fixed list's servers. It is twice MaxServers, so that a list of only new
// servers finds numbers while the old ones leave in the same map.
const MaxNumbers = 2 * MaxServers

// roomy is how many numbers a list of few servers uses before it reuses the number of a removed server.
const roomy = 64

// holders has the addresses, in the form of sameAddr, by the numbers of a list that changes and of its replicas.
//
// Invariants: no address has two numbers. len(list) never shrinks, and is at most max(roomy, 2*most, what the first map had).
type holders struct {
	list   []holder // by number
	change uint64   // number of maps made
	most   int      // the largest number of addresses in one map
}

// holder is the address that has a number, or had it last.
type holder struct {
	at    string // "": no address ever had it
	freed uint64 // the change that removed the address; 0: it is in the list
}

// Fixed makes the next map of a list of servers that operators change. m places the keys of the new list, as New made
// it, and stays unchanged. groups has the replicas of its servers, which are found by the primary's address. A group
// whose primary is not in m is left out, and so is a replica that is a server of m. If two primaries claim a replica,
// the first gets it.
//
// In the first map the servers have the numbers that they have in m, and replicas come after them. From then on an
// address keeps its number from map to map, whatever else of the server changes. A removed address leaves an empty
// place, so maps never get shorter. An address that comes back gets its old number, if no other address has got it. A
// new address gets a new number or, if there are already many, the one that has been free for the longest time. It
// never gets the number of a server that this map removes.
//
// The error says that there are more than MaxServers addresses, or a server without one. After an error nothing has
// changed. n must not be used for Map or Attach. Control plane.
func (n *Numbers) Fixed(m *Map, groups []Group) (*Map, error) {
	wanted := make([]string, 0, len(m.shards))
	primary := make(map[string]int, len(m.shards)) // positions in m, by address
	for _, i := range m.shards {
		s := m.servers[i]
		if s.Addr == "" {
			return nil, fmt.Errorf("shard: server %q has no address", s.Name)
		}
		at := sameAddr(s.Addr)
		primary[at] = i
		wanted = append(wanted, at)
	}
	replicas, addrs := replicasOf(groups, primary)
	wanted = append(wanted, addrs...)
	if len(wanted) > MaxServers {
		return nil, fmt.Errorf("shard: %d servers, replicas included: at most %d are possible", len(wanted), MaxServers)
	}
	if len(n.fixed.list) == 0 {
		n.fixed.begin(m)
	}
	number := n.fixed.assign(wanted)
	return m.at(len(n.fixed.list), number, replicas), nil
}

// replica is a replica of the server at a position.
type replica struct {
	Server
	of int
}

// replicasOf lists the replicas of groups whose primary is known, each once, and their addresses. primary has positions by address.
func replicasOf(groups []Group, primary map[string]int) (list []replica, addrs []string) {
	taken := map[string]bool{}
	for _, g := range groups {
		of, known := primary[sameAddr(g.Primary.Addr)]
		if !known {
			continue
		}
		for _, s := range g.Replicas {
			at := sameAddr(s.Addr)
			if _, is := primary[at]; is || at == "" || taken[at] {
				continue
			}
			taken[at] = true
			list, addrs = append(list, replica{s, of}), append(addrs, at)
		}
	}
	return list, addrs
}

// begin gives the servers of the first map their numbers in m.
func (h *holders) begin(m *Map) {
	h.list = make([]holder, len(m.servers))
	for i, s := range m.servers {
		if h.list[i].at = sameAddr(s.Addr); s.Addr == "" { // a further name of a server before it
			h.list[i] = holder{freed: 1}
		}
	}
}

// assign gives each wanted address a number, and removes all others.
func (h *holders) assign(wanted []string) map[string]int {
	h.change++
	h.most = max(h.most, len(wanted))
	number := make(map[string]int, len(wanted))
	for _, at := range wanted {
		number[at] = -1
	}
	var free []int // since before this change
	for i := range h.list {
		o := &h.list[i]
		switch _, is := number[o.at]; {
		case is:
			number[o.at], o.freed = i, 0
		case o.freed == 0:
			o.freed = h.change
		case o.freed < h.change:
			free = append(free, i)
		}
	}
	slices.SortFunc(free, func(a, b int) int { return cmp.Or(cmp.Compare(h.list[a].freed, h.list[b].freed), cmp.Compare(a, b)) })
	for _, at := range wanted {
		if number[at] >= 0 {
			continue
		}
		// Only in the first map none is free then: later ones and those before them have at most 2*most addresses together.
		if len(free) == 0 || len(h.list) < max(roomy, 2*h.most) {
			number[at] = len(h.list)
			h.list = append(h.list, holder{at: at})
			continue
		}
		number[at], free = free[0], free[1:]
		h.list[number[at]] = holder{at: at}
	}
	return number
}

// at is m with the servers at other numbers, and with replicas. number has the numbers by address, all below size.
func (m *Map) at(size int, number map[string]int, replicas []replica) *Map {
	to, same := make([]int, len(m.servers)), size == len(m.servers)
	for _, i := range m.shards {
		to[i] = number[sameAddr(m.servers[i].Addr)]
		same = same && to[i] == i
	}
	if same && len(replicas) == 0 {
		return m
	}
	out := *m
	out.servers, out.shards = make([]Server, size), make([]int, 0, len(m.shards))
	for _, i := range m.shards {
		out.servers[to[i]] = m.servers[i]
		out.shards = append(out.shards, to[i])
	}
	slices.Sort(out.shards)
	if m.owners != nil {
		out.owners = m.owners.renumbered(to)
	}
	out.replicas = nil
	for _, r := range replicas {
		i := number[sameAddr(r.Addr)]
		out.servers[i] = r.Server
		if out.replicas == nil {
			out.replicas = make([][]int, size)
		}
		out.replicas[to[r.of]] = append(out.replicas[to[r.of]], i)
	}
	return &out
}
