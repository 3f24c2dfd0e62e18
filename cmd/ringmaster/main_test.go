package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ringmaster/control/process"
	"ringmaster/control/topology"
	"ringmaster/eventloop"
	"ringmaster/pool"
	"ringmaster/shard"
	"ringmaster/stats"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fakePlane is a data plane that accepts nothing and stops on request.
type fakePlane struct {
	config   eventloop.Config
	apply    func(p eventloop.Plan) error
	shutdown func(ctx context.Context) error
}

func (f *fakePlane) Snapshot(context.Context) ([]stats.Loop, error) { return nil, nil }
func (f *fakePlane) Ready(context.Context) error                    { return nil }

func (f *fakePlane) Handshakes(string) (n [stats.TLSResults]uint64) { return n }
func (f *fakePlane) Upstream(string) topology.Data                  { return f }

func (f *fakePlane) Apply(_ context.Context, p eventloop.Plan) error { return f.apply(p) }
func (f *fakePlane) Follow(*shard.Map)                               {}
func (f *fakePlane) Judge(pool.Health)                               {}

func (f *fakePlane) Shutdown(ctx context.Context) error {
	for _, l := range f.config.Listeners {
		l.Close()
	}
	if f.shutdown != nil {
		return f.shutdown(ctx)
	}
	return nil
}

// output is a buffer that two goroutines may use.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// commandLine runs a command line to its end and returns its exit status and output.
func commandLine(t *testing.T, start process.Starter, args ...string) (int, string, string) {
	t.Helper()
	var stdout, stderr output
	root := newRoot(start)
	root.SetOut(&stdout)
	code := execute(root, args, &stderr)
	return code, stdout.String(), stderr.String()
}

func neverStart(eventloop.Config) (process.Plane, error) { return nil, errors.New("started") }

func TestHelpTexts(t *testing.T) {
	for name, args := range map[string][]string{
		"help": {"--help"}, "help-demo": {"demo", "--help"}, "help-check": {"help", "check"}, "help-version": {"version", "-h"},
	} {
		code, stdout, stderr := commandLine(t, neverStart, args...)
		if code != exitOK || stderr != "" {
			t.Errorf("%s: exit %d, %s", name, code, stderr)
		}
		path := filepath.Join("testdata", name+".txt")
		if *update {
			if err := os.WriteFile(path, []byte(stdout), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), stdout); diff != "" {
			t.Errorf("%s differs; if it is meant to, run go test ./cmd/ringmaster -update\n%s", path, diff)
		}
		for _, line := range strings.Split(stdout, "\n") {
			if len(line) > helpWidth {
				t.Errorf("%s: wider than %d columns: %s", name, helpWidth, line)
			}
		}
	}
}

