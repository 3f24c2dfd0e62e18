package sentinel

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ringmaster/internal/testkit"
	"ringmaster/shard"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// follower runs a watcher and keeps what it publishes and logs.
type follower struct {
	*Watcher
	mu     sync.Mutex
	groups []shard.Group
	maps   int
	log    bytes.Buffer
}

func (f *follower) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.log.Write(b)
}

func (f *follower) logged() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.log.String()
}

func (f *follower) latest() []shard.Group {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.groups
}

// primary returns the published primary of a name and its replicas.
func (f *follower) primary(name string) (string, []string) {
	for _, g := range f.latest() {
		if g.Name == name {
			var replicas []string
			for _, r := range g.Replicas {
				replicas = append(replicas, r.Addr)
			}
			return g.Primary.Addr, replicas
		}
	}
	return "", nil
}

// follow runs a watcher until the test ends.
func follow(t *testing.T, c Config) *follower {
	t.Helper()
	f := new(follower)
	c.Log = slog.New(slog.NewTextHandler(f, nil))
	f.Watcher = New(c)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.Run(ctx, func(groups []shard.Group) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.groups = groups
			f.maps++
		})
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		if t.Failed() {
			t.Logf("the watcher's log:\n%s", f.logged())
		}
	})
	return f
}

func TestRealSentinelsAreFollowed(t *testing.T) {
	s := testkit.StartSentinelsWith(t, testkit.SentinelOptions{Names: []string{"red", "blue"}, Replicas: 1, Sentinels: 5, Password: "secret", Guard: "guard"})
	red, blue := s.Groups["red"], s.Groups["blue"]
	// The settings name only one, and the timer never fires: the watcher finds the others, and listens to their
	// messages.
	f := follow(t, Config{
		Sentinels: s.Addrs()[:1], Names: []string{"red", "blue"}, Password: "guard", ServerPassword: "secret", Interval: time.Hour,
	})
	testkit.Until(t, "the first groups", func() bool { return len(f.latest()) == 2 })
	if g := f.latest()[0]; g.Name != "red" || g.Primary != (shard.Server{Name: "red", Addr: red[0].Addr, Weight: 1}) {
		t.Errorf("the first group is %+v", g)
	}
	if _, replicas := f.primary("blue"); !slices.Equal(replicas, []string{blue[1].Addr}) {
		t.Errorf("blue's replicas are %v", replicas)
	}
	testkit.Until(t, "three subscriptions", func() bool { f.Hint(); return f.Status().Listening == 3 })

	// A planned failover.
	if v, err := s.Ask(s.Sentinels[1], "SENTINEL", "FAILOVER", "blue"); err != nil || v.Kind == '-' {
		t.Fatalf("%v, %v", v, err)
	}
	testkit.Until(t, "the planned failover", func() bool { at, _ := f.primary("blue"); return at == blue[1].Addr })

	// A primary is killed, and with it the only sentinel of the settings.
	s.Sentinels[0].Kill()
	red[0].Kill()
	promoted := s.WaitPromoted(t, "red", red[0])
	began := time.Now()
	testkit.Until(t, "the promotion", func() bool { at, _ := f.primary("red"); return at == promoted.Addr })
	t.Logf("published %v after the promotion was visible", time.Since(began))
	if f.latest()[0].Name != "red" || f.latest()[1].Primary.Addr != blue[1].Addr {
		t.Errorf("the groups are %v", f.latest())
	}

	// The old primary comes back, and becomes a replica.
	red[0].Restart(t)
	s.WaitOK(t)
	f.Hint()
	testkit.Until(t, "the replicas", func() bool {
		f.Hint()
		_, r := f.primary("red")
		_, b := f.primary("blue")
		return slices.Equal(r, []string{red[0].Addr}) && slices.Equal(b, []string{blue[0].Addr})
	})
	st := f.Status()
	if st.Silent == 0 || st.LastGood.IsZero() || len(st.Masters) != 2 || st.Masters[0].Epoch == 0 || len(st.Sentinels) != 5 {
		t.Errorf("status %+v", st)
	}
	for _, want := range []string{
		"sentinels found the primaries",
		fmt.Sprintf("primary of blue is now %s, was %s", blue[1].Addr, blue[0].Addr),
		fmt.Sprintf("primary of red is now %s, was %s", promoted.Addr, red[0].Addr),
		fmt.Sprintf("replica %s of red removed: ", promoted.Addr),
		fmt.Sprintf("replica %s of red added", red[0].Addr),
	} {
		if !strings.Contains(f.logged(), want) {
			t.Errorf("the log lacks %q", want)
		}
	}
	if n := strings.Count(f.logged(), "\n"); n > 25 {
		t.Errorf("%d lines of log:\n%s", n, f.logged())
	}
}

// script is a sentinel whose words the test chooses.
type script struct {
	*testkit.FakeShard
	mu      sync.Mutex
	primary string
	epoch   int
	replica string
	events  []*testkit.Conn
	users   map[*testkit.Conn]string // logged in as, "" for a password alone
}

