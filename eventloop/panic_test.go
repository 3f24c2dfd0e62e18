//go:build !proxydebug

package eventloop

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"ringmaster/internal/testkit"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/shard"
	"ringmaster/stats"
)

// syncBuffer is a log that a test may read while others write to it.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestAPanicInWhatALoopDoesForAllClosesItsClientsAndServesNewOnes(t *testing.T) {
	redis := testkit.Redis(t)
	m, err := shard.New(shard.Config{Servers: []shard.Server{{Name: redis.Addr, Addr: redis.Addr, Weight: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	log := &syncBuffer{}
	srv, err := Start(Config{
		MaxOwn: 4, Listeners: []Listener{open("first", ln, session.Config{Limits: parser.DefaultLimits(), QueryBufferLimit: 1 << 20, OutputLimit: 1 << 20,
			SubscriberOutputLimit: 1 << 20, MaxInFlight: 100, MaxInFlightBytes: 1 << 20})}, Loops: 2, Logger: slog.New(slog.NewTextHandler(log, nil)),
		Upstreams: []Upstream{{Name: "default", Map: m, Pool: pool.Config{Connections: 1, DialTimeout: time.Second, Timeout: testkit.Patience, BackoffMin: time.Millisecond,
			BackoffMax: 10 * time.Millisecond, MaxPending: 1000, MaxPendingBytes: 1 << 20}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = srv.Shutdown(context.Background()) }()
	clients := []*testkit.Conn{testkit.Dial(t, ln.Addr().String()), testkit.Dial(t, ln.Addr().String())} // one on each loop
	for _, c := range clients {
		testkit.Eventually(testkit.Patience, func() bool { return c.Do("SET", "k", "v") == "+OK\r\n" })
	}
	if err := srv.loops[0].post(func() { panic("oh no") }); err != nil {
		t.Fatal(err)
	}
	snapshot := func() (panics, closed uint64) {
		loops, err := srv.Snapshot(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for i := range loops {
			panics += loops[i].Panics
			closed += loops[i].ClientsClosed[stats.Panic]
		}
		return panics, closed
	}
	if panics, closed := snapshot(); panics != 1 || closed != 1 {
		t.Errorf("%d panics, %d clients closed", panics, closed)
	}
	if !strings.Contains(log.String(), "oh no") {
		t.Errorf("the log has no cause: %s", log)
	}
	alive := 0
	for _, c := range clients {
		if v, err := c.Call("GET", "k"); err == nil && strings.Contains(v, "v") {
			alive++
		}
	}
	if alive != 1 {
		t.Errorf("%d of the two clients live on", alive)
	}
	for range 2 {
		c := testkit.Dial(t, ln.Addr().String())
		if !testkit.Eventually(testkit.Patience, func() bool { return strings.Contains(c.Do("GET", "k"), "v") }) {
			t.Error("a new client is not served")
		}
	}
	if panics, _ := snapshot(); panics != 1 {
		t.Errorf("%d panics", panics)
	}
}

func TestAPostThatPanicsKeepsNoOtherFromRunning(t *testing.T) {
	l := started(t, 1).loops[0]
	hold, done := make(chan struct{}), make(chan struct{})
	for _, f := range []func(){func() { <-hold }, func() { panic("oh no") }, func() { close(done) }} {
		if err := l.post(f); err != nil {
			t.Fatal(err)
		}
	}
	close(hold)
	<-done
}
