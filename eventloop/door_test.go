package eventloop

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ringmaster/internal/testkit"
	"ringmaster/stats"
)

func TestListenersComeAndGo(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			cfg := newConfig(t, echoing(t).Addr)
			cfg.Loops = 2
			p := start(t, cfg)
			stays := p.dial()
			ln := listen(t, network)
			addr := ln.Addr().String()
			for round := range 3 {
				next := plan(cfg)
				next.listener("next", ln, 0)
				p.must(next)
				var clients []*testkit.Conn
				for range 4 { // of both loops
					clients = append(clients, p.dialAt(1))
				}
				if got := clients[0].Do("GET", "red"); got != bulk("red") {
					t.Fatalf("%q", got)
				}
				p.must(plan(cfg))
				var err error
				if ln, err = net.Listen(network, addr); err != nil {
					t.Fatalf("its address is not free: %v", err)
				}
				for _, c := range clients {
					if got, err := c.Rest(); got != "" || err != nil {
						t.Errorf("a client of it: %q, %v", got, err)
					}
				}
				p.untilClosed(stats.ListenerClosed, uint64(4*(round+1)))
				if got := stays.Do("GET", "green"); got != bulk("green") {
					t.Errorf("a client of the other: %q", got)
				}
			}
			ln.Close()
			p.untilForgotten(1)
		})
	}
}

// untilForgotten waits until every loop has forgotten the shut doors and has the given number of upstreams.
func (p *proxy) untilForgotten(upstreams int) {
	p.t.Helper()
	for _, l := range p.loops {
		testkit.Until(p.t, "all that is gone is forgotten", func() (ok bool) {
			onLoop(p.t, l, func() { ok = len(l.shut) == 0 && len(l.upstreams) == upstreams && len(l.stats.Upstreams) == upstreams })
			return ok
		})
	}
}

func TestAClientOfAClosedListenerGetsWhatItIsOwed(t *testing.T) {
	s := newScript(t)
	cfg := newConfig(t, s.Addr)
	p := start(t, cfg)
	next := plan(cfg)
	next.listener("next", listen(t, "tcp"), 0)
	p.must(next)
	c := p.dialAt(1)
	c.Send(get("red"))
	red := s.next()
	p.must(plan(cfg))
	testkit.Until(t, "its clients finish", func() (ok bool) {
		onLoop(t, p.loops[0], func() { ok = !p.loops[0].sessions.HasWork() })
		return ok
	})
	c.Send(get("green")) // is not read
	red.reply(t, bulk("red"))
	if got, err := c.Rest(); got != bulk("red") || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	p.untilClosed(stats.ListenerClosed, 1)
	if len(s.asked) != 0 {
		t.Error("a request was heard after the listener was closed")
	}
}

