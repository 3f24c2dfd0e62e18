package e2e

import (
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"ringmaster/internal/testkit"
)

// reloads are the counts of reloads of a proxy.
type reloadCounts struct{ generation, ok, refused, success float64 }

func reloadsOf(t *testing.T, proxy *testkit.Server) reloadCounts {
	t.Helper()
	return reloadCounts{
		proxy.Metric(t, "ringmaster_config_generation"), proxy.Metric(t, "ringmaster_config_reloads_total", `result="ok"`),
		proxy.Metric(t, "ringmaster_config_reloads_total", `result="error"`), proxy.Metric(t, "ringmaster_config_reload_success"),
	}
}

func TestReloadRefusesAMistake(t *testing.T) {
	server := testkit.Redis(t)
	second := fmt.Sprintf("127.0.0.1:%d", testkit.FreePort(t))
	var addr string
	text := func(servers, more string) string {
		return fmt.Sprintf(`# the first line
listeners:
  - {address: '%s', upstream: main, deny-commands: [append]}
  - {address: '%s', upstream: main}
upstreams:
  main:
    timeout: 2s
    servers:
      - '%s'
%s`, addr, second, server.Addr, servers) + more
	}
	proxy := testkit.ProxyWith(t, testkit.ProxyOptions{Settings: func(at string) string { addr = at; return text("", "") }})
	clients := []*testkit.Conn{testkit.Dial(t, addr), testkit.Dial(t, second)}
	served := func(when string) {
		t.Helper()
		for i, c := range append(clients, testkit.Dial(t, addr), testkit.Dial(t, second)) {
			want := []string{"-NOPERM ", ":"}[i%2]
			if got := c.Do("SET", "red", "1"); got != "+OK\r\n" {
				t.Errorf("%s: client %d: SET: %q", when, i, got)
			}
			if got := c.Do("APPEND", "red", "2"); !strings.HasPrefix(got, want) {
				t.Errorf("%s: client %d: APPEND: %q, want %s", when, i, got, want)
			}
		}
	}
	served("at first")
	before := reloadsOf(t, proxy)
	if (before != reloadCounts{1, 0, 0, 1}) {
		t.Fatalf("at first %+v", before)
	}
	taken := testkit.Redis(t) // somebody else's port
	file := proxy.SettingsFile()
	mistakes := []struct {
		name, text, want string
		checked          bool // the file is wrong by itself
	}{
		{"a server without a port", text("      - 'nonsense'\n", ""), file + ":10: upstreams.main.servers[1]", true},
		{"an unknown setting", text("", "timeuot: 1s\n"), file + `:10: unknown setting "timeuot"`, true},
		{"no YAML", text("", "{\n"), file + ":", true},
		{"no upstream of that name", strings.Replace(text("", ""), "upstream: main}", "upstream: other}", 1), file + ":4: listeners[1].upstream", true},
		{"an empty file", "", "upstream: no server is given", true},
		{"a taken port", strings.Replace(text("", ""), second, taken.Addr, 1), file + ":4: listeners[1].address", false},
	}
	for i, m := range mistakes {
		done := proxy.TryReload(t, m.text)
		if done.Status != http.StatusUnprocessableEntity || !slices.ContainsFunc(done.Problems, func(p string) bool { return strings.Contains(p, m.want) }) {
			t.Errorf("%s: %d, %q; want %q", m.name, done.Status, done.Problems, m.want)
		}
		proxy.Signal(syscall.SIGHUP)
		want := reloadCounts{1, 0, float64(2*i + 2), 0}
		testkit.Until(t, m.name+" to be refused on SIGHUP too", func() bool { return reloadsOf(t, proxy).refused >= want.refused })
		if got := reloadsOf(t, proxy); got != want {
			t.Errorf("%s: %+v, want %+v", m.name, got, want)
		}
		if log := lastRefused(proxy.Log()); !strings.Contains(strings.ReplaceAll(log, `\"`, `"`), m.want) {
			t.Errorf("%s: the log lacks %q: %s", m.name, m.want, log)
		}
		out, err := exec.Command(testkit.Ringmaster(t), "check", "--config", file).CombinedOutput()
		if exit, failed := err.(*exec.ExitError); failed != m.checked || failed && exit.ExitCode() != 2 || failed && !strings.Contains(string(out), m.want) {
			t.Errorf("%s: check says %v: %s", m.name, err, out)
		}
		served(m.name)
	}
	if done := proxy.Reload(t, text("", "")); len(done.Changed) != 0 || done.Generation != 1 {
		t.Errorf("the same file as at first: %+v", done)
	}
	done := proxy.Reload(t, text("", "max-clients: 77\n"))
	if !slices.Equal(done.Changed, []string{"max-clients"}) || done.Generation != 2 {
		t.Errorf("a right file: %+v", done)
	}
	if got, want := reloadsOf(t, proxy), (reloadCounts{2, 2, float64(2 * len(mistakes)), 1}); got != want {
		t.Errorf("at the end %+v, want %+v", got, want)
	}
	if n := proxy.Metric(t, "ringmaster_max_clients"); n != 77 {
		t.Errorf("max-clients is %v", n)
	}
	served("at the end")
}

