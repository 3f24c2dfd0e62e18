package eventloop

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"ringmaster/internal/testkit"
	"ringmaster/pool"
	"ringmaster/stats"
)

func TestShutdownWaitsForWhatIsOwed(t *testing.T) {
	s := newScript(t)
	cfg := newConfig(t, s.Addr)
	cfg.Loops = 2
	p := start(t, cfg)
	idle, busy := p.dial(), p.dial()
	busy.Send(get("red"))
	red := s.next()
	ended := p.shutDown(context.Background())
	if got, err := idle.Rest(); got != "" || err != nil {
		t.Errorf("the idle client: %q, %v", got, err)
	}
	select {
	case err := <-ended:
		t.Fatalf("it has ended while a reply is owed: %v", err)
	default:
	}
	busy.Send(get("green")) // is not read
	red.reply(t, bulk("red"))
	if got, err := busy.Rest(); got != bulk("red") || err != nil {
		t.Errorf("the busy client: %q, %v", got, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	var n uint64
	for _, l := range p.loops {
		n += l.stats.ClientsClosed[stats.Shutdown]
	}
	if n != 2 || len(s.asked) != 0 {
		t.Errorf("%d clients closed by the shutdown; %d more requests", n, len(s.asked))
	}
}

func TestShutdownCutsWhatIsLeftAndCountsIt(t *testing.T) {
	s := newScript(t)
	p := start(t, newConfig(t, s.Addr))
	clients := []*testkit.Conn{p.dial(), p.dial()}
	for _, c := range clients {
		c.Send(get("red"))
		s.next()
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := p.shutDown(ctx)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "2 clients were cut off") {
		t.Errorf("shutdown: %v", err)
	}
	for _, c := range clients {
		got, err := c.Rest()
		if want := "-ERR the proxy is shutting down; the command may have run\r\n"; got != want || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
}

func TestShutdownStopsAccepting(t *testing.T) {
	s := newScript(t)
	cfg := newConfig(t, s.Addr)
	cfg.add(t, "unix", "tcp")
	p := start(t, cfg)
	c := p.dial()
	c.Send(get("red"))
	red := s.next()
	ended := p.shutDown(context.Background())
	for i := range cfg.Listeners {
		if other, err := testkit.Connect(p.addr(i)); err == nil {
			other.Close()
			t.Errorf("listener %d accepts during a shutdown", i)
		}
	}
	red.reply(t, bulk("red"))
	if got := c.Read1(); got != bulk("red") {
		t.Errorf("%q", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestAClientThatIsAcceptedDuringAShutdownIsRefused: it was in the listener's queue.
func TestAClientThatIsAcceptedDuringAShutdownIsRefused(t *testing.T) {
	p := start(t, newConfig(t, echoing(t).Addr))
	ours, theirs := pair(t)
	p.stopping.Store(true)
	p.admit(p.acceptors[0], ours)
	p.stopping.Store(false)
	if got, err := testkit.NewConn(theirs).Rest(); got != refusal || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// TestAClientThatComesToALoopThatDrainsIsClosed: it was accepted just before the shutdown.
func TestAClientThatComesToALoopThatDrainsIsClosed(t *testing.T) {
	p := start(t, newConfig(t, echoing(t).Addr))
	onLoop(t, p.loops[0], func() { p.loops[0].draining = true })
	c := testkit.Dial(t, p.addr(0))
	if got, err := c.Rest(); got != "" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	p.untilClosed(stats.Shutdown, 1)
}

func TestNothingRunsAfterShutdown(t *testing.T) {
	s := newScript(t)
	cfg := newConfig(t, s.Addr)
	cfg.Loops = 2
	p := start(t, cfg)
	if err := p.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.Shutdown(t.Context()); err == nil {
		t.Error("a second shutdown is no error")
	}
	for i, l := range p.loops {
		if err := l.post(func() { t.Errorf("loop %d runs", i) }); err != errStopped {
			t.Errorf("a post to loop %d: %v", i, err)
		}
	}
	if _, err := p.Snapshot(t.Context()); !errors.Is(err, errStopped) {
		t.Errorf("a snapshot: %v", err)
	}
	if err := p.Ready(t.Context()); !errors.Is(err, errStopped) {
		t.Errorf("ready: %v", err)
	}
	p.Upstream("default").Follow(cfg.Upstreams[0].Map)
	p.Upstream("default").Judge(pool.Health{})
}

func TestALoopThatIsBusyIsNotWaitedForLongerThanAsked(t *testing.T) {
	cfg := newConfig(t, echoing(t).Addr)
	cfg.Loops = 2
	p := start(t, cfg)
	defer p.hold(p.loops[1])()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Snapshot(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a snapshot: %v", err)
	}
	if err := p.Ready(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("ready: %v", err)
	}
}

func TestASnapshotIsOfAllLoops(t *testing.T) {
	cfg := newConfig(t, echoing(t).Addr)
	cfg.Loops, cfg.MaxClients = 3, 3
	p := start(t, cfg)
	for range 3 {
		p.dial()
	}
	if got, err := testkit.Dial(t, p.addr(0)).Rest(); got != refusal || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	loops := p.counters()
	if len(loops) != 3 {
		t.Fatalf("%d loops", len(loops))
	}
	for i, l := range loops {
		if l.ClientsOpened != 1 || l.ClientsRefused != map[int]uint64{0: 1}[i] {
			t.Errorf("loop %d: %d opened, %d refused", i, l.ClientsOpened, l.ClientsRefused)
		}
	}
	loops[0].ClientsOpened = 100 // is a copy
	if n := p.counters()[0].ClientsOpened; n != 1 {
		t.Errorf("%d opened", n)
	}
}

func TestReadyNamesTheServersThatAreDownOnce(t *testing.T) {
	down := testkit.Loopback(testkit.FreePort(t))
	cfg := newConfig(t, echoing(t).Addr, down)
	cfg.Loops = 2
	cfg.Upstreams[0].Pool.BackoffMin, cfg.Upstreams[0].Pool.BackoffMax = time.Hour, time.Hour
	p := startUnready(t, cfg)
	var err error
	testkit.Until(t, "a dial has failed on both loops", func() bool {
		err = p.Ready(t.Context())
		return err != nil && strings.Contains(err.Error(), "refused") && !strings.Contains(err.Error(), "connecting")
	})
	if n := strings.Count(err.Error(), down+" ("); n != 1 || strings.Contains(err.Error(), cfg.Upstreams[0].Map.Server(0).Name) {
		t.Errorf("%v", err)
	}
}

// TestFollowIsATurnOfItsOwn: the dial begins although there are no ticks.
func TestFollowIsATurnOfItsOwn(t *testing.T) {
	a, b, c := newScript(t), newScript(t), newScript(t)
	cfg := newConfig(t, a.Addr)
	cfg.Loops = 2
	p := start(t, cfg)
	for _, l := range p.loops {
		p.stopTicks(l)
	}
	p.Upstream("default").Follow(mapOf(t, b.Addr))
	p.Upstream("default").Follow(mapOf(t, c.Addr)) // the later call counts
	testkit.Until(t, "connections to the new server", func() bool { return c.Accepted() == 2 && p.Ready(t.Context()) == nil })
	for range 2 {
		client := p.dial()
		client.Send(get("red"))
		c.next().reply(t, bulk("red"))
		if got := client.Read1(); got != bulk("red") {
			t.Errorf("%q", got)
		}
	}
}

// TestJudgeReachesEveryLoop: a server that has answered the control plane is dialled before its pause is over.
func TestJudgeReachesEveryLoop(t *testing.T) {
	port := testkit.FreePort(t)
	cfg := newConfig(t, testkit.Loopback(port))
	cfg.Loops = 2
	cfg.Upstreams[0].Pool.BackoffMin, cfg.Upstreams[0].Pool.BackoffMax = time.Hour, time.Hour
	p := startUnready(t, cfg)
	testkit.Until(t, "dials have failed", func() bool {
		loops := p.counters()
		return loops[0].Upstreams[0].Servers[0].ConnectFailures > 0 && loops[1].Upstreams[0].Servers[0].ConnectFailures > 0
	})
	ln, err := net.Listen("tcp", testkit.Loopback(port))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	p.Upstream("default").Judge(pool.Health{cfg.Upstreams[0].Map.Server(0).Addr: {Heard: time.Now()}})
	for range 2 {
		defer acceptOne(t, ln).Close()
	}
}

func TestAServerHasALoopAtLeast(t *testing.T) {
	cfg := newConfig(t, echoing(t).Addr)
	cfg.Loops, cfg.Logger = 0, nil
	p := start(t, cfg)
	if len(p.loops) != 1 {
		t.Errorf("%d loops", len(p.loops))
	}
	p.dial()
}