// TestAClientThatBlocksAtAClosedListenerIsTold: the server reports that nothing ran.
func TestAClientThatBlocksAtAClosedListenerIsTold(t *testing.T) {
	redis := testkit.Redis(t)
	cfg := newConfig(t, redis.Addr)
	cfg.FarewellTime = testkit.Patience
	p := start(t, cfg)
	next := plan(cfg)
	next.listener("next", listen(t, "tcp"), 0)
	p.must(next)
	c := p.dialAt(1)
	c.Send(testkit.Request("BLPOP", "q", "0"))
	direct := testkit.Dial(t, redis.Addr)
	testkit.Until(t, "it blocks", func() bool { return strings.Contains(direct.Do("INFO", "clients"), "blocked_clients:1") })
	p.must(plan(cfg))
	if got, err := c.Rest(); got != "-ERR the proxy no longer listens on this address; the command was waiting and did not run\r\n" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestAClientOfAClosedListenerIsCutAtTheDrainTimeout(t *testing.T) {
	s := newScript(t)
	cfg := newConfig(t, s.Addr)
	p := start(t, cfg)
	next := plan(cfg)
	next.listener("next", listen(t, "tcp"), 0)
	p.must(next)
	c, quits, other := p.dialAt(1), p.dialAt(1), p.dial()
	c.Send(get("red"))
	quits.Send(get("red") + testkit.Request("QUIT"))
	other.Send(get("green"))
	for range 3 {
		s.next()
	}
	last := plan(cfg)
	last.DrainTimeout = 1
	p.must(last)
	for _, c := range []*testkit.Conn{c, quits} {
		if got, err := c.Rest(); got != "" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
	p.untilClosed(stats.ListenerClosed, 1)
	p.untilClosed(stats.Quit, 1)
	p.untilForgotten(1)
	onLoop(t, p.loops[0], func() {
		if n := len(p.loops[0].clients); n != 1 {
			t.Errorf("%d clients are left", n)
		}
	})
}

// TestAClientThatComesToAClosedListenerIsDrained: it was accepted before the close. Its upstream may be gone by then,
// too.
func TestAClientThatComesToAClosedListenerIsDrained(t *testing.T) {
	cfg := newConfig(t, echoing(t).Addr)
	p := start(t, cfg)
	next := plan(cfg)
	next.upstream(t, "b", echoing(t).Addr)
	next.listener("next", listen(t, "tcp"), 0)
	next.listener("b", listen(t, "tcp"), 1)
	p.must(next)
	gone := p.acceptors[1:]
	p.must(plan(cfg))
	p.untilForgotten(1)
	for i, a := range gone {
		ours, theirs := pair(t)
		p.admit(a, ours)
		if got, err := testkit.NewConn(theirs).Rest(); got != "" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		p.untilClosed(stats.ListenerClosed, uint64(i+1))
	}
	p.dial()
}

// TestManyClientsAreDrainedInPieces: other clients do not wait until all of them are closed.
func TestManyClientsAreDrainedInPieces(t *testing.T) {
	const clients = 200
	cfg := newConfig(t, echoing(t).Addr)
	p := start(t, cfg)
	next := plan(cfg)
	next.listener("next", listen(t, "tcp"), 0)
	p.must(next)
	for range clients {
		p.dialAt(1)
	}
	l := p.loops[0]
	onLoop(t, l, func() {
		d := p.acceptors[1].to.Load().on[0]
		d.Shut()
		d.Cut()
		l.sessions.Work()
		l.flush()
		if n := d.Clients(); n < clients/2 || n == clients {
			t.Errorf("%d of %d clients are left after a turn", n, clients)
		}
	})
	p.untilClosed(stats.ListenerClosed, clients)
}

func TestAListenerThatStaysKeepsItsSocket(t *testing.T) {
	cfg := newConfig(t, echoing(t).Addr)
	cfg.add(t, "unix")
	p := start(t, cfg)
	tcp, unix := p.dialAt(0), p.dialAt(1)
	before := p.Addrs()
	next := plan(cfg)
	next.Listeners[1].Listener = p.acceptors[1].Listener // the same again
	p.must(plan(cfg))
	p.must(next)
	for i, c := range []*testkit.Conn{tcp, unix} {
		if got := c.Do("GET", "red"); got != bulk("red") || p.Addrs()[i] != before[i] {
			t.Errorf("listener %d: %q", i, got)
		}
		p.dialAt(i)
	}
}

// TestANewSocketTakesTheOldOnesPlace: clients stay. A unix socket may have the same path, if that was removed.
func TestANewSocketTakesTheOldOnesPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	unix := func() net.Listener {
		ln, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		return ln
	}
	cfg := newConfig(t, echoing(t).Addr)
	cfg.Listeners = append(cfg.Listeners, open("unix", unix(), cfg.Listeners[0].Session))
	p := start(t, cfg)
	clients := []*testkit.Conn{p.dialAt(0), p.dialAt(1)}
	old := p.addr(0)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	next := plan(cfg)
	next.Listeners[0].Listener, next.Listeners[1].Listener = listen(t, "tcp"), unix()
	p.must(next)
	for i, c := range clients {
		if got := c.Do("GET", "red"); got != bulk("red") {
			t.Errorf("client %d: %q", i, got)
		}
		p.dialAt(i)
	}
	if c, err := testkit.Connect(old); err == nil {
		c.Close()
		t.Error("the old socket is open")
	}
}

func TestAListenerGetsAnotherName(t *testing.T) {
	cfg := newConfig(t, echoing(t).Addr)
	cfg.add(t, "tcp")
	p := start(t, cfg)
	c := p.dialAt(1)
	next := plan(cfg)
	next.Listeners[1].Name, next.Listeners[1].Listener = "renamed", p.acceptors[1].Listener
	p.must(next)
	next.Listeners[1].Listener = nil
	p.must(next)
	if got := c.Do("GET", "red"); got != bulk("red") {
		t.Errorf("%q", got)
	}
	p.dialAt(1)
	for what, spoil := range map[string]func(*Plan){
		"twice":             func(p *Plan) { p.listener("again", p.Listeners[1].Listener, 0) },
		"for a running one": func(p *Plan) { p.Listeners[0].Listener = p.Listeners[1].Listener },
	} {
		wrong := next
		wrong.Listeners = append([]Listener(nil), next.Listeners...)
		wrong.Listeners[1].Listener = p.acceptors[1].Listener
		spoil(&wrong)
		if err := p.Apply(t.Context(), wrong); err == nil || !strings.Contains(err.Error(), "another's") {
			t.Errorf("a socket %s: %v", what, err)
		}
	}
	p.dialAt(1)
}

func TestAListenerThatLeadsElsewhereDrainsItsClients(t *testing.T) {
	a, b := newScript(t), named(t, "b")
	cfg := newConfig(t, a.Addr)
	cfg.Upstreams = append(cfg.Upstreams, Upstream{Name: "b", Map: mapOf(t, b.Addr), Pool: cfg.Upstreams[0].Pool})
	cfg.add(t, "tcp")
	p := start(t, cfg)
	moves, stays := p.dialAt(0), p.dialAt(1)
	moves.Send(get("red"))
	red := a.next()
	next := plan(cfg)
	next.Listeners[0].Upstream = 1
	p.must(next)
	if got := p.dialAt(0).Do("GET", "red"); got != bulk("b") {
		t.Errorf("a new client: %q", got)
	}
	red.reply(t, bulk("a"))
	if got, err := moves.Rest(); got != bulk("a") || err != nil {
		t.Errorf("a client from before: %q, %v", got, err)
	}
	stays.Send(get("red"))
	a.next().reply(t, bulk("a"))
	if got := stays.Read1(); got != bulk("a") {
		t.Errorf("the other listener's client: %q", got)
	}
	p.untilClosed(stats.ListenerClosed, 1)
	p.untilForgotten(2)
}

// TestAClientThatWaitsForItsDoorEndsWithTheServer: it was accepted while a loop still had no door for it.
func TestAClientThatWaitsForItsDoorEndsWithTheServer(t *testing.T) {
	s := &Server{}
	var cancel context.CancelFunc
	s.ctx, cancel = context.WithCancel(t.Context())
	cancel()
	a := &acceptor{}
	a.to.Store(&entrance{ready: make(chan struct{})})
	ours, theirs := pair(t)
	s.admit(a, ours)
	if got, err := testkit.NewConn(theirs).Rest(); got != "" || err != nil || s.clients.Load() != 0 {
		t.Errorf("%q, %v; %d clients", got, err, s.clients.Load())
	}
}
