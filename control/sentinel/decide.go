package sentinel

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"ringmaster/shard"
)

// topology is the result of a refresh. It does not change after the follower has taken it.
type topology struct {
	shards   []*primary // in the order of the names
	outvoted int        // views that were outvoted for at least one name
}

// primary is the result for one name.
type primary struct {
	name     string
	addr     string
	epoch    uint64
	replicas []string // those that most of these sentinels call ready, sorted
	down     int      // sentinels that can't reach it
	failover bool     // a sentinel is replacing it
	views    int      // sentinels that know the name
	agreed   int      // those of them that name addr
	// doubtful says that the server reports another role. expected is the server that takes over once it is a
	// primary, "" for none.
	doubtful bool
	expected string
	against  time.Time // when it began to stand against claims with lower epochs; zero: it does not
}

// shard returns what t knows about a name; nil: nothing.
func (t *topology) shard(name string) *primary {
	if t == nil {
		return nil
	}
	for _, s := range t.shards {
		if s.name == name {
			return s
		}
	}
	return nil
}

// expecting returns p while addr is expected to take over but is no primary yet.
func (p *primary) expecting(addr string) *primary {
	q := p.copy()
	q.doubtful, q.expected = true, addr
	return q
}

func (p *primary) copy() *primary { q := *p; return &q }

// decide finds the primary of each name. A name that no view knows is returned in unknown, and keeps its last result
// if it has one.
func decide(names []string, views []*view, last *topology, now time.Time) (t *topology, unknown []string) {
	t = &topology{}
	outvoted := map[*view]bool{}
	for _, name := range names {
		before := last.shard(name)
		s := elect(name, views, before, now)
		if s == nil {
			unknown = append(unknown, name)
			if before == nil {
				continue
			}
			s = before.copy()
			s.views, s.agreed, s.down, s.failover = 0, 0, 0, false
		}
		t.shards = append(t.shards, s)
		for _, v := range views {
			if m := v.masters[name]; m != nil && m.addr != s.addr {
				outvoted[v] = true
			}
		}
	}
	t.outvoted = len(outvoted)
	return t, unknown
}

// elect finds the primary of a name; nil: no view knows it.
func elect(name string, views []*view, before *primary, now time.Time) *primary {
	var claims []*master
	for _, v := range views {
		if m := v.masters[name]; m != nil {
			claims = append(claims, m)
		}
	}
	if len(claims) == 0 {
		return nil
	}
	backed := slices.DeleteFunc(slices.Clone(claims), func(c *master) bool { return 2*count(claims, c.addr, (*master).knows) <= len(claims) })
	if len(backed) == 0 {
		backed = claims
	}
	best := slices.MaxFunc(backed, func(a, b *master) int {
		return cmp.Or(
			cmp.Compare(a.epoch, b.epoch),
			cmp.Compare(count(claims, a.addr, (*master).says), count(claims, b.addr, (*master).says)),
			cmp.Compare(before.at(a.addr), before.at(b.addr)),
			strings.Compare(b.addr, a.addr),
		)
	})
	if p := before.stands(best, claims, now); p != nil {
		return p
	}
	return found(name, best, claims)
}

func (m *master) says(addr string) bool { return m.addr == addr }

// count returns for how many of the claims holds is true of addr.
func count(claims []*master, addr string, holds func(*master, string) bool) (n int) {
	for _, c := range claims {
		if holds(c, addr) {
			n++
		}
	}
	return n
}

// at returns 1 if p is at addr, otherwise 0.
func (p *primary) at(addr string) int {
	if p != nil && p.addr == addr {
		return 1
	}
	return 0
}

// stands returns the previous result if its epoch is higher than that of the best claim and it has not stood for too
// long; otherwise nil.
func (p *primary) stands(best *master, claims []*master, now time.Time) *primary {
	if p == nil || p.epoch <= best.epoch || !p.against.IsZero() && now.Sub(p.against) >= memory {
		return nil
	}
	q := p.copy()
	q.views, q.agreed, q.expected = len(claims), count(claims, p.addr, (*master).says), ""
	if q.against.IsZero() {
		q.against = now
	}
	return q
}

// found makes a primary of the claim that won.
func found(name string, best *master, claims []*master) *primary {
	p := &primary{name: name, addr: best.addr, epoch: best.epoch, views: len(claims)}
	ready := map[string]int{}
	for _, c := range claims {
		p.failover = p.failover || c.failover
		if c.addr != best.addr {
			continue
		}
		p.agreed++
		if c.down {
			p.down++
		}
		for _, r := range c.replicas {
			if r.ready {
				ready[r.addr]++
			}
		}
	}
	for addr, n := range ready {
		if 2*n > p.agreed {
			p.replicas = append(p.replicas, addr)
		}
	}
	slices.Sort(p.replicas)
	return p
}

// isDown reports whether most of the sentinels that name p can't reach it.
func (p *primary) isDown() bool { return 2*p.down > p.agreed }

// settled reports whether nothing is expected to change soon by itself.
func (t *topology) settled() bool {
	return !slices.ContainsFunc(t.shards, func(s *primary) bool {
		return s.down > 0 || s.failover || s.doubtful || !s.against.IsZero()
	})
}

// doubtful reports whether a server is about to become a primary.
func (t *topology) doubtful() bool {
	return slices.ContainsFunc(t.shards, func(s *primary) bool { return s.doubtful })
}

// published returns the topology in the form that the data plane gets.
func (t *topology) published() []shard.Group {
	out := make([]shard.Group, len(t.shards))
	for i, s := range t.shards {
		out[i] = shard.Group{Name: s.name, Primary: shard.Server{Name: s.name, Addr: s.addr, Weight: 1}}
		for _, r := range s.replicas {
			out[i].Replicas = append(out[i].Replicas, shard.Server{Name: r, Addr: r, Weight: 1})
		}
	}
	return out
}
