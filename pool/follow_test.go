package pool

import (
	"testing"

	"ringmaster/pool/ask"
	"ringmaster/pool/conn"
	"ringmaster/shard"
	"ringmaster/stats"
)

// newClusterPool is a started pool in front of a cluster of which the named servers have the first slots, one each, with its
// dials still to be answered, and what numbers the servers of the next maps.
func newClusterPool(t *testing.T, cfg conn.Config, names ...string) (*Pool, *shard.Numbers) {
	t.Helper()
	cfg.Cluster = true
	numbers := &shard.Numbers{}
	p := newTestPool(t, cfg, len(names), nil)
	if _, err := numbers.Map(groups(names)); err != nil {
		t.Fatal(err)
	}
	return p, numbers
}

func groups(names []string) (all []shard.Group) {
	for i, name := range names {
		slot := uint16(i)
		all = append(all, shard.Group{Primary: shard.Server{Name: name, Addr: name + ":1", Weight: 1}, Slots: []shard.SlotRange{{First: slot, Last: slot}}})
	}
	return all
}

func follow(t *testing.T, p *Pool, n *shard.Numbers, names ...string) {
	t.Helper()
	m, err := n.Map(groups(names))
	if err != nil {
		t.Fatal(err)
	}
	p.Follow(m)
}

func TestServerThatIsGoneStaysGone(t *testing.T) {
	p, numbers := newClusterPool(t, testConfig(), "A", "B")
	c := p.Default().Pick(1, 0)
	ready(t, c)
	if f := c.Enqueue(&ask.Request{Raw: []byte("x"), Recv: newAsker(t), Tag: 0}); f != nil {
		t.Fatal(f)
	}
	follow(t, p, numbers, "A")
	c.OnBytes([]byte("+OK\r\n"))
	if c.State() != conn.Retired {
		t.Errorf("the connection is %s", c.State())
	}
	if st := p.Counters.Servers[1].State; st != stats.ServerGone {
		t.Errorf("server B, which is gone, is shown as %v", st)
	}
	checkPool(t, p)
}