func startScript(t *testing.T, primary string, epoch int, replica string) *script {
	t.Helper()
	s := &script{primary: primary, epoch: epoch, replica: replica, users: map[*testkit.Conn]string{}}
	s.FakeShard = testkit.NewFakeShard(t, func(_ int, c *testkit.Conn) {
		defer s.ended(c)
		for {
			args, err := c.ReadRequest()
			if err != nil || c.SendBytes([]byte(s.answer(c, args))) != nil {
				return
			}
		}
	})
	return s
}

func (s *script) ended(c *testkit.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = slices.DeleteFunc(s.events, func(e *testkit.Conn) bool { return e == c })
	delete(s.users, c)
}

// listeners returns the users that are subscribed now.
func (s *script) listeners() (users []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.events {
		users = append(users, s.users[c])
	}
	return users
}

func (s *script) answer(c *testkit.Conn, args []string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	host, port, _ := strings.Cut(s.primary, ":")
	if args[0] == "AUTH" {
		s.users[c] = strings.Join(args[1:len(args)-1], "")
		return "+OK\r\n"
	}
	switch strings.Join(args[:min(2, len(args))], " ") {
	case "CLIENT SETNAME":
		return "+OK\r\n"
	case "SENTINEL MYID":
		return testkit.Request(s.Addr)[4:]
	case "SENTINEL GET-MASTER-ADDR-BY-NAME":
		return testkit.Request(host, port)
	case "SENTINEL MASTER":
		return testkit.Request("ip", host, "port", port, "flags", "master", "config-epoch", fmt.Sprint(s.epoch))
	case "SENTINEL REPLICAS":
		host, port, _ := strings.Cut(s.replica, ":")
		return "*1\r\n" + testkit.Request("ip", host, "port", port, "flags", "slave")
	case "SENTINEL SENTINELS":
		return "*0\r\n"
	case "PSUBSCRIBE *":
		s.events = append(s.events, c)
		return "*3\r\n$10\r\npsubscribe\r\n$1\r\n*\r\n:1\r\n"
	}
	return "-ERR unknown\r\n"
}

// switches changes what the sentinel says, and sends its subscribers a message.
func (s *script) switches(primary, replica string, epoch int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.primary, s.replica, s.epoch = primary, replica, epoch
	for _, c := range s.events {
		_ = c.SendBytes([]byte(testkit.Request("pmessage", "*", "+switch-master", "m "+replica+" "+primary)))
	}
}

// startServer starts a server that reports the role that the test chooses.
func startServer(t *testing.T, role string) (*testkit.FakeShard, *atomic.Value) {
	t.Helper()
	var says atomic.Value
	says.Store(role)
	return testkit.NewFakeShard(t, testkit.Answering(func(_ int, args []string) string {
		if args[0] == "ROLE" {
			return testkit.Request(says.Load().(string))
		}
		return "+OK\r\n"
	})), &says
}

func TestAPrimaryIsPublishedOnceItIsOne(t *testing.T) {
	a, _ := startServer(t, "master")
	b, role := startServer(t, "slave")
	s := startScript(t, a.Addr, 1, b.Addr)
	f := follow(t, Config{Sentinels: []string{s.Addr}, Names: []string{"m"}, Interval: time.Hour, MinInterval: time.Millisecond})
	testkit.Until(t, "a subscription", func() bool { return f.Status().Listening == 1 })
	s.switches(b.Addr, a.Addr, 2)
	testkit.Until(t, "the announcement to be heard", func() bool { return f.Status().Masters[0].Expected == b.Addr })
	if at, _ := f.primary("m"); at != a.Addr {
		t.Errorf("%s was published while it is a replica", at)
	}
	role.Store("master")
	testkit.Until(t, "the primary", func() bool { at, _ := f.primary("m"); return at == b.Addr })
	testkit.Until(t, "all to be settled", func() bool { m := f.Status().Masters[0]; return m.Expected == "" && !m.Doubtful })
	if n := strings.Count(f.logged(), "is to become primary of m"); n != 1 {
		t.Errorf("the wait is told %d times:\n%s", n, f.logged())
	}

	// For a server that can't be asked the sentinels' word counts.
	s.switches("127.0.0.1:1", a.Addr, 3)
	testkit.Until(t, "a primary that can't be reached", func() bool { at, _ := f.primary("m"); return at == "127.0.0.1:1" })
}

func TestPollingAloneFindsThePrimary(t *testing.T) {
	a, _ := startServer(t, "master")
	b, _ := startServer(t, "master")
	s := startScript(t, a.Addr, 1, b.Addr)
	f := follow(t, Config{Sentinels: []string{s.Addr}, Names: []string{"m"}, Interval: 20 * time.Millisecond, MinInterval: time.Millisecond})
	testkit.Until(t, "the first primary", func() bool { at, _ := f.primary("m"); return at == a.Addr })
	s.mu.Lock()
	s.primary, s.replica, s.epoch = b.Addr, a.Addr, 2 // without a message
	s.mu.Unlock()
	testkit.Until(t, "the primary", func() bool { at, _ := f.primary("m"); return at == b.Addr })
}