func TestWrongCommandLines(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.yaml")
	if err := os.WriteFile(file, []byte("upstream: a:1\ntimeuot: 5s\nloops: 0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"":                    "ringmaster: upstream: no server is given; want --upstream HOST:PORT[,HOST:PORT...], or \"upstream:\" in the file that --config names\n",
		"dmo":                 "ringmaster: unknown command or argument \"dmo\"; did you mean \"demo\"?\nSee ringmaster --help.\n",
		"check extra":         "ringmaster: unknown command or argument \"extra\"\nSee ringmaster check --help.\n",
		"127.0.0.1:6379":      "ringmaster: unknown command or argument \"127.0.0.1:6379\"; did you mean --upstream 127.0.0.1:6379?\nSee ringmaster --help.\n",
		"check /etc/x.yaml":   "ringmaster: unknown command or argument \"/etc/x.yaml\"; did you mean --config /etc/x.yaml?\nSee ringmaster check --help.\n",
		"demo 127.0.0.1:6379": "ringmaster: unknown command or argument \"127.0.0.1:6379\"\nSee ringmaster demo --help.\n",
		"--pprof yes":         "ringmaster: unknown command or argument \"yes\"; write the value of an on/off flag after =, as in --protected-mode=false\nSee ringmaster --help.\n",
		"--lisen 127.0.0.1:1": "ringmaster: unknown flag: --lisen; did you mean \"--listen\"?\nSee ringmaster --help.\n",
		"--timeout":           "ringmaster: flag needs an argument: --timeout\nSee ringmaster --help.\n",
		"demo --upstream a:1": "ringmaster: unknown flag: --upstream\nSee ringmaster demo --help.\n",
		"--upstream redis://bob:secret@h:1": "ringmaster: invalid argument \"redis://***@h:1\" for \"--upstream\" flag: server \"redis://***@h:1\" is a URL; write h:1, " +
			"and give the user and the password with --upstream-username and --upstream-password-file\nSee ringmaster --help.\n",
		"--poll kqueue":        "ringmaster: invalid argument \"kqueue\" for \"--poll\" flag: want one of edge, level\nSee ringmaster --help.\n",
		"check --config FILE":  "ringmaster: FILE:2: unknown setting \"timeuot\"; did you mean \"timeout\"?\nringmaster: FILE:3: loops: \"0\": want auto, or a whole number from 1 to 256\n",
		"--config FILE":        "ringmaster: FILE:2: unknown setting \"timeuot\"; did you mean \"timeout\"?\nringmaster: FILE:3: loops: \"0\": want auto, or a whole number from 1 to 256\n",
		"check --config /none": "ringmaster: config: open /none: no such file or directory\n",
	} {
		code, _, stderr := commandLine(t, neverStart, strings.Fields(strings.ReplaceAll(args, "FILE", file))...)
		if want = strings.ReplaceAll(want, "FILE", file); code != exitSettings || stderr != want {
			t.Errorf("%s: exit %d\ngot  %swant %s", args, code, stderr, want)
		}
	}
}

func TestCheckSaysWhatItFoundRight(t *testing.T) {
	for args, want := range map[string]string{
		"check --upstream a:1": "settings: ok, 1 server behind 127.0.0.1:6380\n",
		"check --upstream a:1,b:2 --listen unix:///x --hash md5": "settings: ok, 2 servers (ketama, md5) behind unix:///x\n",
		"check --upstream a:1,b:2 --topology cluster":            "settings: ok, 2 nodes of a Redis Cluster to start from behind 127.0.0.1:6380\n",
		"check --upstream a:1 --read-policy any":                 "settings: ok, 1 server, read-policy any, behind 127.0.0.1:6380\n",
	} {
		if code, stdout, stderr := commandLine(t, neverStart, strings.Fields(args)...); code != exitOK || stdout != want || stderr != "" {
			t.Errorf("%s: exit %d, %q, %q", args, code, stdout, stderr)
		}
	}
}

func TestVersion(t *testing.T) {
	for _, arg := range []string{"version", "--version"} {
		if code, stdout, _ := commandLine(t, neverStart, arg); code != exitOK || stdout != versionLine()+"\n" {
			t.Errorf("%s: exit %d, %q", arg, code, stdout)
		}
	}
}

func TestCompletionOffersWords(t *testing.T) {
	_, stdout, _ := commandLine(t, neverStart, "__complete", "--poll", "")
	if !strings.HasPrefix(stdout, "edge\nlevel\n") {
		t.Errorf("%q", stdout)
	}
}

var free = []string{"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}

func TestRunsUntilASignalAndStopsClean(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		f := new(fakePlane)
		start := func(c eventloop.Config) (process.Plane, error) {
			f.config = c
			return f, syscall.Kill(os.Getpid(), sig)
		}
		var deadline bool
		f.shutdown = func(ctx context.Context) error { _, deadline = ctx.Deadline(); return nil }
		code, _, stderr := commandLine(t, start, append([]string{"--upstream", "a:1,b:2", "--timeout", "3s", "--password", "hunter2"}, free...)...)
		if code != exitOK || !strings.Contains(stderr, "msg=listening") || !strings.Contains(stderr, "msg=stopped") {
			t.Errorf("%v: exit %d: %s", sig, code, stderr)
		}
		if !deadline || f.config.Upstreams[0].Pool.Timeout != 3*time.Second || f.config.Upstreams[0].Map.Len() != 2 || f.config.Listeners[0].Policy.Open() {
			t.Errorf("%v: deadline %v, %+v", sig, deadline, f.config)
		}
		if strings.Contains(stderr, "hunter2") {
			t.Error("the password is in the log")
		}
	}
}

func TestAnExpiredDrainIsACleanStopWithAWarning(t *testing.T) {
	f := &fakePlane{shutdown: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
	start := func(c eventloop.Config) (process.Plane, error) {
		f.config = c
		return f, syscall.Kill(os.Getpid(), syscall.SIGTERM)
	}
	code, _, stderr := commandLine(t, start, append([]string{"--upstream", "a:1", "--drain-timeout", "1ms"}, free...)...)
	if code != exitOK || !strings.Contains(stderr, "level=WARN msg=\"stopped; drain-timeout ended") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

// TestSIGHUPHasTheFileReadAgain: flags still override the file, and the log uses its level.
func TestSIGHUPHasTheFileReadAgain(t *testing.T) {
	file := settingsFile(t, "upstream: a:1\nidle-timeout: 1s\nmax-in-flight: 7\n")
	f := new(fakePlane)
	start := func(c eventloop.Config) (process.Plane, error) {
		f.config = c
		if err := os.WriteFile(file, []byte("upstream: a:1\nidle-timeout: 2s\nmax-in-flight: 8\nlog-level: error\n"), 0o600); err != nil {
			t.Error(err)
		}
		return f, syscall.Kill(os.Getpid(), syscall.SIGHUP)
	}
	var plan eventloop.Plan
	f.apply = func(p eventloop.Plan) error {
		plan = p
		return syscall.Kill(os.Getpid(), syscall.SIGTERM)
	}
	code, _, stderr := commandLine(t, start, append([]string{"--config", file, "--max-in-flight", "9"}, free...)...)
	if code != exitOK || len(plan.Listeners) != 1 || plan.Listeners[0].Session.IdleTimeout != 2*time.Second || plan.Listeners[0].Session.MaxInFlight != 9 {
		t.Errorf("exit %d, %+v: %s", code, plan, stderr)
	}
	if strings.Contains(stderr, "msg=stopped") || !strings.Contains(stderr, "msg=listening") {
		t.Errorf("the level of the log did not change: %s", stderr)
	}
}

// TestSIGHUPWithoutAFileChangesNothing: it is refused, and the process goes on.
func TestSIGHUPWithoutAFileChangesNothing(t *testing.T) {
	f := new(fakePlane)
	start := func(c eventloop.Config) (process.Plane, error) {
		f.config = c
		return f, syscall.Kill(os.Getpid(), syscall.SIGHUP)
	}
	var stderr output
	root := newRoot(start)
	code := execute(root, append([]string{"--upstream", "a:1"}, free...), writerFunc(func(p []byte) {
		_, _ = stderr.Write(p)
		if strings.Contains(string(p), "--config") {
			_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
		}
	}))
	if log := stderr.String(); code != exitOK || !strings.Contains(log, "refused") || !strings.Contains(log, "msg=stopped") {
		t.Errorf("exit %d: %s", code, log)
	}
}

func TestAFailureToStartIsReported(t *testing.T) {
	code, _, stderr := commandLine(t, neverStart, append([]string{"--upstream", "a:1"}, free...)...)
	if code != exitFailed || stderr != "ringmaster: cannot start: started\n" {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

func TestAdminPortInUseIsAnErrorAtStart(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	code, _, stderr := commandLine(t, neverStart, "--upstream", "a:1", "--listen", "127.0.0.1:0", "--admin", l.Addr().String())
	want := "ringmaster: flag --admin: cannot listen on 127.0.0.1:" + port + ": address already in use; find what uses the port with `ss -ltnp sport = :" + port +
		"` and stop it, or choose another port\n"
	if code != exitFailed || stderr != want {
		t.Errorf("exit %d\ngot  %swant %s", code, stderr, want)
	}
}

func TestDemoSaysWhatToType(t *testing.T) {
	f := new(fakePlane)
	start := func(c eventloop.Config) (process.Plane, error) {
		f.config = c
		return f, syscall.Kill(os.Getpid(), syscall.SIGINT)
	}
	code, stdout, stderr := commandLine(t, start, append([]string{"demo"}, free...)...)
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	_, port, _ := net.SplitHostPort(f.config.Listeners[0].Addr().String())
	for _, want := range []string{
		"redis-cli -p " + port + " MSET red 1 green 2 blue 3", "redis-cli -p " + port + " MGET red green blue",
		"/dev/tcp/127.0.0.1/" + port, "/metrics", "Ctrl-C",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("missing: %s in\n%s", want, stdout)
		}
	}
	if f.config.Upstreams[0].Map.Len() != 3 {
		t.Errorf("%d shards", f.config.Upstreams[0].Map.Len())
	}
	for _, args := range [][]string{{"demo", "--password", "x"}, {"demo", "--listen", "unix://" + filepath.Join(t.TempDir(), "x.sock")}} {
		if _, stdout, stderr := commandLine(t, start, append(args, "--admin", "")...); strings.Contains(stdout, "/dev/tcp") || !strings.Contains(stdout, "redis-cli") {
			t.Errorf("%v: bash can't log in, nor open a socket of a path:\n%s%s", args, stdout, stderr)
		}
	}
}

func TestJSONLog(t *testing.T) {
	f := new(fakePlane)
	start := func(c eventloop.Config) (process.Plane, error) {
		f.config = c
		return f, syscall.Kill(os.Getpid(), syscall.SIGINT)
	}
	_, _, stderr := commandLine(t, start, append([]string{"--upstream", "a:1", "--log-format", "json"}, free...)...)
	for _, line := range strings.Split(strings.TrimSpace(stderr), "\n") {
		if !strings.HasPrefix(line, `{"time":`) {
			t.Errorf("not JSON: %s", line)
		}
	}
}
