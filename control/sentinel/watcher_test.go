package sentinel

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
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

// primary is the published primary of a name and its replicas.
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
	s := testkit.StartSentinelsWith(t, testkit.SentinelOptions{Names: []string{"red", "blue"}, Replicas: 1, Password: "secret", Guard: "guard"})
	red, blue := s.Groups["red"], s.Groups["blue"]
	// Only one is named, and the timer never comes: the others are learnt, and what they tell is listened to.
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

	// A primary is killed, with the only sentinel that was named.
	s.Sentinels[0].Kill()
	red[0].Kill()
	promoted := s.WaitPromoted(t, "red", red[0])
	began := time.Now()
	testkit.Until(t, "the promotion", func() bool { at, _ := f.primary("red"); return at == promoted.Addr })
	t.Logf("published %v after the promotion was visible", time.Since(began))
	if f.latest()[0].Name != "red" || f.latest()[1].Primary.Addr != blue[1].Addr {
		t.Errorf("the groups are %v", f.latest())
	}

	// It comes back, and becomes a replica.
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
	if st.Silent == 0 || st.LastGood.IsZero() || len(st.Masters) != 2 || st.Masters[0].Epoch == 0 || len(st.Sentinels) != 3 {
		t.Errorf("status %+v", st)
	}
	for _, want := range []string{
		"sentinels asked",
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
