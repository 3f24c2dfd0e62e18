package eventloop

import (
	"fmt"
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

// TestLargeRequestsAndRepliesArriveWhole: several chunks are written to a server at once, and replies from the read buffer, also where a
// socket takes only a part of them.
func TestLargeRequestsAndRepliesArriveWhole(t *testing.T) {
	const clients, requests = 10, 100
	for _, servers := range []int{1, 2} {
		t.Run(fmt.Sprintf("%d servers", servers), func(t *testing.T) {
			var addrs []string
			for range servers {
				addrs = append(addrs, echoing(t).Addr)
			}
			p := start(t, newConfig(t, addrs...))
			key := func(client, n int) string {
				return strings.Repeat(fmt.Sprintf("client%dkey%d.", client, n), []int{1, 1500, 2000, 15000}[n%4])
			}
			var conns []*testkit.Conn
			for i := range clients {
				dial := p.dial
				if i%2 == 0 {
					dial = p.dialSlow
				}
				c := dial()
				conns = append(conns, c)
				go func() {
					for n := range requests {
						if c.SendBytes([]byte(get(key(i, n)))) != nil {
							return // the test has ended
						}
					}
				}()
			}
			for i, c := range conns {
				for n := range requests {
					if got, want := c.Read1(), bulk(key(i, n)); got != want {
						t.Fatalf("client %d, reply %d: %d bytes, %.40q, not %d, %.40q", i, n, len(got), got, len(want), want)
					}
				}
			}
		})
	}
}
