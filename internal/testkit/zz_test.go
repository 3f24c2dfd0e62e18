package testkit

import (
	"testing"
	"time"
	"os"
)

func TestZZBackAndForth(t *testing.T) {
	c := StartCluster(t, 3, 0)
	key := "h13477" // slot 3
	c.Must(t, c.Nodes[0], "SET", key, "v")
	stop := make(chan struct{})
	defer close(stop)
	for range 6 { // load, on all nodes
		go func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				for _, n := range c.Nodes {
					c.Ask(n, "CLUSTER", "SHARDS")
				}
			}
		}()
	}
	at, moves := 0, 0
	began := time.Now()
	for time.Since(began) < 60*time.Second {
		to := 1 - at
		if os.Getenv("ZZCLI") != "" {
			c.Reshard(t, 4, c.Nodes[at], c.Nodes[to])
		} else {
			c.MoveSlots(t, 0, 3, c.Nodes[at], c.Nodes[to])
			c.WaitOK(t)
		}
		moves++
		at = to
		v, err := c.Ask(c.Nodes[to], "GET", key)
		if err != nil || v.Text != "v" {
			t.Fatalf("after %d moves in %v: %v %v\n%s", moves, time.Since(began), v, err, c.views())
		}
	}
	t.Logf("%d moves", moves)
}
