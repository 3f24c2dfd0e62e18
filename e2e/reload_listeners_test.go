package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

// leavingWorld is a proxy with a listener that stays and two that a reload removes, with a server that the test can stop.
type leavingWorld struct {
	proxy  *testkit.Server
	server *testkit.Server
	stays  string
	leave  [2]string // TCP and a unix socket
}

// text are the settings; with has the listeners that leave in it.
func (w *leavingWorld) text(with bool, drain string) string {
	text := fmt.Sprintf("timeout: 1m\ndrain-timeout: %s\nupstreams: {main: {servers: ['%s'], timeout: 1m}}\nlisteners:\n  - {address: '%s', upstream: main}\n",
		drain, w.server.Addr, w.stays)
	if with {
		for _, addr := range w.leave {
			text += fmt.Sprintf("  - {address: '%s', upstream: main}\n", addr)
		}
	}
	return text
}

func startLeavingWorld(t *testing.T, drain string) *leavingWorld {
	t.Helper()
	w := &leavingWorld{server: testkit.Redis(t)}
	w.leave = [2]string{fmt.Sprintf("127.0.0.1:%d", testkit.FreePort(t)), "unix://" + filepath.Join(t.TempDir(), "s")}
	w.proxy = testkit.ProxyWith(t, testkit.ProxyOptions{Settings: func(addr string) string { w.stays = addr; return w.text(true, drain) }})
	return w
}

// waiting is how many clients wait in blocking commands at the server.
func (w *leavingWorld) waiting(c *testkit.Conn) string {
	return infoField(c, "clients", "blocked_clients")
}

// TestReloadListeners removes listeners whose clients are owed replies, or wait in BLPOP, and brings them back at once, again and again.
func TestReloadListeners(t *testing.T) {
	w := startLeavingWorld(t, "1m")
	direct := testkit.Dial(t, w.server.Addr)
	stays, waits := testkit.Dial(t, w.stays), testkit.Dial(t, w.stays)
	waits.Send(req("BLPOP stays 0"))
	const owed = 50
	for round := range 4 {
		var asks, blocked, idle []*testkit.Conn
		for _, addr := range w.leave {
			asks, blocked, idle = append(asks, testkit.Dial(t, addr)), append(blocked, testkit.Dial(t, addr)), append(idle, testkit.Dial(t, addr))
		}
		for i, c := range blocked {
			c.Send(req(fmt.Sprintf("SET before %d", i)) + req(fmt.Sprintf("BLPOP leaves:%d 0", i)) + req("SET after 1"))
		}
		for _, c := range append(append(asks, idle...), stays) {
			for range owed { // so that it may have as many under way
				if got := c.Do("SET", "red", "0"); got != "+OK\r\n" {
					t.Fatal(got)
				}
			}
		}
		testkit.Until(t, "three to wait", func() bool { return w.waiting(direct) == "3" })
		sent := w.proxy.Metric(t, "ringmaster_server_requests_total")
		w.server.Stop()
		for i, c := range asks {
			var pipeline strings.Builder
			for n := range owed {
				pipeline.WriteString(testkit.Request("INCRBY", fmt.Sprintf("count:%d:%d", round, i), fmt.Sprint(n+1)))
			}
			c.Send(pipeline.String())
		}
		testkit.Until(t, "the pipelines to be at the server", func() bool {
			return w.proxy.Metric(t, "ringmaster_server_requests_total") >= sent+2*owed
		})
		w.proxy.Reload(t, w.text(false, "1m"))
		for _, c := range idle {
			if got, err := c.Rest(); got != "" || err != nil {
				t.Errorf("round %d: a client that is owed nothing: %q, %v", round, got, err)
			}
		}
		w.refuse(t)
		w.proxy.Reload(t, w.text(true, "1m")) // the others have not gone yet
		w.server.Cont()
		for _, c := range asks {
			var want strings.Builder
			for n := range owed {
				fmt.Fprintf(&want, ":%d\r\n", (n+1)*(n+2)/2)
			}
			if got, err := c.Rest(); got != want.String() || err != nil {
				t.Errorf("round %d: a client that is owed %d replies got %d bytes of %d, %v: ...%q", round, owed, len(got), want.Len(), err, got[max(0, len(got)-80):])
			}
		}
		for _, c := range blocked {
			want := "+OK\r\n-ERR the proxy no longer listens on this address; the command was waiting and did not run\r\n"
			if got, err := c.Rest(); !strings.HasPrefix(got, want) || err != nil {
				t.Errorf("round %d: a client in BLPOP: %q, %v", round, got, err)
			}
		}
		for i, addr := range w.leave { // they are new ones
			if got := do(t, addr, "SET", "red", "1"); got != "+OK\r\n" {
				t.Errorf("round %d: listener %d is back: %q", round, i, got)
			}
		}
		if got := stays.Do("GET", "red"); got != "$1\r\n1\r\n" {
			t.Errorf("the listener that stays: %q", got)
		}
		testkit.Until(t, "only one to wait", func() bool { return w.waiting(direct) == "1" })
	}
	if got := stays.Do("RPUSH", "stays", "x"); got != ":1\r\n" {
		t.Error(got)
	}
	if got := waits.Read1(); got != "*2\r\n$5\r\nstays\r\n$1\r\nx\r\n" {
		t.Errorf("who waits at the listener that stays: %q", got)
	}
	if got := direct.Do("LLEN", "leaves:0") + direct.Do("EXISTS", "after"); got != ":0\r\n:0\r\n" {
		t.Errorf("what came after the BLPOP that did not run: %q", got)
	}
	w.proxy.Terminate(t, testkit.Patience)
	if _, err := os.Lstat(strings.TrimPrefix(w.leave[1], "unix://")); !os.IsNotExist(err) {
		t.Errorf("the unix socket has stayed: %v", err)
	}
}

