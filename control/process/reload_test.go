package process

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ringmaster/control/admin"
	"ringmaster/control/config"
	"ringmaster/control/topology"
	"ringmaster/internal/respclient"
	"ringmaster/stats"
)

const oneOfEach = `
admin: ''
listeners:
  - {address: '127.0.0.1:0', name: l, upstream: u}
upstreams:
  u: {servers: 'a:1,b:1'}
`

// again writes the file and reloads it.
func (r *rig) again(text string) (*admin.Reloaded, error) {
	r.t.Helper()
	r.file.write(r.t, text)
	return r.reload(r.t.Context())
}

func (r *rig) mustReload(text string) *admin.Reloaded {
	r.t.Helper()
	done, err := r.again(text)
	if err != nil {
		r.t.Fatal(err)
	}
	return done
}

func TestAChangedFileIsGoneByAtOnce(t *testing.T) {
	r := newRig(t, oneOfEach)
	kept := r.topology("u")
	done := r.mustReload(`
admin: ''
drain-timeout: 3s
max-clients: 7
loops: 99
listeners:
  - {address: '127.0.0.1:0', name: l, upstream: new}
  - {address: '127.0.0.1:0', name: m, upstream: u, idle-timeout: 1s}
upstreams:
  new: {servers: 'c:1', timeout: 2s}
  u: {servers: 'a:1,b:1,d:1'}
`)
	want := &admin.Reloaded{
		Generation: 2, Hash: r.state.Load().config.Digest(), NeedsRestart: []string{"loops"},
		Changed: []string{"drain-timeout", "listeners.l.upstream", "listeners.m", "max-clients", "upstreams.new", "upstreams.u.servers"},
	}
	if diff := cmp.Diff(want, done); diff != "" {
		t.Error(diff)
	}
	if len(r.plane.plans) != 1 {
		t.Fatalf("%d plans", len(r.plane.plans))
	}
	p := r.plane.plans[0]
	if p.MaxClients != 7 || p.DrainTimeout.Seconds() != 3 || p.FarewellTime.Seconds() != 1.5 || len(p.Listeners) != 2 || len(p.Upstreams) != 2 {
		t.Errorf("%+v", p)
	}
	if l, m := p.Listeners[0], p.Listeners[1]; l.Listener != nil || l.Upstream != 0 || m.Listener == nil || m.Name != "m" || m.Upstream != 1 || m.Session.IdleTimeout.Seconds() != 1 {
		t.Errorf("%+v", p.Listeners)
	}
	if added, u := p.Upstreams[0], p.Upstreams[1]; added.Name != "new" || added.Map == nil || u.Map == nil || u.Map.Len() != 3 || added.Pool.Timeout.Seconds() != 2 {
		t.Errorf("%+v", p.Upstreams)
	}
	if r.topology("u") != kept || kept.commits != 1 || kept.aborts != 0 || r.state.Load().config.Loops == 99 {
		t.Errorf("%+v", kept)
	}
	<-r.topology("new").running
	if log := r.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "level=WARN") || !strings.Contains(log, "needs_restart=[loops]") || !strings.Contains(log, "generation=2") || !strings.Contains(log, "upstreams.u.servers") {
		t.Error(log)
	}
}

func TestWhatIsGoneEnds(t *testing.T) {
	r := newRig(t, strings.Replace(oneOfEach, "upstreams:", "upstreams:\n  old: {servers: 'o:1'}", 1))
	old, kept := r.topology("old"), r.topology("u")
	r.mustReload(oneOfEach)
	<-old.ended
	select {
	case <-kept.ended:
		t.Error("the other ends too")
	default:
	}
	if p := r.plane.plans[0]; len(p.Upstreams) != 1 || p.Upstreams[0].Name != "u" || p.Upstreams[0].Map != nil || len(kept.prepared) != 0 {
		t.Errorf("%+v", p)
	}
}

