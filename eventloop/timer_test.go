package eventloop

import (
	"bytes"
	"context"
	"net"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/panjf2000/gnet/v2"

	"ringmaster/internal/testkit"
	"ringmaster/stats"
)

func TestGarbageIsCollectedWhileClientsBecomeMore(t *testing.T) {
	var g growth
	for _, c := range []struct {
		clients int64
		want    bool
	}{
		{0, false}, {growthLeast - 1, false}, {growthLeast, true}, {growthLeast, false}, {2 * growthLeast, true},
		{100 * growthLeast, true}, {112 * growthLeast, false}, {113 * growthLeast, true}, // an eighth more
		{50 * growthLeast, false}, {56 * growthLeast, false}, {57 * growthLeast, true}, // others have gone
	} {
		if got := g.look(c.clients); got != c.want {
			t.Errorf("%d clients: %v", c.clients, got)
		}
	}
}

func TestTheTickerCollectsGarbageOfNewClients(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	tick(t, nil, func(s *Server) {
		s.clients.Store(growthLeast)
		sleep(30)
	})
	if runtime.ReadMemStats(&after); after.NumGC == before.NumGC {
		t.Error("nothing was collected")
	}
}

// ticked is gnet's side of a loop that only counts its ticks. A slow one never takes them.
type ticked struct {
	gnet.EventLoop
	loop *loop
	slow bool
	at   []time.Duration
}

func (e *ticked) Execute(context.Context, gnet.Runnable) error {
	e.at = append(e.at, time.Since(e.loop.srv.started))
	if !e.slow {
		e.loop.mail.latest.Store(nil) // it has taken the tick
		e.loop.ticks.Store(false)
	}
	return nil
}

// tick runs a ticker with loops on a clock that advances only while all goroutines wait.
func tick(t *testing.T, loops []*ticked, f func(s *Server)) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{started: time.Now(), hurry: make(chan struct{}, 1)}
		s.ctx, s.cancel = context.WithCancel(t.Context())
		for _, e := range loops {
			e.loop = &loop{srv: s, el: e}
			s.loops = append(s.loops, e.loop)
		}
		s.tasks.Go(s.tick)
		f(s)
		s.cancel()
		s.tasks.Wait()
	})
}

// sleep advances that clock.
func sleep(ms int) {
	time.Sleep(time.Duration(ms)*time.Millisecond - time.Microsecond)
	synctest.Wait()
	time.Sleep(time.Microsecond)
	synctest.Wait()
}

func millis(ms ...int) (d []time.Duration) {
	for _, n := range ms {
		d = append(d, time.Duration(n)*time.Millisecond)
	}
	return d
}

func TestEachLoopIsTickedAndAHurriedOneSooner(t *testing.T) {
	loops := []*ticked{{}, {}}
	tick(t, loops, func(s *Server) {
		sleep(32)
		s.loops[1].hurry()
		s.loops[1].hurry() // asks once
		sleep(20)
		for i, l := range loops {
			if want := millis(10, 20, 30, 33, 34, 44); !slices.Equal(l.at, want) {
				t.Errorf("loop %d was ticked at %v, want %v", i, l.at, want)
			}
		}
	})
}

func TestALoopThatIsSlowDoesNotFindAHeapOfTicks(t *testing.T) {
	loops := []*ticked{{}, {slow: true}}
	tick(t, loops, func(*Server) {
		sleep(50)
		if len(loops[0].at) != 5 || len(loops[1].at) != 1 {
			t.Errorf("%d ticks for the quick loop, %d for the slow one", len(loops[0].at), len(loops[1].at))
		}
	})
}

func TestGarbageOfHugeValuesIsCollectedNowAndThen(t *testing.T) {
	tick(t, []*ticked{{}}, func(s *Server) {
		for _, c := range []struct {
			after     int
			collected bool
		}{{10, true}, {400, false}, {100, true}} {
			s.garbage.Store(true)
			sleep(c.after)
			if got := !s.garbage.Load(); got != c.collected {
				t.Errorf("after %d ms more: collected is %v", c.after, got)
			}
		}
	})
}

func TestALoopTellsOfMuchGarbage(t *testing.T) {
	p := start(t, newConfig(t, echoing(t).Addr))
	l := p.loops[0]
	p.cancel() // the ticker, which collects, ends
	for _, c := range []struct {
		dropped, left int
		garbage       bool
	}{{worthCollecting - 1, worthCollecting - 1, false}, {worthCollecting, 0, true}} {
		onLoop(t, l, func() {
			l.conns.Buffers.Dropped = c.dropped
			l.onTick()
			if left := l.conns.Buffers.Dropped; left != c.left || p.garbage.Load() != c.garbage {
				t.Errorf("%d bytes dropped: %d are left, told: %v", c.dropped, left, p.garbage.Load())
			}
		})
	}
}

func TestATimeoutIsNoticed(t *testing.T) {
	s := newScript(t)
	cfg := newConfig(t, s.Addr)
	cfg.Upstreams[0].Pool.Timeout = 20 * time.Millisecond
	p := start(t, cfg)
	if got, want := p.dial().Do("GET", "red"), "-ERR timed out after 20 ms waiting for server "+s.Addr; !strings.HasPrefix(got, want) {
		t.Errorf("%q", got)
	}
}

func TestASilentClientIsClosed(t *testing.T) {
	cfg := newConfig(t, echoing(t).Addr)
	cfg.Listeners[0].Session.IdleTimeout = time.Millisecond
	p := start(t, cfg)
	c := testkit.Dial(t, p.addr(0))
	if got, err := c.Rest(); got != "" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	p.untilClosed(stats.Idle, 1)
}

// TestAFullSocketHurriesTheTicksWhichEmptyIt: the server does not read for a while. The ticker is stopped, and the
// test sends the ticks.
func TestAFullSocketHurriesTheTicksWhichEmptyIt(t *testing.T) {
	read := make(chan struct{})
	count := make(chan int, 1)
	shard := testkit.NewFakeShard(t, func(_ int, c *testkit.Conn) {
		_ = c.Conn.(*net.TCPConn).SetReadBuffer(64 << 10)
		args, err := c.ReadRequest()
		for n := 0; err == nil; args, err = c.ReadRequest() {
			reply, known := testkit.Handshake(args)
			if known {
				_ = c.SendBytes([]byte(reply))
				continue
			}
			if n == 0 {
				<-read
			}
			if n++; n == 12 {
				count <- n
			}
		}
	})
	release := sync.OnceFunc(func() { close(read) })
	t.Cleanup(release)
	p := start(t, newConfig(t, shard.Addr))
	c := p.dial()
	l := p.loops[0]
	p.cancel() // the ticker ends
	request := testkit.Request("SET", "red", string(bytes.Repeat([]byte("x"), 1<<20)))
	for range 12 {
		c.Send(request)
	}
	testkit.Until(t, "the loop asks for a tick soon", func() bool {
		onLoop(t, l, l.onTick)
		return l.fast.Load()
	})
	release()
	testkit.Until(t, "the server has all requests", func() bool {
		onLoop(t, l, l.onTick)
		return len(count) == 1
	})
}
