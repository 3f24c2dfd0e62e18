package cluster

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"ringmaster/shard"
)

// topology is the cluster as a refresh has found it. It never changes after it is made.
type topology struct {
	members map[string]*member
	groups  []*group
	owners  [shard.Slots]*member // nil: the slot has no owner
	covered int                  // slots that have an owner
	open    int                  // slots on their way to another node
	// between are the slots that no node claims and that stay with their last owner for this one time.
	between map[int]bool
	// remembered says that the previous result decided a slot against the views.
	remembered bool
}

// member is a node of the cluster.
type member struct {
	id      string
	primary string // ID of a replica's primary; "" for a primary
	addr    string // "" if unknown
	epoch   uint64
	failing bool
}

// group is a primary that owns slots, and the replicas that can be read from.
type group struct {
	primary  *member
	replicas []*member // by address
	slots    []shard.SlotRange
	lineage  []string // IDs of the primary and all replicas, including unreachable ones
}

// candidate is a node while views are merged.
type candidate struct {
	id    string
	epoch uint64  // the highest of all views
	seen  []*node // by view, nil if the view lacks it
	// known is the node's previous group, if no view knows its latest epoch yet.
	known  *group
	member *member
	slots  int // that it has won
}

// merger is one merge.
type merger struct {
	views   []*view
	healthy bool      // they say cluster_state:ok
	last    *topology // nil at first
	byID    map[string]*candidate
	sorted  []*candidate // by ID
	owners  [shard.Slots]*candidate
	between map[int]bool
}

// merge decides between views. last is the previous result, or nil; trusted says whether it may stand against views
// that say ok. It returns nil if no view counts, and the views that were not followed.
func merge(views []*view, last *topology, trusted bool) (*topology, []*view) {
	counted, ignored := elect(views, last)
	if len(counted) == 0 {
		return nil, ignored
	}
	m := &merger{views: counted, healthy: counted[0].ok, last: last, byID: map[string]*candidate{}}
	m.register()
	if last != nil && (trusted || !m.healthy) {
		m.remember()
	}
	m.assign()
	t := m.build()
	return t, append(ignored, m.outvoted()...)
}

// elect picks the views that count. A view without a known node that says fail comes from a node that was removed
// from the cluster.
func elect(views []*view, last *topology) (counted, ignored []*view) {
	ours, ignored := relatives(views, last)
	healthy := slices.ContainsFunc(ours, func(v *view) bool { return v.ok })
	if !healthy && last != nil && !slices.ContainsFunc(ours, last.knows) {
		return nil, views
	}
	for _, v := range ours {
		if v.ok || !healthy {
			counted = append(counted, v)
		} else {
			ignored = append(ignored, v)
		}
	}
	return counted, ignored
}

// relatives returns the views of one cluster: the one with nodes in common with last, then the one with the most
// views that say ok, then with the most views, then with the first view.
func relatives(views []*view, last *topology) (ours, foreign []*view) {
	var families [][]*view
	for _, v := range views {
		family := []*view{v}
		apart := families[:0:0]
		for _, f := range families {
			if slices.ContainsFunc(f, v.related) {
				family = append(f, family...)
			} else {
				apart = append(apart, f)
			}
		}
		families = append(apart, family)
	}
	if len(families) == 0 {
		return nil, nil
	}
	rank := func(f []*view) (int, int, int) {
		known, healthy := 0, 0
		for _, v := range f {
			if v.ok {
				healthy++
			}
			if last != nil && last.knows(v) {
				known = 1
			}
		}
		return known, healthy, len(f)
	}
	best := slices.MaxFunc(families, func(a, b []*view) int {
		k1, h1, n1 := rank(a)
		k2, h2, n2 := rank(b)
		return cmp.Or(cmp.Compare(k1, k2), cmp.Compare(h1, h2), cmp.Compare(n1, n2),
			cmp.Compare(slices.Index(views, b[0]), slices.Index(views, a[0])))
	})
	for _, v := range views {
		if slices.Contains(best, v) {
			ours = append(ours, v)
		} else {
			foreign = append(foreign, v)
		}
	}
	return ours, foreign
}

// knows reports whether v has a node of t.
func (t *topology) knows(v *view) bool {
	for id := range v.nodes {
		if t.members[id] != nil {
			return true
		}
	}
	return false
}

