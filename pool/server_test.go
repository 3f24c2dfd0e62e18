package pool

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ringmaster/pool/ask"
	"ringmaster/pool/conn"
	"ringmaster/stats"
)

func TestServersAreRenamedInPlace(t *testing.T) {
	var out bytes.Buffer
	p := newTestPool(t, testConfig(), 2, slog.New(slog.NewTextHandler(&out, nil)))
	p.Follow(fixedMap(t, "A", "B=localhost:1"))
	c, a := p.Default().Pick(1, 0), newAsker(t)
	s := ready(t, c)
	enqueue(t, c, a, 1)
	p.Counters.Servers[1].Writes = 77
	server := c.Server()
	p.Follow(fixedMap(t, "A", "beta=127.0.0.1:01"))
	if p.Default().Pick(1, 0) != c || c.State() != conn.Ready || c.Server() != server || p.servers[1] != server {
		t.Fatalf("the connection is another one, or %s", c.State())
	}
	if server.Name != "beta" || server.Addr != "127.0.0.1:01" || p.serverAt([]byte("127.0.0.1:01")) != 1 || p.serverAt([]byte("localhost:1")) != -1 {
		t.Errorf("it is %s at %s", server.Name, server.Addr)
	}
	for _, f := range []*ask.Failure{server.Lost, server.Overloaded, server.Stopping, server.TimedOut, server.TimedOutUnsent, server.NoReplica, c.Down()} {
		if f.Server != "beta" {
			t.Errorf("a failure names %s", f.Server)
		}
	}
	if p.Counters.Servers[1].Writes != 77 || p.Counters.Servers[1].Connections != 1 {
		t.Errorf("the counters are %+v", p.Counters.Servers[1])
	}
	p.Flush()
	c.OnClose(s, 0, errors.New("reset"))
	if !strings.Contains(out.String(), "server=beta") || len(a.ends) != 1 {
		t.Errorf("logged: %s; %v", &out, a.ends)
	}
	checkPool(t, p)
}

// A server that comes back at its address goes on with its counters; another server begins its own.
func TestCountersOfANumberThatIsUsedAgain(t *testing.T) {
	p := newFixedPool(t, 2, nil)
	b := p.Default().Pick(1, 0)
	ready(t, b)
	enqueue(t, b, newAsker(t), 1)
	p.Flush()
	p.Follow(fixedMap(t, "A", ""))
	if st := p.Counters.Servers[1]; st.State != stats.ServerGone || st.Connects != 1 {
		t.Errorf("B, which is gone: %+v", st)
	}
	p.Follow(fixedMap(t, "A", "B"))
	if p.Counters.Servers[1].Connects != 1 {
		t.Error("the counters of B are lost")
	}
	p.Follow(fixedMap(t, "A", ""))
	p.Follow(fixedMap(t, "A", "D"))
	if st := p.Counters.Servers[1]; st.Connects != 0 || st.Requests != 0 || st.State != stats.ServerConnecting {
		t.Errorf("D begins with %+v", st)
	}
	checkPool(t, p)
	ready(t, p.Default().Pick(1, 0))
	b.OnBytes([]byte("+PONG\r\n"))
	p.Tick()
	if st := p.Counters.Servers[1]; st.Connects != 1 || st.Connections != 1 || st.InFlight != 0 {
		t.Errorf("D has %+v", st)
	}
	checkPool(t, p)
}

func TestServerThatIsNewIsNotDownBeforeTheDialTimeout(t *testing.T) {
	downs := func(p *Pool) (names string) {
		for _, f := range p.Down() {
			names += f.Server
		}
		return names
	}
	p := newFixedPool(t, 1, nil)
	p.Follow(fixedMap(t, "A", "B"))
	if got := downs(p); got != "AB" {
		t.Errorf("at the start %q is down", got)
	}
	ready(t, p.Default().Pick(0, 0))
	if got := downs(p); got != "B" {
		t.Errorf("while the first connections are made %q is down", got)
	}
	ready(t, p.Default().Pick(1, 0))
	p.Follow(fixedMap(t, "A", "B", "C"))
	p.Follow(fixedMap(t, "A", "B", "C", "D"))
	if got := downs(p); got != "" {
		t.Errorf("%q is down, though it has just come", got)
	}
	p.Default().Pick(3, 0).OnDialFailed(errors.New("refused"))
	if got := downs(p); got != "D" {
		t.Errorf("%q is down, and D has failed", got)
	}
	p.Now += int64(p.Config.DialTimeout)
	if got := downs(p); got != "CD" {
		t.Errorf("after the dial timeout %q is down", got)
	}
	other := New(p.Loop, *p.Config, fixedMap(t, "X"), stats.NewLoop(8).AddUpstream("", 1), slog.New(slog.DiscardHandler))
	other.Start()
	if got := downs(other); got != "X" {
		t.Errorf("%q of another upstream is down, which came while some were", got)
	}
	for _, c := range []*conn.Conn{p.Default().Pick(2, 0), p.Default().Pick(3, 0), other.Default().Pick(0, 0)} {
		if c.State() == conn.Closed {
			c.Dial()
		}
		ready(t, c)
	}
	third := New(p.Loop, *p.Config, fixedMap(t, "Y"), stats.NewLoop(8).AddUpstream("", 1), slog.New(slog.DiscardHandler))
	third.Start()
	if got := downs(third); got != "" {
		t.Errorf("%q of a new upstream is down", got)
	}
}

