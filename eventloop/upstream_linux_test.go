package eventloop

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"ringmaster/internal/testkit"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/stats"
)

// withUpstream runs a proxy that gets a second upstream, b, and a listener for it while it runs. first is the plan
// without them.
func withUpstream(t testing.TB, loops int, servers ...string) (p *proxy, first Plan) {
	t.Helper()
	cfg := newConfig(t, echoing(t).Addr)
	cfg.Loops = loops
	p = start(t, cfg)
	first = plan(cfg)
	first.DrainTimeout = time.Hour
	p.addB(first, servers...)
	return p, first
}

// addB makes the proxy apply a plan to which an upstream b and a listener for it are added.
func (p *proxy) addB(first Plan, servers ...string) {
	p.t.Helper()
	next := first
	next.Listeners, next.Upstreams = append([]Listener(nil), first.Listeners...), append([]Upstream(nil), first.Upstreams...)
	next.upstream(p.t, "b", servers...)
	next.listener("b", listen(p.t, "tcp"), 1)
	p.must(next)
	testkit.Until(p.t, "connections to all servers", func() bool { // Ready would give new ones the dial timeout
		loops, err := p.Snapshot(p.t.Context())
		if err != nil {
			p.t.Fatal(err)
		}
		for _, l := range loops {
			for _, u := range l.Upstreams {
				for _, s := range u.Servers {
					if !u.Gone && s.State != stats.ServerUp {
						return false
					}
				}
			}
		}
		return true
	})
}

func TestUpstreamsComeAndGo(t *testing.T) {
	for range 3 {
		s := newScript(t)
		p, first := withUpstream(t, 2, s.Addr)
		if n := s.Accepted(); n != 2 {
			t.Fatalf("%d connections", n)
		}
		c := p.dialAt(1)
		c.Send(get("red"))
		red := s.next()
		p.must(first)
		if got := p.dialAt(0).Do("GET", "green"); got != bulk("green") {
			t.Errorf("%q", got)
		}
		red.reply(t, bulk("b"))
		if got, err := c.Rest(); got != bulk("b") || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		p.untilForgotten(1)
		testkit.Until(t, "the connection to its server is closed", func() bool { return red.from.SendBytes([]byte("+late\r\n")) != nil })
		for _, l := range p.loops {
			onLoop(t, l, func() {
				if l.conns.InFlight != 0 || l.stats.OwnLent != 0 || len(l.stats.Upstreams) != 1 || l.stats.Upstreams[0].Name != "default" {
					t.Errorf("%d in flight, %d lent, %v", l.conns.InFlight, l.stats.OwnLent, l.stats.Upstreams)
				}
			})
		}
	}
}

// TestReadyNamesTheUpstream: two upstreams may have servers of the same name.
func TestReadyNamesTheUpstream(t *testing.T) {
	s := echoing(t)
	p, _ := withUpstream(t, 1, s.Addr)
	s.Close()
	want := "no connection to " + s.Addr + " of upstream b ("
	testkit.Until(t, "the server is missed", func() bool {
		err := p.Ready(t.Context())
		if err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Fatalf("%v, want %s", err, want)
		}
		return err != nil
	})
}

// TestAnUpstreamThatIsGoneFinishesWhatNobodyWaitsFor: the client of a write has gone, but the write must not be lost.
func TestAnUpstreamThatIsGoneFinishesWhatNobodyWaitsFor(t *testing.T) {
	for _, answered := range []bool{true, false} {
		s, down := newScript(t), echoing(t)
		p, first := withUpstream(t, 1, s.Addr, down.Addr)
		l := p.loops[0]
		c := p.dialAt(1)
		c.Send(testkit.Request("SET", keysOf(p.Upstream("b").of.m, 1)[0], "1"))
		set := s.next()
		c.Reset()
		testkit.Until(t, "the client is gone", func() bool { return p.clients.Load()+p.halves.Load() == 0 })
		p.must(first)
		onLoop(t, l, func() {
			l.tickLeaving()
			if len(l.upstreams) != 2 {
				t.Error("the upstream is gone before its server has answered")
			}
			if loops := l.stats.Upstreams; len(loops) != 2 || !loops[1].Gone {
				t.Errorf("its counters: %v", loops)
			}
		})
		down.Close()
		testkit.Until(t, "its other server is down", func() bool { return p.counters()[0].Upstreams[1].Servers[1].ConnectFailures > 0 })
		if err := p.Ready(t.Context()); err != nil {
			t.Errorf("a server of the upstream that is gone counts: %v", err)
		}
		if answered {
			set.reply(t, "+OK\r\n")
		} else {
			onLoop(t, l, func() { l.upstreams[1].until = l.conns.Now }) // it has had its time
		}
		p.untilForgotten(1)
	}
}

