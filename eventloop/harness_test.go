package eventloop

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"ringmaster/auth"
	"ringmaster/internal/testkit"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/shard"
	"ringmaster/stats"
)

// proxy is a Server under test, with one TCP listener at first. At the end of the test it is shut down, and its
// counts of clients must match.
type proxy struct {
	*Server
	t testing.TB
}

// newConfig makes a Config with one loop and one connection to each server.
func newConfig(t testing.TB, servers ...string) Config {
	t.Helper()
	return Config{
		Listeners: []Listener{open("first", listen(t, "tcp"), session.Config{
			Limits: parser.DefaultLimits(), QueryBufferLimit: 64 << 20, OutputLimit: 64 << 20, SubscriberOutputLimit: 1 << 20,
			MaxInFlight: 1000, MaxInFlightBytes: 64 << 20, FirstWindow: 1000,
		})}, Loops: 1, MaxOwn: 4,
		Logger: slog.New(slog.DiscardHandler),
		Upstreams: []Upstream{{Name: "default", Map: mapOf(t, servers...), Pool: pool.Config{
			Connections: 1, DialTimeout: testkit.Patience, BackoffMin: time.Millisecond, BackoffMax: 10 * time.Millisecond,
			MaxPending: 10000, MaxPendingBytes: 64 << 20,
		}}},
	}
}

// open makes a listener without a password.
func open(name string, ln net.Listener, cfg session.Config) Listener {
	return Listener{Name: name, Listener: ln, Session: cfg, Policy: auth.NewPolicy()}
}

// add makes more listeners like the first, on these networks.
func (c *Config) add(t testing.TB, networks ...string) {
	t.Helper()
	for _, network := range networks {
		c.Listeners = append(c.Listeners, open(fmt.Sprintf("listener %d", len(c.Listeners)), listen(t, network), c.Listeners[0].Session))
	}
}

func mapOf(t testing.TB, servers ...string) *shard.Map {
	t.Helper()
	var cfg shard.Config
	for _, addr := range servers {
		cfg.Servers = append(cfg.Servers, shard.Server{Name: addr, Addr: addr, Weight: 1})
	}
	m, err := shard.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// listen listens on a free address of network, "tcp" or "unix".
func listen(t testing.TB, network string) net.Listener {
	t.Helper()
	addr := "127.0.0.1:0"
	if network == "unix" {
		addr = filepath.Join(t.TempDir(), "s")
	}
	ln, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// start runs a proxy and waits until it is ready.
func start(t testing.TB, cfg Config) *proxy {
	t.Helper()
	p := startUnready(t, cfg)
	testkit.Until(t, "connections to all servers", func() bool { return p.Ready(t.Context()) == nil })
	return p
}

func startUnready(t testing.TB, cfg Config) *proxy {
	t.Helper()
	srv, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Server: srv, t: t}
	t.Cleanup(p.end)
	return p
}

// end stops the proxy, unless the test has, without waiting for owed replies. It checks that every client was counted
// in and out once, and that nothing panicked.
func (p *proxy) end() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if !p.stopping.Load() {
		if err := p.Shutdown(ctx); err != nil && !errors.Is(err, context.Canceled) {
			p.t.Errorf("shutdown: %v", err)
		}
	}
	if n, halves := p.clients.Load(), p.halves.Load(); n != 0 || halves != 0 {
		p.t.Errorf("%d clients and %d half-closed ones are counted after the end", n, halves)
	}
	for i, l := range p.loops {
		var closed uint64
		for _, n := range l.stats.ClientsClosed {
			closed += n
		}
		if busy := l.busy.Load(); l.stats.ClientsOpened != closed || busy != 0 || len(l.clients) != 0 || len(l.lingers) != 0 {
			p.t.Errorf("loop %d: %d clients opened, %d closed; %d busy, %d known, %d linger", i, l.stats.ClientsOpened, closed, busy,
				len(l.clients), len(l.lingers))
		}
		if n := l.stats.Panics; n != 0 {
			p.t.Errorf("loop %d: %d panics", i, n)
		}
	}
}