func TestAFileThatSaysTheSameChangesNothing(t *testing.T) {
	r := newRig(t, oneOfEach)
	before := r.state.Load()
	done := r.mustReload("# a comment\n" + oneOfEach + "\ntimeout: 5000ms\npoll: level\n")
	if len(done.Changed) != 0 || done.Changed == nil || !slices.Equal(done.NeedsRestart, []string{"poll"}) || done.Generation != 1 || len(r.plane.plans) != 0 || r.state.Load() != before {
		t.Errorf("%+v, plans %v", done, r.plane.plans)
	}
}

func TestThePasswordIsInNoLineOfTheLog(t *testing.T) {
	r := newRig(t, oneOfEach)
	r.mustReload(oneOfEach + "password: hunter2\nupstream-password: hunter2\n")
	if _, err := r.again(oneOfEach + "password: hunter3\nupstream-password: hunter3\nloops: none\n"); err == nil {
		t.Error("it is right")
	}
	if log := r.log.String(); strings.Contains(log, "hunter") || !strings.Contains(log, "password") {
		t.Error(log)
	}
}

// TestAFileThatCannotBeReadHoldsUpNoStop uses a pipe without a writer as the file, and then makes the reader panic.
func TestAFileThatCannotBeReadHoldsUpNoStop(t *testing.T) {
	r := newRig(t, oneOfEach)
	if err := os.Remove(r.file.path); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(r.file.path, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := r.reload(ctx)
		ended <- err
	}()
	for len(r.loading) == 0 {
		runtime.Gosched()
	}
	cancel()
	if err := <-ended; err != admin.ErrStopping {
		t.Error(err)
	}
	for len(r.loading) > 0 {
		if pipe, err := os.OpenFile(r.file.path, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil { // there is a reader
			_ = pipe.Close() // ends the reading
		}
		runtime.Gosched()
	}
	if err := os.Remove(r.file.path); err != nil {
		t.Fatal(err)
	}
	r.mustReload(oneOfEach + "max-clients: 7\n")
	r.Load = func() (*config.Config, error) { panic("odd") }
	if _, err := r.reload(t.Context()); err == nil || !strings.Contains(err.Error(), "odd") {
		t.Error(err)
	}
	r.Load = r.file.loader.Load
	r.mustReload(oneOfEach + "max-clients: 8\n")
}

// TestWhateverFailsNothingChanges has each step fail after those before it have done their part.
func TestWhateverFailsNothingChanges(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	fine := filepath.Join(t.TempDir(), "s") // a socket that is opened first, and must be closed again
	changed := `
admin: ''
listeners:
  - {address: '127.0.0.1:0', name: l, upstream: u}
  - {address: 'unix://` + fine + `', upstream: new}
upstreams:
  u: {servers: 'a:1,c:1', password: x}
  new: {servers: 'n:1'}
`
	for name, c := range map[string]struct {
		text string
		fail func(r *rig)
		want []string
	}{
		"the file": {"admin: ''\nupstream: a:1\ntimeuot: 1s\nloops: 0\n", nil, []string{
			"FILE:3: unknown setting \"timeuot\"; did you mean \"timeout\"?", "FILE:4: loops: \"0\": want auto, or a whole number from 1 to 256",
		}},
		"a socket": {strings.Replace(changed, "upstreams:", "  - {address: '"+taken.Addr().String()+"', upstream: u}\nupstreams:", 1), nil, []string{
			"FILE:6: listeners[2].address: cannot listen on " + taken.Addr().String() + ": address already in use; find",
		}},
		"finding servers": {changed, func(r *rig) {
			r.find = func(context.Context, topology.Config) (follower, error) { return nil, errors.New("nobody answers") }
		}, []string{"FILE:8: upstreams.new.servers: nobody answers"}},
		"a login": {changed, func(r *rig) {
			r.process.login = func(_ context.Context, addr string, o respclient.Options) error {
				if o.Password == "x" {
					return &respclient.Refusal{Command: "AUTH", Text: "WRONGPASS no"}
				}
				return nil
			}
		}, []string{"FILE:7: upstreams.u.password: server a:1 refuses this login: it "}},
		"a topology": {changed, func(r *rig) { r.topology("u").refuses = errors.New("too many servers") }, []string{"FILE:7: upstreams.u.servers: too many servers"}},
		"the loops": {changed, func(r *rig) {
			r.plane.apply = func(context.Context) error { return errors.New("a loop did not answer") }
		}, []string{
			"the event loops refuse the settings: a loop did not answer",
		}},
	} {
		r := newRig(t, oneOfEach)
		before, kept := r.state.Load(), r.topology("u")
		var found []*fakeTopology
		r.find = func(ctx context.Context, c topology.Config) (follower, error) {
			f, err := newFakeTopology(ctx, c)
			found = append(found, f.(*fakeTopology))
			return f, err
		}
		if c.fail != nil {
			c.fail(r)
		}
		_, err := r.again(c.text)
		if err == nil {
			t.Errorf("%s: nothing is wrong", name)
			continue
		}
		lines := strings.Split(strings.ReplaceAll(err.Error(), r.file.path, "FILE"), "\n")
		if !slices.EqualFunc(lines, c.want, strings.HasPrefix) {
			t.Errorf("%s:\ngot  %q\nwant %q", name, lines, c.want)
		}
		if r.state.Load() != before || len(kept.prepared) != kept.aborts || kept.commits != 0 {
			t.Errorf("%s: something has changed: %+v", name, kept)
		}
		if plans := len(r.plane.plans); (plans == 1) != (name == "the loops") {
			t.Errorf("%s: %d plans", name, plans)
		}
		for _, f := range found {
			<-f.ended
		}
		if wants := name != "the file" && name != "a socket" && name != "finding servers"; (len(found) > 0) != wants {
			t.Errorf("%s: %d new upstreams were found", name, len(found))
		}
		if _, err := os.Stat(fine); !os.IsNotExist(err) {
			t.Errorf("%s: the new socket is still open", name)
		}
		if log := r.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "refused") {
			t.Errorf("%s: the log: %s", name, log)
		}
	}
}

