package eventloop

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"syscall"
	"testing"
	"time"

	"ringmaster/internal/testkit"
	"ringmaster/pool"
	"ringmaster/shard"
)

// largeNodes is how many primaries the large cluster has.
const largeNodes = 500

// simulateNodes answers OK to every command, at the same port of every loopback address.
func simulateNodes(b *testing.B) (port int) {
	l, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				buf := make([]byte, 4096)
				for {
					n, err := c.Read(buf)
					if err != nil {
						return
					}
					frames := bytes.Count(append([]byte("\n"), buf[:n]...), []byte("\n*"))
					if _, err := c.Write(bytes.Repeat([]byte("+OK\r\n"), frames)); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

// largeGroups returns the groups of a large cluster. Nodes for which moved is true have another address.
func largeGroups(port int, moved func(node int) bool) []shard.Group {
	groups := make([]shard.Group, largeNodes)
	for i, slots := range testkit.Scattered(largeNodes) {
		net := 1
		if moved(i) {
			net = 2
		}
		addr := fmt.Sprintf("127.%d.%d.%d:%d", net, i/250, i%250+1, port)
		groups[i].Primary = shard.Server{Name: addr, Addr: addr, Weight: 1}
		for _, slot := range slots {
			groups[i].Slots = append(groups[i].Slots, shard.SlotRange{First: slot, Last: slot})
		}
	}
	return groups
}

// cpu returns the CPU time of the loop's thread so far. Loop-only.
func cpu() time.Duration {
	const thisThread = 1 // RUSAGE_THREAD
	var u syscall.Rusage
	if err := syscall.Getrusage(thisThread, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkFollow measures the cost of a new map of a large cluster for a loop, with sockets to simulated nodes: the
// turn in which the map comes, and the many turns until every connection is ready.
func BenchmarkFollow(b *testing.B) {
	for _, bc := range []struct {
		name  string
		moved func(node int) bool
	}{
		{"nothing changed", func(int) bool { return false }},
		{"one primary changed", func(node int) bool { return node == 7 }},
		{"a fiftieth changed", func(node int) bool { return node%50 == 7 }},
		{"all changed", func(int) bool { return true }},
	} {
		b.Run(bc.name, func(b *testing.B) {
			port := simulateNodes(b)
			groups := [][]shard.Group{largeGroups(port, func(int) bool { return false }), largeGroups(port, bc.moved)}
			var numbers shard.Numbers
			m, err := numbers.Map(groups[0])
			if err != nil {
				b.Fatal(err)
			}
			srv, err := Start(Config{
				Loops: 1, LockThread: true, Logger: slog.New(slog.DiscardHandler),
				Upstreams: []Upstream{{Name: "default", Map: m, Pool: pool.Config{
					Connections: 1, Cluster: true, ProveMulti: true, DialTimeout: 10 * time.Second, Timeout: time.Second, StallTimeout: time.Minute,
					BackoffMin: 10 * time.Millisecond, BackoffMax: time.Second, MaxPending: 1000, MaxPendingBytes: 1 << 20,
				}}},
			})
			if err != nil {
				b.Fatal(err)
			}
			defer func() {
				if err := srv.Shutdown(b.Context()); err != nil {
					b.Error(err)
				}
			}()
			l := srv.loops[0]
			onLoop(b, l, func() { l.upstreams[0].pool.Rings(pool.Key{Proto: 3}) }) // a RESP3 client is there, too
			ready := func() {
				testkit.Until(b, "connections to all nodes", func() (up bool) {
					onLoop(b, l, func() {
						up = true
						for _, r := range []*pool.Rings{l.upstreams[0].pool.Rings(pool.Key{Proto: 2}), l.upstreams[0].pool.Rings(pool.Key{Proto: 3})} {
							for _, i := range l.upstreams[0].env.Map.Shards() {
								up = up && r.Pick(i, 0).State() == pool.Ready
							}
						}
					})
					return up
				})
			}
			ready()
			var turn, all time.Duration
			n := 0
			for ; b.Loop(); n++ {
				m, err := numbers.Map(groups[(n+1)%2])
				if err != nil {
					b.Fatal(err)
				}
				var before time.Duration
				onLoop(b, l, func() {
					before = cpu()
					l.upstreams[0].pool.Follow(m)
					l.upstreams[0].env.Follow(m)
					l.flush()
					turn += cpu() - before
				})
				ready()
				onLoop(b, l, func() { all += cpu() - before })
			}
			b.ReportMetric(turn.Seconds()*1e6/float64(n), "µs/turn")
			b.ReportMetric(all.Seconds()*1e6/float64(n), "µs/all")
		})
	}
}
