package pool

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"ringmaster/internal/testkit"
	"ringmaster/pool/ask"
	"ringmaster/pool/conn"
	"ringmaster/shard"
	"ringmaster/stats"
)

// largeNodes is how many primaries the large cluster has.
const largeNodes = 500

// largeGroups are those of a large cluster. Node i is at an address that moves[i] changes.
func largeGroups(moves map[int]int) []shard.Group {
	groups := make([]shard.Group, largeNodes)
	for i, slots := range testkit.Scattered(largeNodes) {
		addr := fmt.Sprintf("10.%d.%d.%d:6379", moves[i], i/250, i%250+1)
		groups[i].Primary = shard.Server{Name: addr, Addr: addr, Weight: 1}
		for _, slot := range slots {
			groups[i].Slots = append(groups[i].Slots, shard.SlotRange{First: slot, Last: slot})
		}
	}
	return groups
}

// everyNode moves all of them.
func everyNode(to int) map[int]int {
	moves := map[int]int{}
	for i := range largeNodes {
		moves[i] = to
	}
	return moves
}

// settle makes every connection ready that waits for it, tick after tick.
func settle(p *Pool) {
	for p.WantsDial() || p.Backlogged() {
		var dials []*conn.Conn
		p.TakeDials(func(c *conn.Conn) { dials = append(dials, c) })
		for _, c := range dials {
			c.OnOpen(&fakeSocket{})
			c.OnBytes([]byte("+OK\r\n"))
		}
		p.Tick()
	}
}

func newLargePool(b testing.TB) (*Pool, *shard.Numbers) {
	b.Helper()
	numbers := &shard.Numbers{}
	m, err := numbers.Map(largeGroups(nil))
	if err != nil {
		b.Fatal(err)
	}
	cfg := testConfig()
	cfg.Cluster = true
	p := New(NewLoop(0), cfg, m, stats.NewLoop(8).AddUpstream("", m.Len()), slog.New(slog.DiscardHandler))
	p.Now = int64(time.Hour)
	p.Start()
	settle(p)
	r := p.Rings(conn.Key{Proto: 3}) // a RESP3 client is there, too
	settle(p)
	if p.servers[largeNodes-1].Ready != 2 || len(r.conns) != largeNodes {
		b.Fatal("the servers are not connected")
	}
	return p, numbers
}

// BenchmarkFollow is what a loop does for a new map of a large cluster, without sockets.
func BenchmarkFollow(b *testing.B) {
	for _, bc := range []struct {
		name  string
		moves func(n int) map[int]int
	}{
		{"nothing changed", func(int) map[int]int { return nil }},
		{"one primary changed", func(n int) map[int]int { return map[int]int{7: n % 2} }},
		{"all changed", func(n int) map[int]int { return everyNode(n % 2) }},
	} {
		b.Run(bc.name, func(b *testing.B) {
			p, numbers := newLargePool(b)
			groups := [][]shard.Group{largeGroups(bc.moves(0)), largeGroups(bc.moves(1))}
			b.ReportAllocs()
			var took time.Duration
			n := 0
			for ; b.Loop(); n++ {
				m, err := numbers.Map(groups[(n+1)%2])
				if err != nil {
					b.Fatal(err)
				}
				start := time.Now()
				p.Follow(m)
				took += time.Since(start)
				settle(p)
				p.Tick()
			}
			b.ReportMetric(float64(took.Nanoseconds())/float64(n), "ns/follow")
		})
	}
}

// BenchmarkTickOfALargeCluster is what a loop does every 10 ms.
func BenchmarkTickOfALargeCluster(b *testing.B) {
	p, _ := newLargePool(b)
	b.ReportAllocs()
	for b.Loop() {
		p.Tick()
	}
}

// BenchmarkTarget finds the node that a redirect names.
func BenchmarkTarget(b *testing.B) {
	p, _ := newLargePool(b)
	reply := []byte("-MOVED 6373 " + p.servers[largeNodes-1].Addr + "\r\n")
	b.ReportAllocs()
	for b.Loop() {
		if n, _, ok := p.Target(0, reply); !ok || n != largeNodes-1 {
			b.Fatal(n, ok)
		}
	}
}

// BenchmarkNumbers is what the control plane does for a new map.
func BenchmarkNumbers(b *testing.B) {
	var numbers shard.Numbers
	groups := largeGroups(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := numbers.Map(groups); err != nil {
			b.Fatal(err)
		}
	}
}

// New servers come while clients of both protocols are there: whatever connections are made first, none is looked for that is not.
func TestNewServersWithClientsOfBothProtocols(t *testing.T) {
	numbers := &shard.Numbers{}
	groups := largeGroups(nil)
	m, err := numbers.Map(groups[:1])
	if err != nil {
		t.Fatal(err)
	}
	cfg := testConfig()
	cfg.Cluster = true
	p := New(NewLoop(0), cfg, m, stats.NewLoop(8).AddUpstream("", m.Len()), slog.New(slog.DiscardHandler))
	p.Now = int64(time.Hour)
	p.Start()
	settle(p)
	p.Rings(conn.Key{Proto: 3})
	settle(p)
	for n := 2; n < 40; n++ { // rings are served in any order
		if m, err = numbers.Map(groups[:n]); err != nil {
			t.Fatal(err)
		}
		p.Follow(m)
		settle(p)
		if ready := p.servers[n-1].Ready; ready != 2 {
			t.Fatalf("server %d has %d connections", n-1, ready)
		}
	}
	checkPool(t, p)
}

