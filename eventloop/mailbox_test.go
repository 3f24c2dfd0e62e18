package eventloop

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/shard"
)

// started runs loops in front of a server that can't be reached.
func started(t *testing.T, loops int) *Server {
	t.Helper()
	m, err := shard.New(shard.Config{Servers: []shard.Server{{Name: "a", Addr: "127.0.0.1:1", Weight: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv, err := Start(Config{
		Listeners: []Listener{open("first", ln, session.Config{Limits: parser.DefaultLimits()})}, Loops: loops,
		Upstreams: []Upstream{{Name: "default", Map: m, Pool: pool.Config{Connections: 1, DialTimeout: time.Second, BackoffMin: time.Second, BackoffMax: time.Second}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Shutdown(context.Background()) })
	return srv
}

// After 1,024 waiting tasks gnet puts later ones into another queue, and a task that comes when the 1,024 have run
// overtakes those.
func TestPostsRunInTheirOrder(t *testing.T) {
	const all = 5000
	l := started(t, 1).loops[0]
	var order []int
	posted, done := make(chan struct{}), make(chan struct{})
	post := func(f func()) {
		if err := l.post(f); err != nil {
			t.Error(err)
		}
	}
	post(func() { <-posted })
	for i := range all {
		post(func() {
			if order = append(order, i); i == 1100 {
				post(func() { order = append(order, all); close(done) })
			}
		})
	}
	close(posted)
	<-done
	if len(order) != all+1 {
		t.Fatalf("%d of %d ran before one that was posted after them", len(order)-1, all)
	}
	for i, got := range order {
		if got != i {
			t.Fatalf("post %d ran as number %d", got, i)
		}
	}
}

func TestNothingIsPostedToLoopsThatHaveStopped(t *testing.T) {
	srv := started(t, 2)
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, l := range srv.loops {
		if err := l.post(func() { t.Error("it runs") }); !errors.Is(err, errStopped) {
			t.Errorf("%v", err)
		}
	}
}
