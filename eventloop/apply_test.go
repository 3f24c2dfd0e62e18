package eventloop

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ringmaster/internal/testkit"
	"ringmaster/pool"
	"ringmaster/session"
)

// plan makes a plan that keeps everything of cfg: all sockets and maps stay.
func plan(cfg Config) Plan {
	p := Plan{Listeners: slices.Clone(cfg.Listeners), Upstreams: slices.Clone(cfg.Upstreams), MaxClients: cfg.MaxClients, MaxOwn: cfg.MaxOwn, ClientMemory: cfg.ClientMemory, FarewellTime: cfg.FarewellTime,
		DrainTimeout: testkit.Patience}
	for i := range p.Listeners {
		p.Listeners[i].Listener = nil
	}
	for i := range p.Upstreams {
		p.Upstreams[i].Map = nil
	}
	return p
}

// listener adds a listener like the first of the plan, to the upstream with this number.
func (p *Plan) listener(name string, ln net.Listener, upstream int) {
	l := p.Listeners[0]
	l.Name, l.Listener, l.Upstream = name, ln, upstream
	p.Listeners = append(p.Listeners, l)
}

// upstream adds an upstream like the first, with other servers.
func (p *Plan) upstream(t testing.TB, name string, servers ...string) {
	u := p.Upstreams[0]
	u.Name, u.Map = name, mapOf(t, servers...)
	p.Upstreams = append(p.Upstreams, u)
}

// must makes the proxy apply a plan.
func (p *proxy) must(plan Plan) {
	p.t.Helper()
	if err := p.Apply(p.t.Context(), plan); err != nil {
		p.t.Fatal(err)
	}
}

// dialAt connects a client to the nth listener.
func (p *proxy) dialAt(n int) *testkit.Conn {
	p.t.Helper()
	c := testkit.Dial(p.t, p.addr(n))
	if got := c.Do("PING"); got != "+PONG\r\n" {
		p.t.Fatalf("PING: %q", got)
	}
	return c
}

// isOpen reports whether a listener has not been closed.
func isOpen(ln net.Listener) bool { return ln.(*net.TCPListener).SetDeadline(time.Time{}) == nil }

// named starts a server that answers each request with its own name.
func named(t testing.TB, name string) *testkit.FakeShard {
	return testkit.NewFakeShard(t, testkit.Answering(func(int, []string) string { return bulk(name) }))
}

func TestAPlanThatIsWrongChangesNothing(t *testing.T) {
	cfg := newConfig(t, echoing(t).Addr)
	cfg.Upstreams[0].Map = mapOf(t, echoing(t).Addr, echoing(t).Addr)
	cfg.add(t, "tcp")
	p := start(t, cfg)
	other := mapOf(t, echoing(t).Addr, echoing(t).Addr)
	for what, spoil := range map[string]func(*Plan){
		"no listener":           func(p *Plan) { p.Listeners = nil },
		"no upstream":           func(p *Plan) { p.Upstreams = nil },
		"no name":               func(p *Plan) { p.Listeners[1].Name = "" },
		"a name twice":          func(p *Plan) { p.Listeners[0].Name = p.Listeners[1].Name },
		"an upstream's twice":   func(p *Plan) { p.upstream(t, "default", "127.0.0.1:1") },
		"no upstream's name":    func(p *Plan) { p.upstream(t, "", "127.0.0.1:1") },
		"no such upstream":      func(p *Plan) { p.Listeners[1].Upstream = 1 },
		"upstream -1":           func(p *Plan) { p.Listeners[1].Upstream = -1 },
		"no policy":             func(p *Plan) { p.Listeners[1].Policy = nil },
		"no socket":             func(p *Plan) { p.listener("b", nil, 0) },
		"new without a map":     func(p *Plan) { p.upstream(t, "b", "127.0.0.1:1"); p.Upstreams[1].Map = nil },
		"new, no connections":   func(p *Plan) { p.upstream(t, "b", "127.0.0.1:1"); p.Upstreams[1].Pool.Connections = 0 },
		"more connections":      func(p *Plan) { p.Upstreams[0].Pool.Connections = 2 },
		"other scripts":         func(p *Plan) { p.Upstreams[0].Pool.ScriptPolicy = pool.ScriptsOwn },
		"reads elsewhere":       func(p *Plan) { p.Upstreams[0].Pool.Reads = 1 },
		"a server loses number": func(p *Plan) { p.Upstreams[0].Map = mapOf(t, "127.0.0.1:1") },
	} {
		t.Run(what, func(t *testing.T) {
			wrong := plan(cfg)
			wrong.MaxClients = 1
			wrong.Upstreams[0].Map = other
			brought := listen(t, "tcp")
			wrong.listener("brought", brought, 0)
			wrong.Listeners[0].Listener = p.acceptors[0].Listener // its own socket
			spoil(&wrong)
			if err := p.Apply(t.Context(), wrong); err == nil {
				t.Fatal("it was applied")
			}
			if len(wrong.Listeners) > 2 && isOpen(brought) {
				t.Error("the socket that came with it is open")
			}
			brought.Close()
			if m := p.Upstream("default").of.m; m != cfg.Upstreams[0].Map || p.maxClients.Load() != 0 {
				t.Error("a part of it is in force")
			}
			p.dialAt(0).Close()
			p.dialAt(1).Close()
		})
	}
}

