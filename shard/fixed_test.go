package shard

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// listed makes the map of servers that ParseServers reads.
func listed(t testing.TB, c Config, text string) *Map {
	t.Helper()
	var err error
	if c.Servers, err = ParseServers(text); err != nil {
		t.Fatal(err)
	}
	return mustNew(t, c)
}

func mustFix(t testing.TB, n *Numbers, m *Map, groups ...Group) *Map {
	t.Helper()
	out, err := n.Fixed(m, groups)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// addrs returns the servers' addresses by number, "-" for an empty place.
func addrs(m *Map) string {
	var list []string
	for i := range m.Len() {
		if list = append(list, m.Server(i).Addr); m.Server(i).Addr == "" {
			list[i] = "-"
		}
	}
	return strings.Join(list, " ")
}

// replicated makes the group of a primary.
func replicated(primary string, replicas ...string) Group {
	return Group{Primary: Server{Name: primary, Addr: primary, Weight: 1}, Replicas: located(replicas...)}
}

func TestServersOfAListKeepTheirNumbers(t *testing.T) {
	var n Numbers
	for i, step := range []struct{ list, want, shards string }{
		{"a:1,b:1,c:1", "a:1 b:1 c:1", "[0 1 2]"},
		{"b:1,c:1", "- b:1 c:1", "[1 2]"},
		{"c:1:7@renamed,b:1", "- b:1 c:1", "[1 2]"},
		{"d:1,b:1", "- b:1 - d:1", "[1 3]"},
		{"C:01,a:1", "a:1 - C:01 -", "[0 2]"}, // both are back, one with another spelling
		{"x:1@1,a:1@2,x:1@3", "a:1 - - - x:1", "[0 4]"},
		{"x:1@3", "- - - - x:1", "[4]"},
	} {
		m := mustFix(t, &n, listed(t, Config{}, step.list))
		if addrs(m) != step.want || fmt.Sprint(m.Shards()) != step.shards {
			t.Errorf("step %d: %s, shards %v, want %s, %s", i, addrs(m), m.Shards(), step.want, step.shards)
		}
		if i == 2 && (m.Server(2).Name != "renamed" || m.Server(2).Weight != 7) {
			t.Errorf("the server that was renamed is %+v", m.Server(2))
		}
		if at := m.Lookup([]byte("key")); !slices.Contains(m.Shards(), at) {
			t.Errorf("step %d: a key is at %d", i, at)
		}
	}
}

// The first map is that of New, including further names of a server.
func TestTheFirstMapOfAListIsThatOfNew(t *testing.T) {
	for _, list := range []string{"a:1", "a:1,b:1", "a:1@1,b:1@2,a:1@3,c:1@4"} {
		base := listed(t, Config{}, list)
		if m := mustFix(t, new(Numbers), base); m != base {
			t.Errorf("%s: another map: %s", list, addrs(m))
		}
		m := mustFix(t, new(Numbers), base, replicated("a:1", "r:1"))
		if at := base.Len(); m.Server(at).Addr != "r:1" || !slices.Equal(m.Replicas(0), []int{at}) || !m.SamePlacement(base) {
			t.Errorf("%s: with a replica it is %s", list, addrs(m))
		}
	}
}

// In the first map the places of a server's further names belong to no server.
func TestReplicasComeAfterAllNamesInTheFirstMap(t *testing.T) {
	var names []string
	for i := range roomy + 6 {
		names = append(names, fmt.Sprint("a:1@", i))
	}
	base := listed(t, Config{}, strings.Join(names, ","))
	if m := mustFix(t, new(Numbers), base, replicated("a:1", "r:1")); m.Server(base.Len()).Addr != "r:1" || m.Len() != base.Len()+1 {
		t.Errorf("%s", addrs(m))
	}
}

func TestReplicasOfAListAreFoundByTheirPrimary(t *testing.T) {
	var n Numbers
	one := mustFix(t, &n, listed(t, Config{}, "a:1,b:1"), replicated("a:1", "r:1"), replicated("b:1", "s:1", "r:1", "a:1", ""))
	if addrs(one) != "a:1 b:1 r:1 s:1" || !slices.Equal(one.Replicas(0), []int{2}) || !slices.Equal(one.Replicas(1), []int{3}) {
		t.Errorf("%s: replicas %v, %v", addrs(one), one.Replicas(0), one.Replicas(1))
	}
	// Groups of the previous list, in another order: a is gone, and with it its replica.
	two := mustFix(t, &n, listed(t, Config{}, "c:1,b:1"), replicated("a:1", "r:1"), replicated("B:1", "s:1"))
	if addrs(two) != "- b:1 - s:1 c:1" || !slices.Equal(two.Replicas(1), []int{3}) || two.Replicas(4) != nil {
		t.Errorf("%s: replicas %v", addrs(two), two.Replicas(1))
	}
	// A replica becomes a primary, and the primary its replica: both keep their numbers.
	three := mustFix(t, &n, listed(t, Config{}, "s:1,c:1"), replicated("s:1", "b:1"), replicated("c:1", "r:1"))
	if addrs(three) != "- b:1 r:1 s:1 c:1" || !slices.Equal(three.Shards(), []int{3, 4}) || !slices.Equal(three.Replicas(3), []int{1}) {
		t.Errorf("%s: shards %v, replicas %v", addrs(three), three.Shards(), three.Replicas(3))
	}
	if one.Len() != 4 || two.Replicas(3) != nil {
		t.Error("an earlier map has changed")
	}
}

func TestFixedRefusesAndStaysAsItWas(t *testing.T) {
	var n Numbers
	base := listed(t, Config{}, "a:1,b:1")
	mustFix(t, &n, base)
	many := make([]string, MaxServers-1)
	for i := range many {
		many[i] = fmt.Sprint("r:", i)
	}
	if _, err := n.Fixed(listed(t, Config{}, "c:1,d:1"), []Group{replicated("c:1", many...)}); err == nil ||
		!strings.Contains(err.Error(), "4097 servers, replicas included") {
		t.Errorf("too many: %v", err)
	}
	nowhere := mustNew(t, Config{Servers: []Server{{"a", "a:1", 1}, {"b", "", 1}}})
	if _, err := n.Fixed(nowhere, nil); err == nil || !strings.Contains(err.Error(), `"b" has no address`) {
		t.Errorf("no address: %v", err)
	}
	if m := mustFix(t, &n, base); m != base {
		t.Errorf("then: %s", addrs(m))
	}
}

// A copy is independent.
func TestClonedNumbersDoNotChangeTheOriginal(t *testing.T) {
	var n Numbers
	mustFix(t, &n, listed(t, Config{}, "a:1,b:1"))
	c := n.Clone()
	mustFix(t, c, listed(t, Config{}, "b:1,c:1"))
	if m := mustFix(t, &n, listed(t, Config{}, "d:1,b:1")); addrs(m) != "- b:1 d:1" {
		t.Errorf("%s", addrs(m))
	}
	if m := mustFix(t, c, listed(t, Config{}, "b:1,d:1")); addrs(m) != "- b:1 - d:1" {
		t.Errorf("the copy: %s", addrs(m))
	}
}

func TestNumbersOfAListStayBounded(t *testing.T) {
	var n Numbers
	size := func() int {
		mustFix(t, &n, listed(t, Config{Distribution: Modula}, "stays:1"))
		return len(n.fixed.list)
	}
	for i := range 5000 {
		m := mustFix(t, &n, listed(t, Config{Distribution: Modula}, fmt.Sprintf("stays:1,host%d:1", i%1000)))
		if m.Server(0).Addr != "stays:1" || m.Len() > roomy {
			t.Fatalf("map %d has %d places: %s", i, m.Len(), addrs(m))
		}
	}
	if got := size(); got != roomy {
		t.Errorf("%d numbers", got)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range 2000 {
		mustFix(t, &n, listed(t, Config{Distribution: Modula}, fmt.Sprintf("stays:1,host%d:1", i%1000)))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if after.HeapAlloc > before.HeapAlloc+1<<20 {
		t.Errorf("the heap has grown from %d to %d bytes", before.HeapAlloc, after.HeapAlloc)
	}
}

// The largest lists: all servers are new each time.
func TestListsOfTheGreatestLengthFollowEachOther(t *testing.T) {
	var n Numbers
	var last *Map
	for turn := range 4 {
		list := make([]Server, MaxServers)
		for i := range list {
			addr := fmt.Sprintf("host%d:%d", turn, i+1)
			list[i] = Server{addr, addr, 1}
		}
		m := mustFix(t, &n, mustNew(t, Config{Servers: list, Distribution: Modula}))
		if m.Len() > MaxNumbers || len(m.Shards()) != MaxServers {
			t.Fatalf("turn %d: %d places, %d shards", turn, m.Len(), len(m.Shards()))
		}
		if last != nil {
			noTakeover(t, last, m)
		}
		last = m
	}
}

// noTakeover fails if a number gets another address, or an address another number.
func noTakeover(t testing.TB, before, m *Map) {
	t.Helper()
	was := map[string]int{}
	for i := range before.Len() {
		if addr := before.Server(i).Addr; addr != "" {
			was[sameAddr(addr)] = i
			if now := m.Server(i).Addr; now != "" && !SameAddr(now, addr) {
				t.Fatalf("number %d passes from %s to %s", i, addr, now)
			}
		}
	}
	for i := range m.Len() {
		if at, known := was[sameAddr(m.Server(i).Addr)]; known && m.Server(i).Addr != "" && at != i {
			t.Fatalf("%s had number %d and has %d", m.Server(i).Addr, at, i)
		}
	}
}

// model finds the number that each address must have, in the simplest way.
type model struct {
	t      testing.TB
	holder []string // by number: the address that has it, or had it last
	gone   []int    // by number: the step that removed the address, -1: it is there
	step   int
	most   int
}

// check compares a map with the numbers that its addresses must have: primaries in the order of the list, then
// replicas.
func (o *model) check(m *Map, first bool, wanted []string) {
	o.t.Helper()
	o.step++
	o.most = max(o.most, len(wanted))
	number := func(addr string) int { return slices.Index(o.holder, addr) }
	for i, h := range o.holder {
		if o.gone[i] < 0 && !slices.Contains(wanted, h) {
			o.gone[i] = o.step
		}
	}
	var fresh []string
	for _, addr := range wanted {
		if i := number(addr); i >= 0 {
			o.gone[i] = -1
		} else {
			fresh = append(fresh, addr)
		}
	}
	for _, addr := range fresh {
		oldest := -1
		for i, at := range o.gone {
			if at >= 0 && at < o.step && (oldest < 0 || at < o.gone[oldest]) {
				oldest = i
			}
		}
		if first || oldest < 0 || len(o.holder) < max(roomy, 2*o.most) {
			oldest = len(o.holder)
			o.holder, o.gone = append(o.holder, ""), append(o.gone, -1)
		}
		o.holder[oldest], o.gone[oldest] = addr, -1
	}
	if m.Len() != len(o.holder) {
		o.t.Fatalf("step %d: %d places, want %d", o.step, m.Len(), len(o.holder))
	}
	for i, h := range o.holder {
		want := h
		if o.gone[i] >= 0 {
			want = ""
		}
		if got := m.Server(i).Addr; got != want && sameAddr(got) != want {
			o.t.Fatalf("step %d: number %d is %q, want %q", o.step, i, got, want)
		}
	}
}

// spelling writes an address in one of several ways.
func spelling(host, way int) string {
	return fmt.Sprintf([]string{"host%d:6379", "HOST%d:6379", "Host%d.:06379"}[way%3], host)
}

// change is a random list with replicas.
type change struct {
	servers []Server
	groups  []Group
}

// draw makes a list from the random numbers of next, with hosts below the bound.
func draw(next func(n int) int, hosts int) (c change) {
	used := map[string]bool{}
	for range 1 + next(8+hosts/5) {
		s := Server{Name: fmt.Sprint("name", next(2*hosts)), Addr: spelling(next(hosts), next(3)), Weight: 1 + next(3)}
		if used[s.Name] {
			continue
		}
		used[s.Name] = true
		c.servers = append(c.servers, s)
		g := Group{Primary: s}
		for range next(3) {
			g.Replicas = append(g.Replicas, Server{Name: "r", Addr: spelling(next(hosts), next(3)), Weight: 1})
		}
		c.groups = append(c.groups, g)
	}
	return c
}

// wanted returns the addresses of a list in the form of sameAddr: primaries, then replicas.
func (c *change) wanted() (list []string) {
	add := func(s Server) {
		if at := sameAddr(s.Addr); !slices.Contains(list, at) {
			list = append(list, at)
		}
	}
	for _, s := range c.servers {
		add(s)
	}
	primaries := slices.Clone(list)
	for _, g := range c.groups {
		for _, r := range g.Replicas {
			if slices.Contains(primaries, sameAddr(g.Primary.Addr)) {
				add(r)
			}
		}
	}
	return list
}

// walk changes a list steps times at random, and compares every map with the model and with New.
func walk(t testing.TB, d Distribution, steps, hosts int, next func(n int) int) {
	var n Numbers
	o := &model{t: t}
	var before *Map
	for step := range steps {
		c := draw(next, hosts)
		base, err := New(Config{Servers: c.servers, Distribution: d, Hash: Hash(next(len(hashNames)))})
		if err != nil {
			t.Fatal(err)
		}
		if next(2) == 0 { // groups of another list, in another order
			c.groups = append(c.groups, draw(next, hosts).groups...)
			slices.Reverse(c.groups)
		}
		m, err := n.Fixed(base, c.groups)
		if err != nil {
			t.Fatal(err)
		}
		if step == 0 {
			for i := range base.Len() {
				at := sameAddr(base.Server(i).Addr)
				o.holder, o.gone = append(o.holder, at), append(o.gone, -1)
				if at == "" {
					o.holder[i], o.gone[i] = "-", 1 // a further name
				}
			}
		}
		o.check(m, step == 0, c.wanted())
		samePlaces(t, base, m, next)
		if before != nil {
			if m.Len() < before.Len() {
				t.Fatalf("from %d to %d places", before.Len(), m.Len())
			}
			noTakeover(t, before, m)
		}
		before = m
	}
}

// samePlaces fails if a key has another address than in base, or a replica another primary.
func samePlaces(t testing.TB, base, m *Map, next func(n int) int) {
	t.Helper()
	for range 50 {
		key := fmt.Appendf(nil, "%x", next(1<<30))
		was, is := base.Lookup(key), m.Lookup(key)
		if !slices.Contains(m.Shards(), is) {
			t.Fatalf("key %s is at %d, not one of %v", key, is, m.Shards())
		}
		if !m.Random() && base.Server(was) != m.Server(is) {
			t.Fatalf("key %s is at %v, and with New at %v", key, m.Server(is), base.Server(was))
		}
	}
	if len(m.Shards()) != len(base.Shards()) || !slices.IsSorted(m.Shards()) {
		t.Fatalf("shards %v, with New %v", m.Shards(), base.Shards())
	}
	for i := range m.Len() {
		for _, r := range m.Replicas(i) {
			if !slices.Contains(m.Shards(), i) || slices.Contains(m.Shards(), r) || m.Server(r).Addr == "" {
				t.Fatalf("%v is a replica of %v", m.Server(r), m.Server(i))
			}
		}
	}
}

func TestAListThatChangesKeepsNumbersAndPlacement(t *testing.T) {
	for d := range distributionNames {
		for seed := range 4 {
			t.Run(fmt.Sprint(Distribution(d), seed), func(t *testing.T) {
				r := rand.New(rand.NewPCG(uint64(seed), uint64(d)))
				steps := 200
				if Distribution(d) == Maglev { // its tables take long to make
					steps = 30
				}
				walk(t, Distribution(d), steps, []int{3, 10, 40, 200}[seed], r.IntN)
			})
		}
	}
}

// For any list in any spelling.
func FuzzAListThatChanges(f *testing.F) {
	f.Add([]byte("abc"), uint8(0))
	f.Add([]byte("\x07\x00\x00\x00\x07\x00\x00\x00\xff\xff\xff\xff0123456789"), uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, d uint8) {
		at := 0
		walk(t, Distribution(int(d)%2*int(Modula)), min(len(data)/8, 100), 12, func(n int) int {
			if len(data) == 0 {
				return 0
			}
			at = (at + 1) % len(data)
			return (int(data[at]) + at*len(data)) % n
		})
	})
}
