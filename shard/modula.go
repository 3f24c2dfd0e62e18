package shard

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// modula gives each server as many consecutive remainders as it weighs, in the order of
// the names: server order[i] owns ends[i-1] <= remainder < ends[i].
type modula struct {
	total uint32
	ends  []uint32
	order []uint16
}

func newModula(servers []Server) *modula {
	m := &modula{}
	for _, i := range nameOrder(servers) {
		m.total += uint32(servers[i].Weight)
		m.ends = append(m.ends, m.total)
		m.order = append(m.order, uint16(i))
	}
	return m
}

func (m *modula) renumbered(to []int) placement {
	out := *m
	out.order = renumbered(m.order, to)
	return &out
}

func (m *modula) equal(o placement) bool {
	other, is := o.(*modula)
	return is && slices.Equal(m.ends, other.ends) && slices.Equal(m.order, other.order)
}

func (m *modula) owner(hash uint32) int {
	remainder := hash % m.total
	i := 0
	for n := len(m.ends); i < n; {
		middle := (i + n) / 2
		if m.ends[middle] <= remainder {
			i = middle + 1
		} else {
			n = middle
		}
	}
	return int(m.order[i])
}

// random draws a server by weight, whatever the hash. The draw is from the Go runtime's
// generator, whose state belongs to the calling thread: no lock, no allocation, and no
// seed to manage.
type random struct{ byWeight *modula }

func newRandom(servers []Server) random { return random{newModula(servers)} }

func (r random) renumbered(to []int) placement {
	out := *r.byWeight
	out.order = renumbered(out.order, to)
	return random{&out}
}

func (r random) equal(o placement) bool {
	other, is := o.(random)
	return is && r.byWeight.equal(other.byWeight)
}

func (r random) owner(uint32) int { return r.byWeight.owner(rand.Uint32N(r.byWeight.total)) }

// nameOrder returns the servers' positions in the order in which twemproxy numbers them: by the length of the name,
// then by its bytes.
func nameOrder(servers []Server) []int {
	order := make([]int, len(servers))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := servers[a].Name, servers[b].Name
		return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y))
	})
	return order
}
