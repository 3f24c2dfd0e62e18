package e2e

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ringmaster/internal/testkit"
	"ringmaster/shard"
)

// partition is a cluster of three primaries and three replicas and a proxy, each on a host of its own: those of the first primary
// and of the second one's replica are the minority.
type partition struct {
	*testkit.Cluster
	network            *testkit.Network
	minority, majority []*testkit.Host
	proxyHost          *testkit.Host
	proxy              *testkit.Server
	keys               [3]string // one of each primary
	values             int
}

func newPartition(t *testing.T) *partition {
	t.Helper()
	n := testkit.NewNetwork(t, 7)
	h := n.Hosts()
	p := &partition{
		network: n, minority: []*testkit.Host{h[0], h[4]}, majority: []*testkit.Host{h[1], h[2], h[3], h[5]}, proxyHost: h[6],
		Cluster: testkit.StartClusterWith(t, testkit.ClusterOptions{Primaries: 3, Replicas: 3, Hosts: h[:6]}),
	}
	for i := 0; slices.Contains(p.keys[:], ""); i++ {
		k := fmt.Sprintf("k%d", i)
		p.keys[int(shard.Slot([]byte(k)))*3/shard.Slots] = k
	}
	p.proxy = p.start(t, p.Nodes[:2])
	return p
}

// start starts a proxy that knows some nodes to begin with.
func (p *partition) start(t *testing.T, seeds []*testkit.Server) *testkit.Server {
	t.Helper()
	var addrs []string
	for _, s := range seeds {
		addrs = append(addrs, s.Addr)
	}
	return testkit.ProxyWith(t, testkit.ProxyOptions{
		Upstreams: addrs, Host: p.proxyHost, Flags: []string{"--topology", "cluster", "--protected-mode=false"},
	})
}

// primaries are the nodes that own the slots of the three keys, as most nodes see it.
func (p *partition) primaries() (all [3]*testkit.Server) {
	for i, k := range p.keys {
		all[i] = p.Primary(int(shard.Slot([]byte(k))))
	}
	return all
}

// serves writes a value of each primary through the proxy and says what is wrong: an error, or that it is not at the primary of
// that name.
func (p *partition) serves(c *testkit.Conn, primaries [3]*testkit.Server) error {
	for i, k := range p.keys {
		p.values++
		value := fmt.Sprint(p.values)
		if reply, err := c.Call("SET", k, value); reply != "+OK\r\n" {
			return fmt.Errorf("SET of a key of primary %d: %q, %v", i, reply, err)
		}
		if v, err := p.Ask(primaries[i], "GET", k); err != nil || v.Text != value {
			return fmt.Errorf("a value of primary %d, %s, was said to be written, but is not there: %v, %v", i, primaries[i].Addr, v, err)
		}
	}
	return nil
}

// mapped is what a proxy says of the cluster: the primaries of the three keys by address, and how many nodes it knows that serve.
func (p *partition) mapped(t *testing.T, proxy *testkit.Server) (primaries [3]string, serving int) {
	t.Helper()
	var page struct {
		Cluster struct{ Groups []shard.Group }
	}
	proxy.Topology(t, &page)
	for _, g := range page.Cluster.Groups {
		serving += 1 + len(g.Replicas)
		for i, k := range p.keys {
			if slices.ContainsFunc(g.Slots, func(r shard.SlotRange) bool {
				slot := shard.Slot([]byte(k))
				return r.First <= slot && slot <= r.Last
			}) {
				primaries[i] = g.Primary.Addr
			}
		}
	}
	return primaries, serving
}

// strict is some rounds without any fault.
func (p *partition) strict(t *testing.T, addr string, rounds int) {
	t.Helper()
	c := testkit.Dial(t, addr)
	primaries := p.primaries()
	for range rounds {
		if err := p.serves(c, primaries); err != nil {
			t.Error(err)
			return
		}
	}
}

// A proxy that reaches both sides of a partition goes by the majority's map, however much the minority's nodes say, and whichever
// of them it was told of.
func TestTheMinoritysMapNeverWins(t *testing.T) {
	if !testkit.Apart(t) {
		return
	}
	p := newPartition(t)
	p.strict(t, p.proxy.Addr, 10)
	slot := int(shard.Slot([]byte(p.keys[0])))
	p.network.Cut(t, p.minority, p.majority)
	promoted := p.WaitPromoted(t, p.Nodes[0], slot)
	seen := time.Now()
	primaries := p.primaries()
	dialEveryLoop(t, p.proxy.Addr).until(t, "writes to the promoted replica", func(c *testkit.Conn) bool { return p.serves(c, primaries) == nil })
	t.Logf("writes go to the promoted replica %v after its promotion was seen", time.Since(seen).Round(time.Millisecond))
	p.strict(t, p.proxy.Addr, 200)

	late := p.start(t, []*testkit.Server{p.Nodes[0], p.Nodes[4]})
	p.strict(t, late.Addr, 200)
	if n := late.Metric(t, "ringmaster_topology_nodes_outvoted_total"); n == 0 {
		t.Error("a proxy that was told of the minority's nodes only says that it followed all that it asked")
	}

	p.network.Heal(t, p.minority, p.majority)
	healed := make(chan struct{})
	var wg sync.WaitGroup
	for _, proxy := range []*testkit.Server{p.proxy, late} {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c, err := testkit.Connect(proxy.Addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			for n := 0; ; n++ {
				select {
				case <-healed:
					return
				default:
				}
				for i, k := range p.keys {
					if reply, err := c.Call("SET", fmt.Sprintf("{%s}%s", k, proxy.Addr), fmt.Sprint(n)); reply != "+OK\r\n" {
						t.Errorf("while the partition heals, SET of a key of primary %d: %q, %v", i, reply, err)
						return
					}
				}
			}
		}()
	}
	p.WaitOK(t)
	close(healed)
	wg.Wait()
	if now := p.primaries(); now != primaries || now[0] != promoted {
		t.Errorf("the primaries are %v, were %v", now, primaries)
	}
	p.strict(t, p.proxy.Addr, 50)
	p.strict(t, late.Addr, 50)
}

