package process

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/spf13/pflag"

	"ringmaster/control/config"
	"ringmaster/control/topology"
	"ringmaster/eventloop"
	"ringmaster/internal/respclient"
	"ringmaster/pool"
	"ringmaster/shard"
	"ringmaster/stats"
)

// fakePlane is a data plane that accepts nothing, records its plans, and stops on request.
type fakePlane struct {
	config   eventloop.Config
	shutdown func(ctx context.Context) error
	plans    []eventloop.Plan
	apply    func(ctx context.Context) error
}

func (f *fakePlane) Snapshot(context.Context) ([]stats.Loop, error) { return nil, nil }
func (f *fakePlane) Ready(context.Context) error                    { return nil }
func (f *fakePlane) Handshakes(string) (n [stats.TLSResults]uint64) { return n }
func (f *fakePlane) Upstream(string) topology.Data                  { return f }
func (f *fakePlane) Follow(*shard.Map)                              {}
func (f *fakePlane) Judge(pool.Health)                              {}

func (f *fakePlane) Apply(ctx context.Context, p eventloop.Plan) error {
	f.plans = append(f.plans, p)
	if f.apply != nil {
		return f.apply(ctx)
	}
	return nil
}

func (f *fakePlane) Shutdown(ctx context.Context) error {
	for _, l := range f.config.Listeners {
		l.Close()
	}
	if f.shutdown != nil {
		return f.shutdown(ctx)
	}
	return nil
}

// fakeTopology is a topology that records its calls.
type fakeTopology struct {
	begun    topology.Config
	initial  *shard.Map
	prepared []topology.Config
	refuses  error
	commits  int
	aborts   int
	running  chan struct{} // closed when Run begins
	ended    chan struct{} // closed when Run ends
}

func newFakeTopology(_ context.Context, c topology.Config) (follower, error) {
	m := c.Fixed
	if m == nil {
		var err error
		if m, err = shard.New(shard.Config{Servers: []shard.Server{{Name: "n:1", Addr: "n:1", Weight: 1}}}); err != nil {
			return nil, err
		}
	}
	return &fakeTopology{begun: c, initial: m, running: make(chan struct{}), ended: make(chan struct{})}, nil
}

func (f *fakeTopology) Initial() *shard.Map                    { return f.initial }
func (f *fakeTopology) Discovered() bool                       { return f.begun.Fixed == nil }
func (f *fakeTopology) Hint()                                  {}
func (f *fakeTopology) Health() pool.Health                    { return nil }
func (f *fakeTopology) Names() []string                        { return nil }
func (f *fakeTopology) Counted() *stats.Topology               { return nil }
func (f *fakeTopology) ReplicaStats() map[string]stats.Replica { return nil }

func (f *fakeTopology) Describe([][]string) *topology.Description {
	return &topology.Description{Servers: []topology.Server{{Server: shard.Server{Addr: "n:1"}}}}
}

func (f *fakeTopology) Run(ctx context.Context, _ topology.Data) {
	close(f.running)
	<-ctx.Done()
	close(f.ended)
}

func (f *fakeTopology) Prepare(c topology.Config) (change, error) {
	if f.refuses != nil {
		return nil, f.refuses
	}
	f.prepared = append(f.prepared, c)
	return fakeChange{f, c.Fixed}, nil
}

type fakeChange struct {
	of *fakeTopology
	m  *shard.Map
}

func (c fakeChange) Map() *shard.Map { return c.m }
func (c fakeChange) Commit()         { c.of.commits++ }
func (c fakeChange) Abort()          { c.of.aborts++ }

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

// file is a file of settings that a test writes, and its loader.
type file struct {
	path   string
	loader config.Loader
}

func newFile(t *testing.T, text string) *file {
	t.Helper()
	f := &file{path: filepath.Join(t.TempDir(), "r.yaml")}
	f.loader.LookupEnv = func(string) (string, bool) { return "", false }
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, set := range f.loader.Flags() {
		flags.AddFlagSet(set)
	}
	if err := flags.Parse([]string{"--config", f.path}); err != nil {
		t.Fatal(err)
	}
	f.write(t, text)
	return f
}

func (f *file) write(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(f.path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// load reads a text as a file of settings.
func load(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := newFile(t, text).loader.Load()
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	return c
}

// rig is a process with fakes for its parts, and a file of settings.
type rig struct {
	*process
	t     *testing.T
	file  *file
	plane *fakePlane
	log   output
}

// newRig starts a process with real sockets for its listeners. Only the test serves reloads.
func newRig(t *testing.T, text string) *rig {
	t.Helper()
	r := &rig{t: t, file: newFile(t, text), plane: new(fakePlane)}
	c, err := r.file.loader.Load()
	if err != nil {
		t.Fatal(err)
	}
	r.process = newProcess(Options{
		Config: c, Load: r.file.loader.Load, Log: slog.New(slog.NewTextHandler(&r.log, nil)), LogLevel: new(slog.LevelVar),
	})
	r.data, r.find, r.ctx = r.plane, newFakeTopology, t.Context()
	r.process.login = func(context.Context, string, respclient.Options) error { return io.EOF }
	ls, err := openAll(c)
	if err != nil {
		t.Fatal(err)
	}
	begin := &state{config: c, digest: c.Digest(), generation: 1, sockets: ls.clients, maxClients: c.MaxClients}
	if begin.upstreams, err = findUpstreams(t.Context(), c, r.Log, r.find); err != nil {
		t.Fatal(err)
	}
	if begin.tls, err = r.secure(c); err != nil {
		t.Fatal(err)
	}
	for _, u := range begin.upstreams {
		u.run(r.ctx, r.plane)
	}
	r.state.Store(begin)
	t.Cleanup(func() {
		if ls.admin != nil {
			ls.admin.Close()
		}
		for _, s := range r.state.Load().sockets {
			s.Close()
		}
	})
	return r
}

// topology returns the fake of an upstream in force.
func (r *rig) topology(name string) *fakeTopology {
	return r.state.Load().upstream(name).topology.(*fakeTopology)
}