func TestNoPlanIsTakenWhileStopping(t *testing.T) {
	s := newScript(t)
	cfg := newConfig(t, s.Addr)
	p := start(t, cfg)
	c := p.dial()
	c.Send(get("red"))
	red := s.next()
	ended := p.shutDown(context.Background())
	late := plan(cfg)
	ln := listen(t, "tcp")
	late.listener("late", ln, 0)
	if err := p.Apply(t.Context(), late); err == nil || !strings.Contains(err.Error(), "stopping") {
		t.Errorf("%v", err)
	}
	if isOpen(ln) {
		t.Error("its socket is open")
	}
	red.reply(t, bulk("red"))
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := p.Apply(t.Context(), plan(cfg)); err == nil {
		t.Error("a plan was taken after the end")
	}
}

// TestAPlanIsCarriedOutThoughNobodyWaits: one loop applies it late.
func TestAPlanIsCarriedOutThoughNobodyWaits(t *testing.T) {
	cfg := newConfig(t, echoing(t).Addr)
	cfg.Loops = 2
	p := start(t, cfg)
	release := p.hold(p.loops[1])
	next := plan(cfg)
	next.listener("next", listen(t, "tcp"), 0)
	next.ClientMemory = 12345
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Apply(ctx, next); !errors.Is(err, context.Canceled) {
		t.Fatalf("%v", err)
	}
	onLoop(t, p.loops[0], func() {
		if n := p.loops[0].sessions.ClientMemory; n != 12345 {
			t.Errorf("client memory: %d", n)
		}
	})
	select {
	case <-p.acceptors[1].to.Load().ready:
		t.Error("clients may come to a loop that has no door for them")
	default:
	}
	c := testkit.Dial(t, p.addr(1)) // waits
	release()
	if got := c.Do("GET", "red"); got != bulk("red") {
		t.Errorf("%q", got)
	}
	onLoop(t, p.loops[1], func() {
		if n := p.loops[1].sessions.ClientMemory; n != 12345 {
			t.Errorf("client memory: %d", n)
		}
	})
}

func TestSettingsChangeWhileRunning(t *testing.T) {
	s := newScript(t)
	cfg := newConfig(t, s.Addr)
	cfg.Listeners[0].Session.DenyCommands = []string{"get"}
	p := start(t, cfg)
	c := p.dial()
	if got := c.Do("GET", "red"); !strings.HasPrefix(got, "-") {
		t.Fatalf("%q", got)
	}
	next := plan(cfg)
	next.MaxClients = 1
	next.Listeners[0].Session.DenyCommands = nil
	next.Listeners[0].Session.OutputLimit = 4321
	next.Upstreams[0].Pool.MaxPending = 77
	next.Upstreams[0].Session.Resubscribe = true
	p.must(next)
	if got, err := testkit.Dial(t, p.addr(0)).Rest(); got != refusal || err != nil {
		t.Errorf("a client over the new limit: %q, %v", got, err)
	}
	c.Send(get("red"))
	s.next().reply(t, bulk("red"))
	if got := c.Read1(); got != bulk("red") {
		t.Errorf("%q", got)
	}
	cl := p.client()
	onLoop(t, p.loops[0], func() {
		if d := cl.door(); d.Config.OutputLimit != 4321 || !d.Upstream.Resubscribe {
			t.Errorf("%+v, %+v", d.Config, d.Upstream)
		}
	})
	next.MaxClients = 0
	p.must(next)
	p.dial()
}