func TestWithoutAFileAReloadSaysWhatIsMissing(t *testing.T) {
	r := newRig(t, oneOfEach)
	r.Load = nil
	if _, err := r.reload(t.Context()); !errors.Is(err, errNoFile) || !strings.Contains(err.Error(), "--config") {
		t.Errorf("%v", err)
	}
	reloads := newReloads()
	reloads.end(&reading{over: make(chan struct{})}, nil, errNoFile)
	var got stats.Settings
	if reloads.count(&got); got != (stats.Settings{}) {
		t.Errorf("it counts as a reload: %+v", got)
	}
}

// TestAnOpenSocketGoesOnUnderAnotherName: it is never bound twice, and its path stays.
func TestAnOpenSocketGoesOnUnderAnotherName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free.Close()
	text := "admin: ''\nlisteners:\n  - {address: 'unix://" + path + "', name: A}\n  - {address: '" + free.Addr().String() + "', name: B}\nupstream: u:1\n"
	r := newRig(t, text)
	old := r.state.Load().sockets
	r.plane.apply = func(context.Context) error { // like the data plane
		for _, s := range old {
			s.Close()
		}
		return nil
	}
	r.mustReload(strings.NewReplacer("name: A", "name: B", "name: B", "name: A").Replace(text)) // even when two change places
	for i, network := range []string{"unix", "tcp"} {
		opened := r.plane.plans[0].Listeners[i].Listener
		conn, err := net.Dial(network, opened.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		accepted, err := opened.Accept()
		if err != nil {
			t.Fatal(err)
		}
		accepted.Close()
		opened.Close()
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the last one has left its path: %v", err)
	}
}

