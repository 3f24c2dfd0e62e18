package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ringmaster/control/process"
	"ringmaster/eventloop"
)

// settingsFile writes a file of settings.
func settingsFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "r.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const several = `
listeners:
  - {address: '127.0.0.1:0', name: public, upstream: cache, deny-commands: [graph.delete, keys]}
  - {address: 'unix:///x', upstream: main}
upstreams:
  cache: {servers: 'a:1,b:1', read-policy: any}
  main: {servers: 'c:1', topology: cluster}
`

func TestCheckListsSeveralUpstreamsAndListeners(t *testing.T) {
	for text, want := range map[string]string{
		several: "FILE: ok, 2 upstreams behind 2 listeners\n" +
			"upstream cache: 2 servers (ketama, fnv1a_64), read-policy any\n" +
			"upstream main: 1 node of a Redis Cluster to start from\n" +
			"listener public (127.0.0.1:0): upstream cache\n" +
			"listener unix:///x: upstream main\n" +
			"warning: deny-commands: ringmaster does not know graph.delete; denied on servers that do\n",
		"upstreams: {main: {servers: 'a:1'}}":                        "FILE: ok, 1 server behind 127.0.0.1:6380\n",
		"upstream: a:1\nlisten: ['127.0.0.1:1', '127.0.0.1:2']":      "FILE: ok, 1 server behind 127.0.0.1:1, 127.0.0.1:2\n",
		"upstream: a:1\nlisteners: [{address: ':0', password: x}]\n": "FILE: ok, 1 server behind :0\n",
		"upstream: a:1\nlisteners: [{address: '127.0.0.1:1'}, {address: '127.0.0.1:2', password: x}]\n": "FILE: ok, 1 upstream behind 2 listeners\n" +
			"upstream default: 1 server\nlistener 127.0.0.1:1: upstream default\nlistener 127.0.0.1:2: upstream default\n",
	} {
		file := settingsFile(t, text)
		code, stdout, stderr := commandLine(t, neverStart, "check", "--config", file)
		if got := strings.ReplaceAll(stdout, file, "FILE"); code != exitOK || got != want || stderr != "" {
			t.Errorf("%s: exit %d\ngot  %s\nwant %s%s", text, code, got, want, stderr)
		}
	}
}

func TestCheckPrintsWhatLoadsAgain(t *testing.T) {
	_, first, stderr := commandLine(t, neverStart, "check", "--print", "--config", settingsFile(t, several), "--timeout", "7s", "--password", "hunter2")
	if stderr != "" || strings.Contains(first, "hunter2") || strings.Count(first, "timeout: 7s  # flag --timeout\n") != 2 {
		t.Errorf("%s%s", first, stderr)
	}
	code, again, stderr := commandLine(t, neverStart, "check", "--print", "--config", settingsFile(t, first))
	if code != exitOK || strings.Count(again, "\n") != strings.Count(first, "\n") {
		t.Errorf("exit %d: %s\n%s\n%s", code, stderr, first, again)
	}
}

func TestEachUpstreamAndEachListenerHasItsSettings(t *testing.T) {
	f := new(fakePlane)
	start := func(c eventloop.Config) (process.Plane, error) {
		f.config = c
		return f, syscall.Kill(os.Getpid(), syscall.SIGINT)
	}
	file := settingsFile(t, `
timeout: 9s
listeners:
  - {address: '127.0.0.1:0', name: a, upstream: one, password: secret, tcp-keepalive: 7s}
  - {address: '127.0.0.1:0', name: b, upstream: two, deny-commands: [keys]}
upstreams:
  one: {servers: 'a:1,b:1', timeout: 3s}
  two: {servers: 'c:1', password: hunter2}
`)
	code, _, stderr := commandLine(t, start, "--config", file, "--admin", "127.0.0.1:0")
	if code != exitOK || strings.Contains(stderr, "hunter2") || strings.Contains(stderr, "secret") {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	one, two := f.config.Upstreams[0], f.config.Upstreams[1]
	if one.Name != "one" || one.Map.Len() != 2 || one.Pool.Timeout != 3*time.Second || !one.Session.Sharded {
		t.Errorf("one: %+v", one)
	}
	if two.Name != "two" || two.Map.Len() != 1 || two.Pool.Timeout != 9*time.Second || two.Pool.Password != "hunter2" {
		t.Errorf("two: %+v", two)
	}
	if a, b := f.config.Listeners[0], f.config.Listeners[1]; a.Upstream != 0 || a.KeepAlive != 7*time.Second || a.Policy.Open() || a.Session.DenyCommands != nil ||
		b.Upstream != 1 || !b.Policy.Open() || len(b.Session.DenyCommands) != 1 {
		t.Errorf("listeners: %+v, %+v", a, b)
	}
}