// related reports whether one of the two nodes knows the other.
func (v *view) related(w *view) bool { return v.nodes[w.self.id] != nil || w.nodes[v.self.id] != nil }

// register finds every node's highest epoch.
func (m *merger) register() {
	for i, v := range m.views {
		for id, n := range v.nodes {
			c := m.byID[id]
			if c == nil {
				c = &candidate{id: id, seen: make([]*node, len(m.views))}
				m.byID[id] = c
			}
			c.seen[i], n.owner = n, c
			c.epoch = max(c.epoch, n.epoch)
		}
	}
	m.sorted = slices.SortedFunc(maps.Values(m.byID), func(a, b *candidate) int { return strings.Compare(a.id, b.id) })
}

// remember keeps the slots of an earlier owner whose epoch no view knows yet.
func (m *merger) remember() {
	for _, g := range m.last.groups {
		if c := m.byID[g.primary.id]; c != nil && g.primary.epoch > c.epoch {
			c.known, c.epoch = g, g.primary.epoch
		}
	}
}

// own returns what the node says about itself; nil: it was not asked.
func (c *candidate) own(views []*view) *node {
	for i, n := range c.seen {
		if n != nil && views[i].self == n {
			return n
		}
	}
	return nil
}

// claims calls f for the slots that the node claims under its latest epoch.
func (m *merger) claims(c *candidate, f func(shard.SlotRange)) {
	if c.known != nil {
		for _, r := range c.known.slots {
			f(r)
		}
		return
	}
	if own := c.own(m.views); own != nil && own.epoch == c.epoch {
		for _, r := range own.slots {
			f(r)
		}
		return
	}
	for _, n := range c.seen {
		if n != nil && n.epoch == c.epoch {
			for _, r := range n.slots {
				f(r)
			}
		}
	}
}

// assign gives each slot to its winner.
func (m *merger) assign() {
	for _, c := range m.sorted {
		m.claims(c, func(r shard.SlotRange) {
			for s := int(r.First); s <= int(r.Last); s++ {
				if o := m.owners[s]; o == nil || o != c && m.beats(c, o, s) {
					m.owners[s] = c
				}
			}
		})
	}
	for s := range m.owners {
		if m.owners[s] == nil {
			m.leave(s)
		}
		if o := m.owners[s]; o != nil {
			o.slots++
		}
	}
}

// leave gives a slot that no node claims to its last owner, but not twice in a row. When a slot moves, its new owner
// may have been asked just before the move, and the old one just after.
func (m *merger) leave(s int) {
	if m.last == nil || !m.healthy || m.last.owners[s] == nil || m.last.between[s] {
		return
	}
	c := m.byID[m.last.owners[s].id]
	if c == nil || m.primaryOf(c) != "" {
		return
	}
	m.owners[s] = c
	if m.between == nil {
		m.between = map[int]bool{}
	}
	m.between[s] = true
}

// beats reports whether a, whose ID is the larger, takes slot s from b.
func (m *merger) beats(a, b *candidate, s int) bool {
	if a.epoch != b.epoch {
		return a.epoch > b.epoch
	}
	return m.votes(a, s) > m.votes(b, s)
}

// votes counts the primaries that say that c owns slot s, or all nodes that say so if no primary was asked.
func (m *merger) votes(c *candidate, s int) int {
	all, primaries := 0, 0
	anyPrimary := false
	for _, v := range m.views {
		anyPrimary = anyPrimary || v.primary()
		if v.ownerOf(s) == c.id {
			all++
			if v.primary() {
				primaries++
			}
		}
	}
	if anyPrimary {
		return primaries
	}
	return all
}

// outvoted returns the views that name another owner for a slot than the result does.
func (m *merger) outvoted() []*view {
	var out []*view
	for _, v := range m.views {
		if v.contradicts(&m.owners) {
			out = append(out, v)
		}
	}
	return out
}

func (v *view) contradicts(owners *[shard.Slots]*candidate) bool {
	for _, n := range v.nodes {
		for _, r := range n.slots {
			for s := int(r.First); s <= int(r.Last); s++ {
				if owners[s] != n.owner {
					return true
				}
			}
		}
	}
	return false
}