// TestAllLoopsHaveTheLatestMap: plans, maps and verdicts come from several goroutines, and reach every loop in one order.
func TestAllLoopsHaveTheLatestMap(t *testing.T) {
	cfg := newConfig(t, echoing(t).Addr)
	cfg.Loops = 3
	p := start(t, cfg)
	h := p.Upstream("default")
	var wg sync.WaitGroup
	for range 3 {
		m := mapOf(t, echoing(t).Addr)
		wg.Go(func() {
			for range 50 {
				h.Follow(m)
				h.Judge(nil)
				next := plan(cfg)
				next.Upstreams[0].Map = m
				if err := p.Apply(t.Context(), next); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for i, l := range p.loops {
		onLoop(t, l, func() {
			if l.upstreams[0].env.Map != h.of.m {
				t.Errorf("loop %d goes by an older map", i)
			}
		})
	}
	if n := h.of.joining.Load(); n != 0 {
		t.Errorf("%d maps are under way for ever", n)
	}
}

// TestPublishersAskWhileLoopsAreAtDifferentMaps: otherwise a message could be published by a new map and miss a
// subscriber of an old one.
func TestPublishersAskWhileLoopsAreAtDifferentMaps(t *testing.T) {
	cfg := newConfig(t, echoing(t).Addr)
	cfg.Loops = 2
	p := start(t, cfg)
	h := p.Upstream("default")
	joining := func() (any bool) {
		onLoop(t, p.loops[0], func() { any = p.loops[0].upstreams[0].env.Peers.AnyJoining() })
		return any
	}
	for what, change := range map[string]func(){
		"a map":  func() { h.Follow(mapOf(t, echoing(t).Addr)) },
		"a plan": func() { p.applyUnwaited(cfg, mapOf(t, echoing(t).Addr).Server(0).Addr) },
	} {
		release := p.hold(p.loops[1])
		change()
		if !joining() {
			t.Errorf("%s: publishers need not ask", what)
		}
		release()
		testkit.Until(t, "all loops have the map", func() bool { return !joining() })
	}
	release := p.hold(p.loops[1])
	p.applyUnwaited(cfg, "")
	h.Follow(h.of.m)
	if joining() {
		t.Error("publishers ask though no map has changed")
	}
	release()
	if err := p.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.Follow(mapOf(t, "127.0.0.1:1"))
	if n := h.of.joining.Load(); n != 0 {
		t.Errorf("%d are under way after the end", n)
	}
}

// applyUnwaited makes the proxy apply a plan with another server or, without one, with its current map.
func (p *proxy) applyUnwaited(cfg Config, server string) {
	p.t.Helper()
	next := plan(cfg)
	if server != "" {
		next.Upstreams[0].Map = mapOf(p.t, server)
	}
	ctx, cancel := context.WithCancel(p.t.Context())
	cancel()
	_ = p.Apply(ctx, next)
}

// TestALoopThatIsBehindAnswersWhenItHasTheMapToo: the question is where something is.
func TestALoopThatIsBehindAnswersWhenItHasTheMapToo(t *testing.T) {
	cfg := newConfig(t, echoing(t).Addr)
	cfg.Loops = 2
	p := start(t, cfg)
	h := p.Upstream("default")
	next := mapOf(t, echoing(t).Addr)
	heard := make(chan any, 2)
	l := p.loops[1]
	onLoop(t, l, func() {
		l.asked(h.of, 1, func(e *session.Env, answer func(any)) { answer(e.Map) }, func(a any) { heard <- a })
	})
	if len(heard) > 0 {
		t.Fatal("it answers before it has the map")
	}
	h.Follow(next)
	select {
	case m := <-heard:
		if m != any(next) {
			t.Error("it answers by its old map")
		}
	case <-time.After(testkit.Patience):
		t.Fatal("it does not answer")
	}
}

func TestALoopIsSoloOnlyWithOneConnection(t *testing.T) {
	cfg := newConfig(t, echoing(t).Addr)
	p := start(t, cfg)
	solo := func() (is bool) {
		onLoop(t, p.loops[0], func() { is = p.loops[0].solo })
		return is
	}
	if !solo() {
		t.Error("it is not solo to begin with")
	}
	next := plan(cfg)
	next.upstream(t, "b", echoing(t).Addr)
	if p.must(next); solo() {
		t.Error("it is solo with two upstreams")
	}
	p.must(plan(cfg))
	testkit.Until(t, "it is solo when the second is gone", solo)
	if p.Upstream("default").Follow(mapOf(t, echoing(t).Addr, echoing(t).Addr)); solo() {
		t.Error("it is solo with two servers")
	}
}
