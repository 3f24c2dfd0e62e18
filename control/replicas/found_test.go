package replicas

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ringmaster/internal/testkit"
	"ringmaster/pool"
	"ringmaster/shard"
)

// connections returns how many connections the watcher has to a server.
func connections(t *testing.T, s *testkit.Server) int {
	t.Helper()
	return strings.Count(testkit.Dial(t, s.Addr).Do("CLIENT", "LIST"), "name=ringmaster")
}

// Servers that are removed before Run has begun are disconnected, too.
func TestConnectionsOfWhatIsFollowedNoMoreAreClosed(t *testing.T) {
	one, two := testkit.Redis(t), testkit.Redis(t)
	w := New(testConfig())
	w.Follow([]shard.Group{{Primary: at(one.Addr)}})
	w.Ask(context.Background())
	if n := connections(t, one); n != 1 {
		t.Fatalf("%d connections", n)
	}
	w.Follow([]shard.Group{{Primary: at(two.Addr)}})
	watch(t, w)
	testkit.Until(t, "the first one to be left", func() bool { return connections(t, one) == 0 })
}

// fakePrimary lists the replicas that the test chooses.
func fakePrimary(t *testing.T, replicas func() []string) *testkit.FakeShard {
	t.Helper()
	return testkit.NewFakeShard(t, testkit.Answering(func(_ int, args []string) string {
		text := "role:master\r\nmaster_replid:abc\r\nmaster_repl_offset:14\r\n"
		if args[1] == "replication" {
			for i, addr := range replicas() {
				host, port, _ := strings.Cut(addr, ":")
				text += fmt.Sprintf("slave%d:ip=%s,port=%s,state=online,offset=14,lag=0\r\n", i, host, port)
			}
		}
		return fmt.Sprintf("$%d\r\n%s\r\n", len(text), text)
	}))
}

// A primary that lists different replicas each time does not make the list grow.
func TestReplicasThatAreFoundAreBounded(t *testing.T) {
	var n atomic.Int64
	p := fakePrimary(t, func() (list []string) {
		for range MaxReplicas {
			list = append(list, fmt.Sprintf("127.0.0.1:%d", n.Add(1)))
		}
		return list
	})
	c := testConfig()
	c.Discover = true
	w := New(c)
	w.Follow([]shard.Group{{Primary: at(p.Addr)}})
	for range 3 {
		w.Ask(t.Context())
	}
	if n := len(w.Groups()[0].Replicas); n != MaxReplicas {
		t.Errorf("%d replicas", n)
	}
	w.current()[0].close()
}

// What another primary says about a primary does not count for it.
func TestAPrimaryThatIsListedAsAReplicaStaysAPrimary(t *testing.T) {
	two := testkit.NewFakeShard(t, func(_ int, c *testkit.Conn) {})
	two.Close()
	one := fakePrimary(t, func() []string { return []string{two.Addr} })
	c := testConfig()
	c.Discover = true
	w := New(c)
	w.Follow([]shard.Group{{Primary: at(two.Addr)}, {Primary: at(one.Addr)}})
	w.Ask(t.Context())
	if h := w.Health(); !h[two.Addr].Silent || h[one.Addr].Silent {
		t.Errorf("%+v", h)
	}
	w.current()[1].close()
}

// A replica that hangs does not delay the others: their results are known at once, each time.
func TestAReplicaThatHangsDoesNotHoldUpTheOthers(t *testing.T) {
	primary := testkit.Redis(t, "--repl-diskless-sync-delay", "0")
	r := replicaOf(t, primary.Addr)
	silent := testkit.NewFakeShard(t, testkit.Answering(func(int, []string) string { return "" }))
	c := testConfig()
	c.Timeout = time.Hour
	w := New(c)
	w.Follow([]shard.Group{{Primary: at(primary.Addr), Replicas: []shard.Server{at(silent.Addr), at(r.Addr)}}})
	health, _ := watch(t, w)
	await(t, "the replica to be fit", health, func(h pool.Health) bool { return h[r.Addr].Reads == pool.ReadsAlways })
	testkit.Dial(t, r.Addr).Do("REPLICAOF", "NO", "ONE")
	await(t, "the replica to be given up", health, func(h pool.Health) bool { return h[r.Addr].Reads == pool.ReadsNever })
	if n := silent.Accepted(); n != 1 {
		t.Errorf("the silent one has %d connections", n)
	}
	w.Follow([]shard.Group{{Primary: at(primary.Addr), Replicas: []shard.Server{at(r.Addr)}}})
	silent.Close()
}