// addr returns the address of the nth listener.
func (p *proxy) addr(n int) string {
	a := p.Addrs()[n]
	if a.Network() == "unix" {
		return "unix://" + a.String()
	}
	return a.String()
}

// dial connects a client, and returns when its loop knows it.
func (p *proxy) dial() *testkit.Conn {
	p.t.Helper()
	c := testkit.Dial(p.t, p.addr(0))
	if got := c.Do("PING"); got != "+PONG\r\n" {
		p.t.Fatalf("PING: %q", got)
	}
	return c
}

// dialSlow connects a client with a small receive buffer.
func (p *proxy) dialSlow() *testkit.Conn {
	p.t.Helper()
	c := testkit.Dial(p.t, p.addr(0))
	if err := c.Conn.(*net.TCPConn).SetReadBuffer(64 << 10); err != nil {
		p.t.Fatal(err)
	}
	return c
}

// counters returns the counters of all loops.
func (p *proxy) counters() []stats.Loop {
	p.t.Helper()
	loops, err := p.Snapshot(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	return loops
}

// closed returns how many clients were closed for a reason.
func (p *proxy) closed(reason stats.CloseReason) (n uint64) {
	p.t.Helper()
	for _, l := range p.counters() {
		n += l.ClientsClosed[reason]
	}
	return n
}

// untilClosed waits until n clients were closed for a reason.
func (p *proxy) untilClosed(reason stats.CloseReason, n uint64) {
	p.t.Helper()
	testkit.Until(p.t, fmt.Sprintf("%d clients are closed: %v", n, reason), func() bool { return p.closed(reason) == n })
}

// untilHalves waits until n clients are half-closed.
func (p *proxy) untilHalves(n int64) {
	p.t.Helper()
	testkit.Until(p.t, fmt.Sprintf("%d clients are half-closed", n), func() bool { return p.halves.Load() == n })
}

// client returns the only client of the first loop.
func (p *proxy) client() (cl *client) {
	p.t.Helper()
	onLoop(p.t, p.loops[0], func() {
		if clients := p.loops[0].clients; len(clients) == 1 {
			cl = clients[0]
		}
	})
	if cl == nil {
		p.t.Fatal("the loop does not have one client")
	}
	return cl
}

// onLoop runs f on the loop, as a turn of its own, and waits for f.
func onLoop(t testing.TB, l *loop, f func()) {
	t.Helper()
	done := make(chan struct{})
	if err := l.post(func() { defer close(done); f() }); err != nil {
		t.Fatal(err)
	}
	select {
	case <-done:
	case <-time.After(testkit.Patience):
		t.Fatal("the loop does not answer")
	}
}

// hold keeps a loop from polling, so that everything that comes until release is called is read in one turn.
func (p *proxy) hold(l *loop) (release func()) {
	p.t.Helper()
	free := make(chan struct{})
	release = sync.OnceFunc(func() { close(free) })
	p.t.Cleanup(release)
	held := make(chan struct{})
	if err := l.post(func() { close(held); <-free }); err != nil {
		p.t.Fatal(err)
	}
	<-held
	return release
}

// stopTicks makes the ticker believe that the loop has not taken its latest tick yet, so that nothing happens because
// of a tick.
func (p *proxy) stopTicks(l *loop) {
	p.t.Helper()
	testkit.Until(p.t, "no tick is under way", func() bool { return !l.ticks.Swap(true) })
}

// shutDown begins to stop the proxy, and returns when the shutdown has begun.
func (p *proxy) shutDown(ctx context.Context) (ended <-chan error) {
	p.t.Helper()
	result := make(chan error, 1)
	go func() { result <- p.Shutdown(ctx) }()
	for _, l := range p.loops {
		testkit.Until(p.t, "the loop drains", func() (draining bool) {
			onLoop(p.t, l, func() { draining = l.draining })
			return draining
		})
	}
	return result
}