// refuse checks that nobody can connect to the listeners that are gone.
func (w *leavingWorld) refuse(t *testing.T) {
	t.Helper()
	for _, addr := range w.leave {
		if c, err := testkit.Connect(addr); err == nil {
			c.Close()
			t.Errorf("%s accepts though it is gone", addr)
		}
	}
	if _, err := os.Lstat(strings.TrimPrefix(w.leave[1], "unix://")); !os.IsNotExist(err) {
		t.Errorf("the path of the unix socket that is gone: %v", err)
	}
}

// TestClientsOfAListenerThatIsGoneAreClosedInTime has a server that never answers.
func TestClientsOfAListenerThatIsGoneAreClosedInTime(t *testing.T) {
	w := startLeavingWorld(t, "300ms")
	stays := testkit.Dial(t, w.stays)
	stays.Do("SET", "red", "1")
	var asks []*testkit.Conn
	for _, addr := range w.leave {
		c := testkit.Dial(t, addr)
		c.Do("SET", "blue", "1")
		asks = append(asks, c)
	}
	w.server.Stop()
	defer w.server.Cont()
	for _, c := range asks {
		c.Send(req("GET blue"))
	}
	stays.Send(req("GET red"))
	testkit.Until(t, "three to wait for replies", func() bool { return w.proxy.Metric(t, "ringmaster_server_in_flight_requests") >= 3 })
	w.proxy.Reload(t, w.text(false, "300ms"))
	for _, c := range asks {
		if got, err := c.Rest(); err != nil || got != "" && !strings.HasPrefix(got, "-ERR the proxy no longer listens on this address") {
			t.Errorf("%q, %v", got, err)
		}
	}
	if n := w.proxy.Metric(t, "ringmaster_clients_closed_total", `reason="listener_closed"`); n != 2 {
		t.Errorf("%v clients were closed with their listeners", n)
	}
	w.server.Cont()
	if got := stays.Read1(); got != "$1\r\n1\r\n" {
		t.Errorf("the client that stays: %q", got)
	}
}

// TestAUnixSocketKeepsItsPath through reloads that change its rules or its name, and one that is refused.
func TestAUnixSocketKeepsItsPath(t *testing.T) {
	server := testkit.Redis(t)
	path := filepath.Join(t.TempDir(), "s")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	var first string
	text := func(rest, more string) string {
		return fmt.Sprintf("upstream: '%s'\nlisteners:\n  - {address: '%s'}\n  - {address: 'unix://%s'%s}\n", server.Addr, first, path, rest) + more
	}
	proxy := testkit.ProxyWith(t, testkit.ProxyOptions{Settings: func(addr string) string { first = addr; return text("", "") }})
	stays := testkit.Dial(t, "unix://"+path)
	for _, rest := range []string{", deny-commands: [get]", ", name: other", ", name: third, idle-timeout: 1h", ""} {
		if done := proxy.TryReload(t, text(rest, fmt.Sprintf("  - {address: '%s'}\n", taken.Addr()))); done.Status != http.StatusUnprocessableEntity {
			t.Errorf("a taken port: %+v", done)
		}
		if got := do(t, "unix://"+path, "PING"); got != "+PONG\r\n" {
			t.Errorf("after a reload that was refused: %q", got)
		}
		proxy.Reload(t, text(rest, ""))
		if got := do(t, "unix://"+path, "SET", "k", rest); got != "+OK\r\n" {
			t.Errorf("%q: %q", rest, got)
		}
		if strings.Contains(rest, "deny") {
			if got := stays.Do("GET", "k"); !strings.HasPrefix(got, "-NOPERM ") {
				t.Errorf("%q: %q", rest, got)
			}
		}
	}
	if got := do(t, first, "GET", "k"); got != "$0\r\n\r\n" {
		t.Errorf("the other listener: %q", got)
	}
	if code := proxy.Terminate(t, testkit.Patience); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the socket has stayed: %v", err)
	}
}