// TestAHandleMeansOneUpstream: after that is removed, calls do nothing, although another has its name.
func TestAHandleMeansOneUpstream(t *testing.T) {
	a, b, wrong := newScript(t), newScript(t), newScript(t)
	p, first := withUpstream(t, 2, a.Addr)
	rest, old := p.Upstream("default"), p.Upstream("b")
	p.must(first)
	old.Follow(mapOf(t, wrong.Addr)) // while it may still be there
	p.untilForgotten(1)
	old.Follow(mapOf(t, wrong.Addr))
	p.addB(first, b.Addr)
	old.Follow(mapOf(t, wrong.Addr))
	old.Judge(pool.Health{b.Addr: {Heard: time.Now()}})
	p.Upstream("unknown").Follow(mapOf(t, wrong.Addr))
	p.Upstream("unknown").Judge(nil)
	next := mapOf(t, echoing(t).Addr)
	rest.Follow(next)
	for _, l := range p.loops {
		onLoop(t, l, func() {
			if l.upstreams[0].env.Map != next {
				t.Error("the handle of the upstream that stays does not mean it any more")
			}
			if m := l.upstreams[1].env.Map; m.Server(0).Addr != b.Addr {
				t.Errorf("the new upstream is at %s", m.Server(0).Addr)
			}
		})
	}
	if n := wrong.Accepted(); n != 0 {
		t.Errorf("%d connections to the server of a late map", n)
	}
	if new := p.Upstream("b"); new == old {
		t.Error("the new upstream has the old one's handle")
	}
}

// TestALoopWithoutTheUpstreamHasNoAnswer: it has removed the upstream, while another loop still has a client of it.
func TestALoopWithoutTheUpstreamHasNoAnswer(t *testing.T) {
	s := newScript(t)
	p, first := withUpstream(t, 2, s.Addr)
	c := p.dialAt(1)
	c.Send(get("red"))
	red := s.next()
	has, lacks := p.loops[0], p.loops[1]
	if has.busy.Load() == 0 {
		has, lacks = lacks, has
	}
	p.must(first)
	testkit.Until(t, "one loop has given it up", func() (gone bool) {
		onLoop(t, lacks, func() { gone = len(lacks.upstreams) == 1 })
		return gone
	})
	if answers := answersOf(t, has, func(done func([]any)) {
		peers{has, has.upstreams[1]}.Ask(func(e *session.Env) any { return e.Number }, done)
	}); len(answers) != 0 {
		t.Errorf("%v", answers)
	}
	p.addB(first, named(t, "b").Addr) // another one of this name does not answer either
	if answers := answersOf(t, has, func(done func([]any)) {
		peers{has, has.upstreams[1]}.Ask(func(e *session.Env) any { return e.Number }, done)
	}); len(answers) != 0 {
		t.Errorf("another upstream of the same name: %v", answers)
	}
	red.reply(t, bulk("red"))
	if got, err := c.Rest(); got != bulk("red") || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	p.untilForgotten(2)
}