// A proxy that is cut off together with the minority keeps its map, and serves all again soon after the partition has healed.
func TestAProxyInTheMinorityHeals(t *testing.T) {
	if !testkit.Apart(t) {
		return
	}
	p := newPartition(t)
	p.strict(t, p.proxy.Addr, 10)
	busy := p.background(t)
	for _, lasts := range []time.Duration{0, 4 * time.Second} {
		p.heals(t, lasts)
	}
	busy()
}

// background is clients that go on all the time, so that every connection of the proxy has something under way when it is cut.
func (p *partition) background(t *testing.T) (stop func()) {
	ended := make(chan struct{})
	var wg sync.WaitGroup
	for i, k := range p.keys {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				c, err := testkit.Connect(p.proxy.Addr)
				if err != nil {
					t.Error(err)
					return
				}
				for err == nil {
					select {
					case <-ended:
						c.Close()
						return
					default:
					}
					_, err = c.Call("INCR", fmt.Sprintf("{%s}%d", k, i))
				}
				c.Close()
			}
		}()
	}
	return func() { close(ended); wg.Wait() }
}

// heals cuts the proxy and the minority off until a replica was promoted, and for so long thereafter.
func (p *partition) heals(t *testing.T, lasts time.Duration) {
	t.Helper()
	primaries := p.primaries()
	side := append([]*testkit.Host{p.proxyHost}, p.minority...)
	lost := slices.IndexFunc(primaries[:], func(s *testkit.Server) bool { return slices.Contains(p.minority, s.Host) })
	var before [3]string
	testkit.Until(t, "the proxy to know all nodes", func() bool {
		var serving int
		before, serving = p.mapped(t, p.proxy)
		return serving == len(p.Nodes)
	})
	p.network.Cut(t, side, p.majority)
	if lost >= 0 {
		p.WaitPromoted(t, primaries[lost], int(shard.Slot([]byte(p.keys[lost]))))
		testkit.Until(t, "the primary in the minority to serve nobody", func() bool {
			v, err := p.Ask(primaries[lost], "CLUSTER", "INFO")
			return err == nil && strings.Contains(v.Text, "cluster_state:fail")
		})
	}
	end := time.Now().Add(lasts)
	c := testkit.Dial(t, p.proxy.Addr)
	for more := true; more; more = time.Now().Before(end) {
		for i, k := range p.keys {
			if reply := c.Do("SET", k, "x"); !strings.HasPrefix(reply, "-") {
				t.Fatalf("without a majority, SET of a key of primary %d: %q", i, reply)
			}
		}
	}
	if now, _ := p.mapped(t, p.proxy); now != before {
		t.Errorf("the minority's map was followed: the primaries are %v, were %v", now, before)
	}
	primaries = p.primaries()
	p.network.Heal(t, side, p.majority)
	began := time.Now()
	var back [3]time.Duration
	var wg sync.WaitGroup
	for i, k := range p.keys {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c, err := testkit.Connect(p.proxy.Addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			served := testkit.Eventually(testkit.Patience, func() bool {
				reply, err := c.Call("SET", k, "healed")
				return err != nil || reply == "+OK\r\n"
			})
			if back[i] = time.Since(began); !served {
				t.Errorf("no service of primary %d in %v", i, back[i])
			}
		}()
	}
	wg.Wait()
	t.Logf("after a partition of %v more: service of the three primaries after %v", lasts, back)
	dialEveryLoop(t, p.proxy.Addr).until(t, "service by every loop", func(c *testkit.Conn) bool { return p.serves(c, primaries) == nil })
	p.strict(t, p.proxy.Addr, 50)
	p.WaitOK(t)
	p.strict(t, p.proxy.Addr, 50)
}

// A connection is lost because its server can't be reached. What it had under way must not arrive once the server can: it would
// undo what was written over another connection since.
func TestWhatWasLostWithALinkDoesNotArriveLater(t *testing.T) {
	if !testkit.Apart(t) {
		return
	}
	n := testkit.NewNetwork(t, 2)
	server, own := n.Hosts()[:1], n.Hosts()[1:]
	s := testkit.StartClusterWith(t, testkit.ClusterOptions{Primaries: 1, Hosts: server}).Nodes[0]
	proxy := testkit.ProxyWith(t, testkit.ProxyOptions{Upstreams: []string{s.Addr}, Host: own[0], Flags: []string{"--protected-mode=false"}})
	c := testkit.Dial(t, proxy.Addr)
	testkit.Until(t, "service", func() bool { return c.Do("SET", "k", "before") == "+OK\r\n" })
	n.Cut(t, server, own)
	if got := c.Do("SET", "k", "late"); !strings.Contains(got, "may have run") {
		t.Fatalf("a write to a server that can't be reached: %q", got)
	}
	testkit.Until(t, "the connection to be given up", func() bool {
		return proxy.Metric(t, "ringmaster_server_disconnects_total", `reason="unreachable"`) > 0
	})
	if left := own[0].Leftovers(t); left != "" {
		t.Errorf("the system goes on sending what was lost:\n%s", left)
	}
	n.Heal(t, server, own)
	testkit.Until(t, "service again", func() bool { return c.Do("SET", "k", "after") == "+OK\r\n" })
}