func TestAStaleSentinelDoesNotWin(t *testing.T) {
	a, _ := startServer(t, "master")
	b, _ := startServer(t, "master") // the old primary, back and not demoted yet
	good, stale := startScript(t, a.Addr, 5, b.Addr), startScript(t, b.Addr, 4, a.Addr)
	f := follow(t, Config{
		Sentinels: []string{stale.Addr, good.Addr}, Names: []string{"m"}, Interval: time.Millisecond, MinInterval: time.Millisecond,
	})
	testkit.Until(t, "the primary", func() bool { at, _ := f.primary("m"); return at == a.Addr })

	// Now only the stale one answers.
	good.Close()
	testkit.Until(t, "refreshes without the other", func() bool { return f.Status().Silent > 5 })
	if at, _ := f.primary("m"); at != a.Addr || !f.Status().Masters[0].Remembered {
		t.Errorf("the primary is %s; %+v", at, f.Status())
	}
	f.mu.Lock()
	maps := f.maps
	f.mu.Unlock()
	if maps > 2 || f.Status().Outvoted == 0 {
		t.Errorf("%d maps were published; %+v", maps, f.Status())
	}

	// None answers.
	stale.Close()
	testkit.Until(t, "failures", func() bool { return f.Status().Failures > 3 })
	if at, _ := f.primary("m"); at != a.Addr || strings.Count(f.logged(), "sentinels do not answer") != 1 {
		t.Errorf("the primary is %s:\n%s", at, f.logged())
	}
}

func TestDiscoverSaysWhatEachSentinelAnswered(t *testing.T) {
	server := testkit.Redis(t)
	nobody := testkit.Loopback(testkit.FreePort(t))
	silent := testkit.NewFakeShard(t, func(_ int, c *testkit.Conn) { _, _ = c.Rest() })
	nonsense := testkit.NewFakeShard(t, func(_ int, c *testkit.Conn) { _ = c.SendBytes([]byte("SSH-2.0-x\r\n")) })
	s := testkit.StartSentinelsWith(t, testkit.SentinelOptions{Sentinels: 1, Guard: "guard"})
	guarded := s.Addrs()[0]
	all := []string{server.Addr, nobody, silent.Addr, nonsense.Addr, guarded}
	_, err := New(Config{Sentinels: all, Names: []string{"m"}, Timeout: 2 * time.Second}).Discover(t.Context())
	if err == nil {
		t.Fatal("no error")
	}
	for addr, want := range map[string]string{
		server.Addr: `answered SENTINEL GET-MASTER-ADDR-BY-NAME with "ERR unknown command 'SENTINEL'`, nobody: "refused", silent.Addr: "timeout", nonsense.Addr: "not RESP",
		guarded: "NOAUTH",
	} {
		_, text, _ := strings.Cut(err.Error(), addr+": ")
		text, _, _ = strings.Cut(text, "; ")
		if !strings.Contains(text, want) {
			t.Errorf("%s: %q, want %q", addr, text, want)
		}
	}
	_, err = New(Config{Sentinels: s.Addrs(), Password: "guard", Names: []string{"mymaster", "other"}}).Discover(t.Context())
	if err == nil || !strings.Contains(err.Error(), `know no master ["other"]`) {
		t.Errorf("an unknown name: %v", err)
	}
	if _, err = New(Config{}).Discover(t.Context()); err == nil {
		t.Error("nothing to ask: no error")
	}
}

// Sentinels and logins change while the watcher runs. What it knows stays, and the new user subscribes.
func TestOtherSentinelsAndAnotherLoginCount(t *testing.T) {
	a, _ := startServer(t, "master")
	b, _ := startServer(t, "master")
	one, two := startScript(t, a.Addr, 1, b.Addr), startScript(t, b.Addr, 2, a.Addr)
	c := Config{Sentinels: []string{one.Addr}, Password: "x", Names: []string{"m"}, Interval: time.Hour, MinInterval: time.Millisecond}
	f := follow(t, c)
	testkit.Until(t, "a subscription", func() bool { return slices.Equal(one.listeners(), []string{""}) && f.Status().Listening == 1 })

	f.Configure(Config{Sentinels: []string{one.Addr}, Password: "y"}) // the same user
	before := f.Status().Refreshes
	testkit.Until(t, "a refresh", func() bool { f.Hint(); return f.Status().Refreshes > before+1 })
	if got := one.listeners(); !slices.Equal(got, []string{""}) {
		t.Errorf("with another password %q listen", got)
	}
	f.Configure(Config{Sentinels: []string{one.Addr}, Username: "ann", Password: "y"})
	testkit.Until(t, "the subscription of the other user", func() bool { f.Hint(); return slices.Equal(one.listeners(), []string{"ann"}) })

	f.Configure(Config{Sentinels: []string{two.Addr}, Username: "ann", Password: "y"})
	testkit.Until(t, "what the other sentinel knows", func() bool { f.Hint(); at, _ := f.primary("m"); return at == b.Addr })
	testkit.Until(t, "the other subscription", func() bool {
		f.Hint()
		return len(one.listeners()) == 0 && slices.Equal(two.listeners(), []string{"ann"})
	})
	if s := f.Status(); s.Changes != 2 || s.Failures != 0 {
		t.Errorf("%+v", s)
	}
}
