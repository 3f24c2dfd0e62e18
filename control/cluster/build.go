package cluster

import (
	"cmp"
	"slices"
	"strings"

	"ringmaster/shard"
)

// build makes the topology after every slot has got its owner.
func (m *merger) build() *topology {
	t := &topology{members: make(map[string]*member, len(m.byID)), between: m.between}
	for _, v := range m.views {
		t.open += v.open
	}
	for _, c := range m.sorted {
		c.member = m.member(c)
		t.members[c.member.id] = c.member
		t.remembered = t.remembered || c.known != nil && c.slots > 0
	}
	t.groups = m.groups()
	for _, g := range t.groups {
		for _, r := range g.replicas {
			if t.members[r.id] == nil { // remembered
				t.members[r.id] = r
			}
		}
		for _, r := range g.slots {
			for s := int(r.First); s <= int(r.Last); s++ {
				t.owners[s] = g.primary
				t.covered++
			}
		}
	}
	m.keepPlaces(t.groups)
	return t
}

// member describes c by the views that know most about it. Its strings are copies, because they outlive the replies.
func (m *merger) member(c *candidate) *member {
	b := &member{id: strings.Clone(c.id), epoch: c.epoch, addr: m.address(c), failing: true}
	if c.slots == 0 {
		b.primary = strings.Clone(m.primaryOf(c))
	}
	bad, all := 0, 0
	for _, n := range c.seen {
		if n != nil {
			all++
			if n.failing {
				bad++
			}
		}
	}
	b.failing = 2*bad > all
	return b
}

// primaryOf returns the ID of c's primary in most of the views that know c's latest epoch; c's own view goes first.
func (m *merger) primaryOf(c *candidate) string {
	if own := c.own(m.views); own != nil && own.epoch == c.epoch {
		return own.primary
	}
	votes := map[string]int{}
	best := ""
	for _, n := range c.seen {
		if n != nil && n.epoch == c.epoch {
			votes[n.primary]++
			if a, b := votes[n.primary], votes[best]; a > b || a == b && n.primary > best {
				best = n.primary
			}
		}
	}
	return best
}

// address returns c's address in most views, among addresses of the highest origin. Of two with equal votes the one
// known before wins, then the smaller.
func (m *merger) address(c *candidate) string {
	var before string
	if m.last != nil && m.last.members[c.id] != nil {
		before = m.last.members[c.id].addr
	}
	top := ipOnly
	for _, n := range c.seen {
		if n != nil && n.addr != "" {
			top = max(top, n.origin)
		}
	}
	votes := map[string]int{}
	best := ""
	for _, n := range c.seen {
		if n == nil || n.addr == "" || n.origin != top {
			continue
		}
		votes[n.addr]++
		switch a, b := votes[n.addr], votes[best]; {
		case best == "" || a > b, a == b && best != before && (n.addr == before || n.addr < best):
			best = n.addr
		}
	}
	if best == "" {
		return before
	}
	return strings.Clone(best)
}

// groups returns the primaries with slots, in the order of their first slot. Each address occurs once, because two
// nodes with the same address are one server to the proxy.
func (m *merger) groups() []*group {
	var groups []*group
	byAddr := map[string]*group{}
	for s := 0; s < shard.Slots; {
		first, c := s, m.owners[s]
		for s++; s < shard.Slots && m.owners[s] == c; s++ {
		}
		if c == nil || c.member.addr == "" {
			continue
		}
		g := byAddr[c.member.addr]
		if g == nil {
			g = &group{primary: c.member}
			byAddr[c.member.addr] = g
			groups = append(groups, g)
		}
		r := shard.SlotRange{First: uint16(first), Last: uint16(s - 1)}
		if n := len(g.slots); n > 0 && g.slots[n-1].Last+1 == r.First {
			g.slots[n-1].Last = r.Last
		} else {
			g.slots = append(g.slots, r)
		}
	}
	m.addReplicas(groups, byAddr)
	return groups
}

func (m *merger) addReplicas(groups []*group, byAddr map[string]*group) {
	byPrimary := make(map[string]*group, len(groups))
	for _, g := range groups {
		g.lineage = append(g.lineage, g.primary.id)
		known := m.byID[g.primary.id].known
		if known == nil {
			byPrimary[g.primary.id] = g
			continue
		}
		g.lineage = known.lineage
		for _, r := range known.replicas {
			g.add(r, byAddr)
		}
	}
	for _, c := range m.sorted {
		g := byPrimary[c.member.primary]
		if g == nil {
			continue
		}
		g.lineage = append(g.lineage, c.member.id)
		if m.readable(c, g) {
			g.add(c.member, byAddr)
		}
	}
	for _, g := range groups {
		slices.SortFunc(g.replicas, func(a, b *member) int { return strings.Compare(a.addr, b.addr) })
	}
}

// add makes r a replica of the group, unless its address is missing or taken.
func (g *group) add(r *member, byAddr map[string]*group) {
	if r.addr != "" && byAddr[r.addr] == nil {
		g.replicas = append(g.replicas, r)
		byAddr[r.addr] = g
	}
}

// readable reports whether in most views c is a replica of g's primary, reachable and loaded. Nodes that say
// cluster_state:fail may be cut off from c themselves, so then a replica that was readable stays so.
func (m *merger) readable(c *candidate, g *group) bool {
	good, all := 0, 0
	for _, n := range c.seen {
		if n == nil {
			continue
		}
		all++
		if n.primary == g.primary.id && !n.away && !n.loading {
			good++
		}
	}
	return 2*good > all || !m.healthy && m.last != nil && m.last.reads(c.id)
}

// reads reports whether id is a replica that can be read from.
func (t *topology) reads(id string) bool {
	return slices.ContainsFunc(t.groups, func(g *group) bool {
		return slices.ContainsFunc(g.replicas, func(r *member) bool { return r.id == id })
	})
}

// keepPlaces sorts groups so that a group whose primary belonged to an earlier group gets that group's place, after a
// failover and after a move of slots. New groups come last, in the order of their first slot.
func (m *merger) keepPlaces(groups []*group) {
	if m.last == nil {
		return
	}
	places := map[string]int{} // by node, two for each place, so that a group whose primary stayed goes first
	for i, g := range m.last.groups {
		for _, id := range g.lineage {
			places[id] = 2*i + 1
		}
	}
	for i, g := range m.last.groups {
		places[g.primary.id] = 2 * i
	}
	place := func(g *group) int {
		if i, ok := places[g.primary.id]; ok {
			return i
		}
		return 2 * len(m.last.groups)
	}
	slices.SortStableFunc(groups, func(a, b *group) int { return cmp.Compare(place(a), place(b)) })
}

// published returns the topology in the form that the data plane gets.
func (t *topology) published() []shard.Group {
	out := make([]shard.Group, len(t.groups))
	for i, g := range t.groups {
		out[i] = shard.Group{Primary: server(g.primary), Slots: slices.Clone(g.slots)}
		for _, r := range g.replicas {
			out[i].Replicas = append(out[i].Replicas, server(r))
		}
	}
	return out
}

func server(m *member) shard.Server { return shard.Server{Name: m.addr, Addr: m.addr, Weight: 1} }

// settled reports whether nothing is expected to change soon by itself.
func (t *topology) settled() bool {
	if t.covered < shard.Slots || t.remembered || len(t.between) > 0 {
		return false
	}
	return !slices.ContainsFunc(t.groups, func(g *group) bool { return g.primary.failing })
}