func TestARenamedListenerGoesOn(t *testing.T) {
	text := "admin: ''\nupstream: u:1\nlisteners:\n  - {address: 'unix://" + filepath.Join(t.TempDir(), "s") + "', name: NAME}\n"
	r := newRig(t, strings.Replace(text, "NAME", "old", 1))
	socket := r.state.Load().sockets[0].Listener
	r.mustReload(strings.Replace(text, "NAME", "new", 1))
	if l := r.plane.plans[0].Listeners[0]; l.Name != "new" || l.Listener != socket || r.state.Load().sockets[0].Listener != socket {
		t.Errorf("%+v", l)
	}
	r.plane.apply = func(context.Context) error { return io.EOF }
	if _, err := r.again(text); err == nil {
		t.Error("it was taken")
	}
	conn, err := net.Dial("unix", socket.Addr().String())
	if err != nil {
		t.Fatalf("a refused reload has closed it: %v", err)
	}
	conn.Close()
}

// TestASlowLoopIsWaitedForNoLonger: the loop applies the plan later, so the process must keep it.
func TestASlowLoopIsWaitedForNoLonger(t *testing.T) {
	r := newRig(t, oneOfEach)
	r.plane.apply = func(context.Context) error { return context.DeadlineExceeded }
	if done := r.mustReload(oneOfEach + "idle-timeout: 1s\n"); done.Generation != 2 || !strings.Contains(r.log.String(), "do not use") {
		t.Errorf("%+v %s", done, r.log.String())
	}
}

func TestCursorsOutliveListsThatCanChange(t *testing.T) {
	for _, c := range []struct {
		file, cluster, want bool
	}{{true, false, true}, {false, false, false}, {true, true, false}} {
		text := oneOfEach
		if c.cluster {
			text = strings.Replace(text, "'a:1,b:1'", "'a:1', topology: cluster", 1)
		}
		r := newRig(t, text)
		if !c.file {
			r.Load = nil
		}
		if got := r.planeConfig(r.state.Load()).Upstreams[0].Session.ListChanges; got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestARefusedReloadLeavesTheSocketItsPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	text := "admin: ''\nlisten: 'unix://" + path + "'\nupstream: u:1\n"
	r := newRig(t, text)
	r.plane.apply = func(context.Context) error { return io.EOF }
	if _, err := r.again("admin: ''\nlisteners: [{address: 'unix://" + path + "', name: other}]\nupstream: u:1\n"); err == nil {
		t.Fatal("it was taken")
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the path is gone: %v", err)
	}
	r.state.Load().sockets[0].Close()
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the socket has left its path: %v", err)
	}
}

func TestAPortOfItsOwnIsNotSoughtElsewhere(t *testing.T) {
	r := newRig(t, oneOfEach)
	own := r.state.Load().sockets[0].Addr().String()
	_, port, _ := net.SplitHostPort(own)
	r.state.Load().config.Listen[0] = own // as if the port had been chosen in the file
	_, err := r.again("admin: ''\nlisten: 'localhost:" + port + "'\nupstream: u:1\nprotected-mode: false\n")
	if err == nil || !strings.Contains(err.Error(), "this process listens on "+own+" itself") {
		t.Errorf("%v", err)
	}
}

func TestAChangedLogLevelCounts(t *testing.T) {
	r := newRig(t, oneOfEach)
	r.mustReload(oneOfEach + "log-level: error\n")
	if r.LogLevel.Level().String() != "ERROR" {
		t.Errorf("%v", r.LogLevel)
	}
}

func TestAReloadIsCountedByWhatCameOfIt(t *testing.T) {
	r := newRig(t, oneOfEach)
	r.reloads.start(r.reload)
	defer r.reloads.stop()
	for _, step := range []struct {
		text string
		want stats.Settings
	}{
		{oneOfEach, stats.Settings{Generation: 1, Reloads: 1}},
		{"nonsense: 1\n", stats.Settings{Generation: 1, Reloads: 1, Refused: 1, Failed: true}},
		{oneOfEach + "idle-timeout: 1s\n", stats.Settings{Generation: 2, Reloads: 2, Refused: 1}},
	} {
		r.file.write(t, step.text)
		_, err := source{r.process}.Reload(t.Context())
		step.want.MaxClients, step.want.Digest = 10000, r.state.Load().config.Digest()
		if got := (source{r.process}).Settings(); got != step.want || (err != nil) != got.Failed {
			t.Errorf("%q: %+v, %v; want %+v", step.text, got, err, step.want)
		}
	}
}