// lastRefused is the last line of a log about a reload that was refused.
func lastRefused(log string) (last string) {
	for line := range strings.Lines(log) {
		if strings.Contains(line, "nothing has changed") {
			last = line
		}
	}
	return last
}

// TestTenHUPsAtOnce replaces the file between the signals. The last file must count, which the last of them asks for.
func TestTenHUPsAtOnce(t *testing.T) {
	server := testkit.Redis(t)
	var addr string
	text := func(n int) string {
		return fmt.Sprintf("listeners: [{address: '%s', proto-max-bulk-len: %dmb}]\nupstream: '%s'\nmax-clients: %d\n", addr, 1+n%7, server.Addr, n)
	}
	proxy := testkit.ProxyWith(t, testkit.ProxyOptions{Settings: func(at string) string { addr = at; return text(100) }})
	client := testkit.Dial(t, addr)
	const rounds, hups = 20, 10
	last := 100
	for round := range rounds {
		before := reloadsOf(t, proxy)
		for range hups {
			last++
			if err := proxy.WriteSettings(text(last)); err != nil {
				t.Fatal(err)
			}
			proxy.Signal(syscall.SIGHUP)
		}
		testkit.Until(t, fmt.Sprintf("the last file of round %d to count", round), func() bool {
			return proxy.Metric(t, "ringmaster_max_clients") == float64(last)
		})
		if got := client.Do("PING"); got != "+PONG\r\n" {
			t.Fatal(got)
		}
		after := reloadsOf(t, proxy) // one may still come, which changes nothing
		if grown := after.generation - before.generation; grown < 1 || grown > hups || after.ok-before.ok < grown || after.ok-before.ok > hups {
			t.Errorf("round %d: %+v, then %+v", round, before, after)
		}
	}
	done, err := proxy.PostReload()
	if err != nil || done.Status != http.StatusOK || len(done.Changed) != 0 || float64(done.Generation) != reloadsOf(t, proxy).generation {
		t.Errorf("nothing is left to change: %+v, %v", done, err)
	}
	if got := reloadsOf(t, proxy); got.refused != 0 || got.success != 1 {
		t.Errorf("%+v", got)
	}
	generation := 0 // of the line before: one reload after the other
	for line := range strings.Lines(proxy.Log()) {
		var n int
		if !strings.Contains(line, "settings reloaded") {
			continue
		}
		if _, err := fmt.Sscan(word(line, "generation=", " "), &n); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		changed := 1
		if strings.Contains(line, "changed=[]") {
			changed = 0
		}
		if generation != 0 && n != generation+changed {
			t.Errorf("generation %d comes after %d: %s", n, generation, line)
		}
		generation = n
	}
	if generation == 0 {
		t.Errorf("the log says nothing of reloads: %s", proxy.Log())
	}
}

// TestTenPostsAtOnce: whoever asks gets the answer of a reload that began after that.
func TestTenPostsAtOnce(t *testing.T) {
	server := testkit.Redis(t)
	var addr string
	text := func(n int) string {
		return fmt.Sprintf("listen: '%s'\nupstream: '%s'\nmax-clients: %d\n", addr, server.Addr, n)
	}
	proxy := testkit.ProxyWith(t, testkit.ProxyOptions{Settings: func(at string) string { addr = at; return text(100) }})
	type answer struct {
		done testkit.Reloaded
		err  error
	}
	const posts = 10
	answers := make(chan answer, posts)
	for i := range posts {
		if err := proxy.WriteSettings(text(101 + i)); err != nil {
			t.Fatal(err)
		}
		go func() {
			done, err := proxy.PostReload()
			answers <- answer{done, err}
		}()
	}
	var latest uint64
	for range posts {
		a := <-answers
		if a.err != nil || a.done.Status != http.StatusOK {
			t.Fatalf("%+v", a)
		}
		latest = max(latest, a.done.Generation)
	}
	if n := proxy.Metric(t, "ringmaster_max_clients"); n != 100+posts {
		t.Errorf("all are answered, and max-clients is %v", n)
	}
	if got := reloadsOf(t, proxy); got.generation != float64(latest) || got.success != 1 || got.ok < 1 || got.ok > posts {
		t.Errorf("%+v, the latest answer had generation %d", got, latest)
	}
}
