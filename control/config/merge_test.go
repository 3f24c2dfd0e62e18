package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// merged merges what two files say.
func merged(t *testing.T, running, file string) *Merged {
	t.Helper()
	return mustLoadText(t, running).Merge(mustLoadText(t, file))
}

func TestWhatAReloadChanges(t *testing.T) {
	dir := t.TempDir()
	secret := func(name, word string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(word+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	one, same, other := secret("one", "x"), secret("same", "x"), secret("other", "y")
	for name, c := range map[string]struct {
		running, file, changed, restart string
	}{
		"nothing":                     {"upstream: a:1", "upstream: a:1", "", ""},
		"the same written otherwise":  {"upstream: a:1\ntimeout: 5s\nquery-buffer-limit: 1gb", "upstream: 'a:1:1'\ntimeout: 5000ms\nquery-buffer-limit: 1024mb", "", ""},
		"flat and in objects":         {"upstream: a:1\nlisten: '127.0.0.1:1'", "listeners: [{address: '127.0.0.1:1'}]\nupstreams: {default: {servers: 'a:1'}}", "", ""},
		"of the process":              {"upstream: a:1", "upstream: a:1\nmax-clients: 7\nloops: 3\nadmin: '127.0.0.1:9'", "max-clients", "admin loops"},
		"flat, for two listeners":     {"upstream: a:1\nlisten: ['127.0.0.1:1', '127.0.0.1:2']", "upstream: a:1\nlisten: ['127.0.0.1:1', '127.0.0.1:2']\nidle-timeout: 1s", "idle-timeout", ""},
		"flat addresses":              {"upstream: a:1\nlisten: ['127.0.0.1:1', '127.0.0.1:2']", "upstream: a:1\nlisten: ['127.0.0.1:1', '127.0.0.1:3']", "listen", ""},
		"an upstream's own":           {"upstreams: {a: {servers: 'a:1'}, b: {servers: 'b:1'}}\nlisteners: [{address: ':1', upstream: a, password: x}]", "upstreams: {a: {servers: 'a:1'}, b: {servers: 'b:1', timeout: 1s, username: u, password: p}}\nlisteners: [{address: ':1', upstream: a, password: x}]", "upstreams.b.password upstreams.b.timeout upstreams.b.username", ""},
		"objects come and go":         {"upstreams: {a: {servers: 'a:1'}}\nlisteners: [{address: '127.0.0.1:1', name: x}]", "upstreams: {b: {servers: 'a:1'}}\nlisteners: [{address: '127.0.0.1:1', name: y}]", "listeners.x listeners.y upstreams.a upstreams.b", ""},
		"a listener moves":            {"upstreams: {a: {servers: 'a:1'}, b: {servers: 'b:1'}}\nlisteners: [{address: '127.0.0.1:1', name: x, upstream: a}]", "upstreams: {a: {servers: 'a:1'}, b: {servers: 'b:1'}}\nlisteners: [{address: '127.0.0.1:2', name: x, upstream: b}]", "listeners.x.address listeners.x.upstream", ""},
		"one server to two":           {"upstream: a:1", "upstream: a:1,b:1", "topology upstream", ""},
		"servers found otherwise":     {"upstream: a:1", "upstream: a:1\ntopology: cluster\ntimeout: 1s", "", "timeout topology"},
		"a placement":                 {"upstream: a:1,b:1", "upstream: a:1,b:1\nhash: md5\ndistribution: modula\nhash-tag: '{}'", "distribution hash hash-tag", ""},
		"a placement under sentinel":  {"upstream: a:1\ntopology: sentinel\nsentinel-masters: m", "upstream: a:1\ntopology: sentinel\nsentinel-masters: m\nhash: md5", "", "hash"},
		"masters":                     {"upstream: a:1\ntopology: sentinel\nsentinel-masters: m", "upstream: a:1\ntopology: sentinel\nsentinel-masters: [m, n]", "", "sentinel-masters"},
		"reads to replicas":           {"upstream: a:1", "upstream: a:1\nread-policy: any", "", "read-policy"},
		"reads among replicas":        {"upstream: a:1\nread-policy: replica", "upstream: a:1\nread-policy: any", "read-policy", ""},
		"a password file's word":      {"upstream: a:1\npassword-file: " + one, "upstream: a:1\npassword-file: " + other, "password-file", ""},
		"a password file's name only": {"upstream: a:1\npassword-file: " + one, "upstream: a:1\npassword-file: " + same, "", ""},
		"a password from its file":    {"upstream: a:1\npassword-file: " + one, "upstream: a:1\npassword: x", "", ""},
		"a password that goes":        {"upstream: a:1\npassword-file: " + one, "upstream: a:1", "password", ""},
	} {
		m := merged(t, c.running, c.file)
		if diff := cmp.Diff([]string{c.changed, c.restart}, []string{strings.Join(m.Changed, " "), strings.Join(m.NeedsRestart, " ")}); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func TestWhatNeedsARestartKeepsItsValueAndIsNamedAgain(t *testing.T) {
	running := mustLoadText(t, "upstream: a:1\nloops: 2")
	file := mustLoadText(t, "upstream: b:1,c:1\nloops: 3\ntimeout: 7s\nread-policy: any\nupstream-connections: 4")
	first := running.Merge(file)
	u := first.Config.Upstreams[0]
	if first.Config.Loops != 2 || u.UpstreamConnections != 1 || u.ReadPolicy != running.ReadPolicy || u.Timeout.Seconds() != 7 || len(u.Config.Upstream) != 2 {
		t.Errorf("%+v", first.Config)
	}
	second := first.Config.Merge(file)
	if len(second.Changed) > 0 || cmp.Diff(first.NeedsRestart, second.NeedsRestart) != "" || len(second.NeedsRestart) != 3 {
		t.Errorf("%v, then %v", first, second)
	}
	if running.Loops != 2 || file.Loops != 3 || file.Upstreams[0].UpstreamConnections != 4 {
		t.Error("what was merged has changed")
	}
	if tree := first.Config.Tree(); !strings.Contains(tree, "loops: 2") || !strings.Contains(tree, "    connections: 1 ") {
		t.Error(tree)
	}
}

// TestAnUpstreamWhoseServersAreFoundOtherwiseStaysAsItIs: otherwise the proxy would ask the servers' addresses as if
// they were sentinels.
func TestAnUpstreamWhoseServersAreFoundOtherwiseStaysAsItIs(t *testing.T) {
	m := merged(t, "upstream: s:1\ntopology: sentinel\nsentinel-masters: m", "upstream: a:1,b:1\ntimeout: 1s")
	u := m.Config.Upstreams[0]
	if u.Topology != Sentinel || u.Config.Upstream[0].Addr != "s:1" || len(u.SentinelMasters) != 1 || m.Upstreams["default"] {
		t.Errorf("%+v", u)
	}
	if m.Config.Listeners[0].ClusterFacade {
		t.Error("clients see a cluster in front of one server")
	}
}

func TestTheDigestIsOfValues(t *testing.T) {
	digest := func(text string) uint64 { return mustLoadText(t, text).Digest() }
	const text = "upstreams: {a: {servers: 'a:1'}, b: {servers: 'b:1'}}\nlisteners: [{address: '127.0.0.1:1', upstream: a}]\npassword: x\n"
	if a, b := digest(text), digest("# the same\ntimeout: 5000ms\nupstreams: {b: {servers: 'b:1'}, a: {servers: 'a:1'}}\nlisteners: [{address: '127.0.0.1:1', upstream: a}]\npassword: y\n"); a != b {
		t.Errorf("%d and %d", a, b)
	}
	if d := digest(text); d == 0 || d >= 1<<53 {
		t.Errorf("%d", d)
	}
	for _, other := range []string{"timeout: 6s\n", "max-clients: 3\n", "idle-timeout: 1s\n"} {
		if digest(text) == digest(text+other) {
			t.Errorf("%s does not count", other)
		}
	}
	if digest(text) == digest(strings.ReplaceAll(text, "upstream: a", "upstream: b")) {
		t.Error("where a listener leads does not count")
	}
}
