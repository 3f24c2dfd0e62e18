package e2e

import (
	"strings"
	"syscall"
	"testing"

	"ringmaster/internal/testkit"
)

// TestClientsThatWaitAreToldThatTheProxyStops has clients wait in each kind of blocking command, over one server and over three.
func TestClientsThatWaitAreToldThatTheProxyStops(t *testing.T) {
	const stopped = "-ERR the proxy is shutting down; the command was waiting and did not run\r\n"
	for _, shards := range []int{1, 3} {
		var addrs []string
		var servers []*testkit.Conn
		for range shards {
			s := testkit.Redis(t)
			servers, addrs = append(servers, testkit.Dial(t, s.Addr)), append(addrs, s.Addr)
		}
		proxy := testkit.Proxy(t, addrs)
		admin := testkit.Dial(t, proxy.Addr)
		admin.Do("XGROUP", "CREATE", "{k}s", "g", "$", "MKSTREAM")
		waits := []string{
			"BLPOP {k}a 0", "BRPOP {k}a {k}b 0", "BLMOVE {k}a {k}b LEFT RIGHT 0", "BRPOPLPUSH {k}a {k}b 0", "BLMPOP 0 1 {k}a LEFT",
			"BZPOPMIN {k}z 0", "BZPOPMAX {k}z 0", "BZMPOP 0 1 {k}z MIN", "XREAD BLOCK 0 STREAMS {k}s $",
			"XREADGROUP GROUP g c BLOCK 0 STREAMS {k}s >", "WAIT 1 0",
		}
		var clients []*testkit.Conn
		for _, w := range waits {
			c := testkit.Dial(t, proxy.Addr)
			c.Send(req("SET {k}w 1") + req(w))
			clients = append(clients, c)
		}
		want := float64(len(waits))
		testkit.Until(t, "all to wait", func() bool {
			n := 0
			for _, s := range servers {
				n += strings.Count(s.Do("CLIENT", "LIST"), " flags=b")
			}
			return n == len(waits)-1+shards && proxy.Metric(t, "ringmaster_clients_connected") == want+1
		})
		proxy.Signal(syscall.SIGTERM)
		for i, c := range clients {
			if got, err := c.Rest(); err != nil || got != "+OK\r\n"+stopped {
				t.Errorf("%d shards, %s: %q, %v", shards, waits[i], got, err)
			}
		}
		if code := proxy.ExitCode(t, testkit.Patience); code != 0 {
			t.Errorf("exit code %d", code)
		}
		for _, s := range servers {
			if got := s.Do("LPUSH", "{k}a", "x") + s.Do("LLEN", "{k}a"); got != ":1\r\n:1\r\n" {
				t.Errorf("%d shards: somebody still waits: %q", shards, got)
			}
		}
	}
}

// TestWhatIsPoppedWhileTheProxyStopsIsNotLost pushes while clients wait and the proxy stops: every element is at a client, or still
// in its list where the client was told that nothing ran.
func TestWhatIsPoppedWhileTheProxyStopsIsNotLost(t *testing.T) {
	server := testkit.Redis(t)
	pusher := testkit.Dial(t, server.Addr)
	for round := range 5 {
		proxy := testkit.Proxy(t, []string{server.Addr})
		pusher.Do("FLUSHALL")
		const n = 50
		var clients []*testkit.Conn
		for i := range n {
			c := testkit.Dial(t, proxy.Addr)
			c.Send(testkit.Request("BLPOP", "l"+string(rune('0'+i%10))+string(rune('0'+i/10)), "0"))
			clients = append(clients, c)
		}
		testkit.Until(t, "all to wait", func() bool { return strings.Contains(pusher.Do("INFO", "clients"), "blocked_clients:50") })
		var pushes strings.Builder
		for i := range n {
			pushes.WriteString(testkit.Request("RPUSH", "l"+string(rune('0'+i%10))+string(rune('0'+i/10)), "x"))
		}
		first := pushes.Len() / n * (round * n / 5)
		pusher.Send(pushes.String()[:first])
		proxy.Signal(syscall.SIGTERM)
		testkit.Until(t, "the proxy to stop", func() bool { return !testkit.Answers(proxy.Addr) })
		pusher.Send(pushes.String()[first:])
		for range n {
			pusher.Read1()
		}
		popped, told := 0, 0
		for i, c := range clients {
			key := "l" + string(rune('0'+i%10)) + string(rune('0'+i/10))
			got, err := c.Rest()
			left := pusher.Do("LLEN", key)
			switch {
			case err == nil && got == "*2\r\n$3\r\n"+key+"\r\n$1\r\nx\r\n" && left == ":0\r\n":
				popped++
			case err == nil && strings.HasSuffix(got, "did not run\r\n") && left == ":1\r\n":
				told++
			case err == nil && strings.HasSuffix(got, "may have run\r\n"):
			default:
				t.Errorf("round %d, %s: the client got %q, %v, and %q are left", round, key, got, err, left)
			}
		}
		t.Logf("round %d: %d popped, %d told that nothing ran", round, popped, told)
	}
}