// TestNothingIsLeftAfterManyPlans: 200 plans add and remove listeners and an upstream while clients are at work.
func TestNothingIsLeftAfterManyPlans(t *testing.T) {
	cfg := newConfig(t, testkit.Redis(t).Addr)
	cfg.Loops = 2
	cfg.Upstreams[0].Pool.Timeout = testkit.Patience
	p := start(t, cfg)
	other := testkit.Redis(t).Addr
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 4 {
		c := p.dial()
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				key, want := fmt.Sprintf("key%d", i), fmt.Sprint(n)
				if got, err := c.Call("SET", key, want); got != "+OK\r\n" || err != nil {
					t.Errorf("SET: %q, %v", got, err)
					return
				}
				if got, err := c.Call("GET", key); got != bulk(want) || err != nil {
					t.Errorf("GET: %q, %v", got, err)
					return
				}
			}
		})
	}
	cycle := func() {
		next := plan(cfg)
		next.upstream(t, "b", other)
		next.listener("tcp", listen(t, "tcp"), 1)
		next.listener("unix", listen(t, "unix"), 0)
		next.Upstreams[0].Pool.DialTimeout++
		p.must(next)
		clients := []*testkit.Conn{p.dialAt(1), p.dialAt(2)}
		for _, c := range clients {
			if got := c.Do("SET", "a", "b"); got != "+OK\r\n" {
				t.Errorf("%q", got)
			}
			c.Send(testkit.Request("BLPOP", "nothing", "0"))
		}
		p.must(plan(cfg))
		for _, c := range clients {
			if _, err := c.Rest(); err != nil {
				t.Error(err)
			}
			c.Close()
		}
	}
	cycle()
	p.untilForgotten(1)
	runtime.GC()
	goroutines, descriptors := runtime.NumGoroutine(), openDescriptors(t)
	for range 100 {
		cycle()
	}
	p.untilForgotten(1)
	close(stop)
	wg.Wait()
	testkit.Until(t, "goroutines and descriptors are as many as at first", func() bool {
		return runtime.NumGoroutine() <= goroutines && openDescriptors(t) <= descriptors
	})
	for _, l := range p.loops {
		onLoop(t, l, func() {
			if l.conns.InFlight != 0 || l.stats.OwnLent != 0 || l.stats.OwnOpen != 0 {
				t.Errorf("%d in flight, %d lent, %d open", l.conns.InFlight, l.stats.OwnLent, l.stats.OwnOpen)
			}
			for _, list := range []reflect.Value{
				reflect.ValueOf(l.upstreams[0].env).Elem().FieldByName("Doors"), reflect.ValueOf(l.sessions).Elem().FieldByName("envs"),
				reflect.ValueOf(l.conns).Elem().FieldByName("pools"),
			} {
				if n := list.Len(); n != 1 {
					t.Errorf("%d of %v", n, list.Type())
				}
			}
		})
	}
}

// openDescriptors returns how many descriptors the process has, without those of the count itself.
func openDescriptors(t *testing.T) (n int) {
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range all {
		if to, err := os.Readlink(filepath.Join("/proc/self/fd", fd.Name())); err == nil && to != "/proc/self/fd" {
			n++
		}
	}
	return n
}

// TestAnUpstreamStaysWhileAClientHasNotReadAll: its server owes nothing, but the client has unread replies.
func TestAnUpstreamStaysWhileAClientHasNotReadAll(t *testing.T) {
	s := newScript(t)
	p, first := withUpstream(t, 1, s.Addr)
	c := testkit.Dial(t, p.addr(1))
	if err := c.Conn.(*net.TCPConn).SetReadBuffer(64 << 10); err != nil {
		t.Fatal(err)
	}
	c.Send(get("red"))
	s.next().reply(t, large)
	p.untilUnread(p.client())
	p.must(first)
	p.untilLingers(1)
	onLoop(t, p.loops[0], func() {
		p.loops[0].tickLeaving()
		if n := len(p.loops[0].upstreams); n != 2 {
			t.Errorf("%d upstreams", n)
		}
	})
	if got, err := c.Rest(); got != large || err != nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	p.untilForgotten(1)
}