// orders is how many clients have requests that are sent again.
func orders(p *Pool) (n int) {
	p.Orders.Each(func(ask.Client, int, int) { n++ })
	return n
}

// sizes are the lengths of all that could grow.
func (p *Pool) sizes() map[string]int {
	dirty, backlog, dials, delayed := conn.Lists(&p.Loop.Loop)
	n := map[string]int{
		"servers": len(p.servers), "addresses": len(p.at), "stats": len(p.Counters.Servers), "rings": len(p.rings), "lanes": len(p.lanes),
		"leaving": len(p.leaving), "own": len(p.own.all), "spare": len(p.own.spare), "warm": len(p.own.warm), "resends": len(p.resends.list),
		"reads": len(p.freeResends.list), "orders": orders(p), "busy": len(p.probes), "queued": p.queued, "in flight": p.InFlight,
		"dirty": dirty, "backlog": backlog, "dials": dials, "delayed": delayed, "lent": p.lent, "unpinned": p.unpinned,
		"connections counted": int(p.Counters.OwnOpen), "lent counted": int(p.Counters.OwnLent),
	}
	for _, r := range p.rings {
		n["connections"] += len(r.conns)
		n["waiters"] += len(r.waiters)
	}
	return n
}

func TestNothingGrowsWhileServersComeAndGo(t *testing.T) {
	p := newFixedPool(t, 3, func(cfg *conn.Config) {
		cfg.ScriptPolicy, cfg.Spare, cfg.BackoffMin = conn.ScriptsOwn, 1, time.Millisecond
	})
	p.MaxOwn = 100
	p.Rings(conn.Key{Proto: 3}).Join()
	answer := func() {
		for p.WantsDial() || p.Backlogged() {
			var dials []*conn.Conn
			p.TakeDials(func(c *conn.Conn) { dials = append(dials, c) })
			for _, c := range dials {
				c.OnOpen(&fakeSocket{})
				for c.State() == conn.Handshaking {
					c.OnBytes([]byte("+OK\r\n"))
				}
			}
			p.Tick()
		}
	}
	answer()
	var before map[string]int
	h := &holder{}
	for n := range 2000 {
		a := newAsker(t)
		name := fmt.Sprintf("S%d", n)
		if n%3 == 0 {
			name = "C" // an old one comes back
		}
		p.Follow(fixedMap(t, "A", "B", name))
		if n%5 != 0 { // some leave before they are reached
			answer()
		}
		c := p.Default().Pick(2, 0)
		enqueue(t, c, a, 1)
		_ = c.Enqueue(&ask.Request{Raw: pingRequest, Recv: a, Tag: 2, Carrier: ask.Scripts})
		if own, f := p.Lend(2, conn.Key{Proto: 2}, h); f == nil {
			_ = own.Enqueue(&ask.Request{Raw: pingRequest, Recv: a, Tag: 3, Manner: ask.Here | ask.Blocks})
			p.KeepSpare(2, conn.Key{Proto: 2})
		}
		p.ExpectScript(2)
		p.Flush()
		p.Follow(fixedMap(t, "A", "B=b-"+name+":1", ""))
		p.Follow(fixedMap(t, "A", "B", ""))
		answer()
		if n%2 == 0 {
			c.OnBytes([]byte("+PONG\r\n"))
		}
		p.Now += int64(p.Config.StallTimeout) + int64(p.Config.DialTimeout)
		for range 4 {
			p.Now += int64(time.Second)
			p.Tick()
			answer()
			p.Flush()
		}
		if len(a.ends) < 2 {
			t.Fatalf("round %d: %v", n, a.ends)
		}
		if sizes := p.sizes(); n == 3 {
			before = sizes
		} else if n > 3 && fmt.Sprint(sizes) != fmt.Sprint(before) {
			t.Fatalf("round %d:\n%v, in the third\n%v", n, sizes, before)
		}
		if n%100 == 0 {
			checkPool(t, p)
		}
	}
	checkPool(t, p)
}
