package e2e

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

// reloading is a proxy whose file of settings changes.
type reloading struct {
	*testkit.Server
	t *testing.T
}

// startReloading starts a proxy with a file in which ADDR is its first address. Flags of the test kit's stay over the file.
func startReloading(t *testing.T, text string, flags ...string) *reloading {
	t.Helper()
	r := &reloading{t: t}
	r.Server = testkit.ProxyWith(t, testkit.ProxyOptions{Flags: flags, Settings: func(addr string) string { return strings.ReplaceAll(text, "ADDR", addr) }})
	return r
}

// text is a text with the proxy's first address in place of ADDR.
func (r *reloading) text(text string) string { return strings.ReplaceAll(text, "ADDR", r.Addr) }

// reload writes the file, has it read again, and returns what comes of it.
func (r *reloading) reload(text string) testkit.Reloaded {
	r.t.Helper()
	return r.TryReload(r.t, r.text(text))
}

// mustReload reloads, and says which settings changed.
func (r *reloading) mustReload(text string) (changed []string) {
	r.t.Helper()
	return r.Reload(r.t, r.text(text)).Changed
}

// do says what the proxy answers on a connection of its own.
func do(t *testing.T, addr string, words ...string) string {
	t.Helper()
	c := testkit.Dial(t, addr)
	defer c.Close()
	return c.Do(words...)
}

func TestListenersAndUpstreamsComeAndGoByReload(t *testing.T) {
	a, b := testkit.Redis(t), testkit.Redis(t)
	second := fmt.Sprintf("127.0.0.1:%d", testkit.FreePort(t))
	one := fmt.Sprintf("listeners:\n  - {address: ADDR, upstream: a}\nupstreams:\n  a: {servers: '%s'}\n", a.Addr)
	two := fmt.Sprintf("listeners:\n  - {address: ADDR, upstream: a}\n  - {address: '%s', upstream: b, deny-commands: [keys]}\nupstreams:\n  a: {servers: '%s'}\n  b: {servers: '%s'}\n",
		second, a.Addr, b.Addr)
	r := startReloading(t, one)
	stays := testkit.Dial(t, r.Addr)
	if got := stays.Do("SET", "k", "a"); got != "+OK\r\n" {
		t.Fatal(got)
	}
	for round := range 3 {
		if got, want := r.mustReload(two), []string{"listeners." + second, "upstreams.b"}; !slices.Equal(got, want) {
			t.Errorf("changed: %v, want %v", got, want)
		}
		leaves := testkit.Dial(t, second)
		if got := leaves.Do("SET", "k", "b"); got != "+OK\r\n" {
			t.Errorf("round %d: %q", round, got)
		}
		if got := leaves.Do("KEYS", "*"); !strings.HasPrefix(got, "-NOPERM ") {
			t.Errorf("KEYS: %q", got)
		}
		if got := do(t, r.Addr, "GET", "k"); got != "$1\r\na\r\n" {
			t.Errorf("%q", got)
		}
		r.mustReload(one)
		if got, err := leaves.Rest(); got != "" || err != nil {
			t.Errorf("the client of a listener that is gone: %q, %v", got, err)
		}
		if conn, err := net.Dial("tcp", second); err == nil {
			conn.Close()
			t.Error("the port of a listener that is gone is open")
		}
		if got := stays.Do("GET", "k"); got != "$1\r\na\r\n" {
			t.Errorf("the other's client: %q", got)
		}
	}
	if got := r.Metric(t, "ringmaster_config_generation"); got != 7 {
		t.Errorf("generation %v", got)
	}
}