// A map that names the same servers leaves their connections alone; of one that changed, only its own go.
func TestFollowTouchesWhatHasChanged(t *testing.T) {
	numbers := &shard.Numbers{}
	groups := largeGroups(nil)[:5]
	m, err := numbers.Map(groups)
	if err != nil {
		t.Fatal(err)
	}
	cfg := testConfig()
	cfg.Cluster = true
	p := New(NewLoop(0), cfg, m, stats.NewLoop(8).AddUpstream("", m.Len()), slog.New(slog.DiscardHandler))
	p.Now = int64(time.Hour)
	p.Start()
	settle(p)
	before := slices.Clone(p.Default().conns)
	groups[2].Primary = largeGroups(everyNode(1))[2].Primary
	if m, err = numbers.Map(groups); err != nil {
		t.Fatal(err)
	}
	p.Follow(m)
	for i, c := range p.Default().conns[:5] {
		if (c == before[i]) != (i != 2) {
			t.Errorf("server %d: the connection is another one: %t", i, c != before[i])
		}
	}
	settle(p)
	checkPool(t, p)
	for addr, want := range map[string]int{before[0].Server().Addr: 0, before[2].Server().Addr: -1, groups[2].Primary.Addr: 5, "": -1, "x": -1} {
		if got := p.serverAt([]byte(addr)); got != want {
			t.Errorf("the server at %q is %d, want %d", addr, got, want)
		}
	}
}

// When a large cluster changes as a whole, a turn opens and closes some sockets only; what is owed is waited for.
func TestFollowSpreadsSocketsOverTurns(t *testing.T) {
	p, numbers := newLargePool(t)
	var old []*conn.Conn
	for _, r := range p.rings {
		old = append(old, r.conns...)
	}
	asks := newAsker(t)
	if f := p.Default().Pick(3, 0).Enqueue(&ask.Request{Raw: []byte("*1\r\n$4\r\nPING\r\n"), Recv: asks, Tag: 1}); f != nil {
		t.Fatal(f)
	}
	p.Flush()
	m, err := numbers.Map(largeGroups(everyNode(1)))
	if err != nil {
		t.Fatal(err)
	}
	p.Follow(m)
	for turn, open := 0, len(old); open > 1; turn++ {
		left, dialled := 0, 0
		for _, c := range old {
			if c.State() != conn.Retired {
				left++
			}
		}
		p.TakeDials(func(c *conn.Conn) { dialled++ })
		if turn > 2*len(old)/conn.AtOnce || open-left > conn.AtOnce || dialled > conn.AtOnce {
			t.Fatalf("turn %d: of %d connections %d are left; %d dialled", turn, open, left, dialled)
		}
		checkPool(t, p)
		open = left
		p.Tick()
	}
	if c := p.leaving[0]; len(p.leaving) != 1 || c.Server().Index() != 3 || p.Counters.Left != uint64(len(old)) {
		t.Fatalf("%d connections are left, of %d", len(p.leaving), p.Counters.Left)
	}
	p.leaving[0].OnBytes([]byte("+PONG\r\n"))
	p.Tick()
	if asks.ends[1] != "+PONG\r\n" || len(p.leaving) != 0 {
		t.Errorf("the last one: %q, %d left", asks.ends[1], len(p.leaving))
	}
	checkPool(t, p)
}

func TestTargetsOfRedirects(t *testing.T) {
	var groups []shard.Group
	for i, addr := range []string{"10.0.0.1:7000", "10.0.0.1:7001", "[2001:db8::1]:7000", "[2001:db8::1]:7001", "node.example:7000"} {
		groups = append(groups, shard.Group{Primary: shard.Server{Name: addr, Addr: addr, Weight: 1}, Slots: []shard.SlotRange{{First: uint16(i), Last: uint16(i)}}})
	}
	var numbers shard.Numbers
	m, err := numbers.Map(groups)
	if err != nil {
		t.Fatal(err)
	}
	p := New(NewLoop(0), testConfig(), m, stats.NewLoop(8).AddUpstream("", m.Len()), slog.New(slog.DiscardHandler))
	for _, c := range []struct {
		from   int
		reply  string
		server int
		asking bool
	}{
		{0, "-MOVED 1 10.0.0.1:7001\r\n", 1, false},
		{0, "-ASK 1 10.0.0.1:7001\r\n", 1, true},
		{0, "-MOVED 1 :7001\r\n", 1, false},
		{2, "-MOVED 1 :7001\r\n", 3, false},
		{0, "-MOVED 1 2001:db8::1:7001\r\n", 3, false},
		{0, "-ASK 1 [2001:db8::1]:7000\r\n", 2, true},
		{0, "-MOVED 1 node.example:7000\r\n", 4, false},
		{4, "-MOVED 1 :7001\r\n", -1, false},
		{0, "-MOVED 1 ?:7001\r\n", -1, false},
		{0, "-MOVED 1 \r\n", -1, false},
		{0, "-MOVED 1\r\n", -1, false},
		{0, "-MOVED 1 ::\r\n", -1, false},
		{0, "-MOVED 1 10.0.0.1\r\n", -1, false},
	} {
		server, asking, ok := p.Target(c.from, []byte(c.reply))
		if ok != (c.server >= 0) || server != c.server || asking != c.asking {
			t.Errorf("%q from server %d: %d, asking %t, %t", c.reply, c.from, server, asking, ok)
		}
	}
}