func TestAFileWithAMistakeChangesNothing(t *testing.T) {
	server, locked := testkit.Redis(t), testkit.Redis(t, "--requirepass", "secret")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	text := fmt.Sprintf("listeners:\n  - {address: ADDR, upstream: a}\nupstreams:\n  a: {servers: '%s'}\n", server.Addr)
	r := startReloading(t, text)
	before := r.Metric(t, "ringmaster_config_hash")
	for name, c := range map[string]struct{ text, want string }{
		"a word":             {text + "max-in-flight: none\n", "/ringmaster.yaml:5: max-in-flight: "},
		"an address":         {strings.Replace(text, "upstreams:", "  - {address: '"+taken.Addr().String()+"', upstream: a}\nupstreams:", 1), "listeners[1].address: cannot listen on "},
		"a password":         {text + "  b: {servers: '" + locked.Addr + "', password: wrong}\n", "upstreams.b.password: server " + locked.Addr + " refuses this login: it answered "},
		"servers of nowhere": {text + "  b: {servers: '127.0.0.1:1', topology: cluster}\n", "upstreams.b.servers: upstream b: cannot find the cluster"},
	} {
		got := r.reload(c.text + "idle-timeout: 1h\n")
		if got.Status != http.StatusUnprocessableEntity || len(got.Problems) != 1 || !strings.Contains(got.Problems[0], c.want) {
			t.Errorf("%s: %+v", name, got)
		}
		if r.Metric(t, "ringmaster_config_hash") != before || r.Metric(t, "ringmaster_config_reload_success") != 0 {
			t.Errorf("%s: something has changed", name)
		}
		if got := do(t, r.Addr, "SET", "k", name); got != "+OK\r\n" {
			t.Errorf("%s: %q", name, got)
		}
	}
	r.mustReload(text + "idle-timeout: 1h\n")
	if r.Metric(t, "ringmaster_config_hash") == before || r.Metric(t, "ringmaster_config_reload_success") != 1 {
		t.Error("the mistake has stayed")
	}
}

func TestADeniedCommandCountsForWhoIsConnected(t *testing.T) {
	text := fmt.Sprintf("listen: ADDR\nupstream: '%s'\n", testkit.Redis(t).Addr)
	r := startReloading(t, text)
	c := testkit.Dial(t, r.Addr)
	for range 3 {
		if got := c.Do("KEYS", "*"); got != "*0\r\n" {
			t.Errorf("allowed: %q", got)
		}
		r.mustReload(text + "deny-commands: keys\n")
		if got := c.Do("KEYS", "*"); !strings.HasPrefix(got, "-NOPERM ") {
			t.Errorf("denied: %q", got)
		}
		r.mustReload(text)
	}
}

func TestWhatNeedsARestartIsNamedAtEachReload(t *testing.T) {
	text := fmt.Sprintf("listen: ADDR\nupstream: '%s'\n", testkit.Redis(t).Addr)
	r := startReloading(t, text)
	for range 2 {
		got := r.reload(text + "poll: level\n")
		if !slices.Equal(got.NeedsRestart, []string{"poll"}) || len(got.Changed) != 0 || got.Generation != 1 {
			t.Errorf("%+v", got)
		}
	}
}

func TestAClientsPasswordChangesForTheNextLogin(t *testing.T) {
	text := fmt.Sprintf("listen: ADDR\nupstream: '%s'\npassword: ", testkit.Redis(t).Addr)
	r := startReloading(t, text+"old\n")
	c := testkit.Dial(t, r.Addr)
	if got := c.Do("AUTH", "old"); got != "+OK\r\n" {
		t.Fatal(got)
	}
	r.mustReload(text + "new\n")
	if got := c.Do("SET", "k", "v"); got != "+OK\r\n" {
		t.Errorf("who is logged in: %q", got)
	}
	if got := do(t, r.Addr, "AUTH", "old"); !strings.HasPrefix(got, "-WRONGPASS ") {
		t.Errorf("the old one: %q", got)
	}
	if got := do(t, r.Addr, "AUTH", "new"); got != "+OK\r\n" {
		t.Errorf("the new one: %q", got)
	}
	if strings.Contains(r.Log(), "password=") || !strings.Contains(r.Log(), "changed=[password]") {
		t.Errorf("%s", r.Log())
	}
}
