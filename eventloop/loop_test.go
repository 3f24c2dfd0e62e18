package eventloop

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"ringmaster/internal/testkit"
	"ringmaster/shard"
	"ringmaster/stats"
)

func TestALoneRequestIsWrittenAtOnce(t *testing.T) {
	s := newScript(t)
	p := start(t, newConfig(t, s.Addr))
	a, b := p.dial(), p.dial()
	l := p.loops[0]
	clients := p.all(l)
	writes := func() uint64 { return l.stats.Upstreams[0].Servers[0].Writes }
	var before, now uint64
	onLoop(t, l, func() {
		l.mean = 0
		before, now = writes(), l.stats.FlushesNow
		clients[0].traffic([]byte(get("red")))
		if n := writes() - before; n != 1 || l.stats.FlushesNow != now+1 {
			t.Errorf("%d writes of a lone request within the callback", n)
		}
		clients[1].traffic([]byte(get("green")))
		if n := writes() - before; n != 1 {
			t.Errorf("%d writes, while a request was under way already", n)
		}
	})
	s.next().reply(t, bulk("red"))
	s.next().reply(t, bulk("green"))
	if got := a.Read1() + b.Read1(); got != bulk("red")+bulk("green") && got != bulk("green")+bulk("red") {
		t.Errorf("%q", got)
	}
	onLoop(t, l, func() {
		l.mean = loneMean + 1
		before = writes()
		clients[0].traffic([]byte(get("blue")))
		if n := writes() - before; n != 0 {
			t.Errorf("%d writes of the first client of a turn, while many are heard in each", n)
		}
	})
	s.next()
}

// all returns a loop's clients in the order in which they came.
func (p *proxy) all(l *loop) (all []*client) {
	p.t.Helper()
	onLoop(p.t, l, func() {
		all = slices.Clone(l.clients)
	})
	slices.SortFunc(all, func(a, b *client) int { return int(a.session.ID()) - int(b.session.ID()) })
	return all
}

func TestManyClientsHeardInOneTurnCauseOneWritePerServer(t *testing.T) {
	servers := []*script{newScript(t), newScript(t)}
	cfg := newConfig(t, servers[0].Addr, servers[1].Addr)
	p := start(t, cfg)
	l := p.loops[0]
	keys := keysOf(cfg.Upstreams[0].Map, 8)
	var clients []*testkit.Conn
	for range keys {
		clients = append(clients, p.dial())
	}
	onLoop(t, l, func() { l.mean = 16 * 256 })
	before := p.counters()[0]
	release := p.hold(l)
	for i, c := range clients {
		c.Send(get(keys[i]))
		delivered(t, c.Conn)
	}
	release()
	for _, s := range servers {
		for range 8 {
			a := s.next()
			a.reply(t, bulk(a.args[1]))
		}
	}
	for i, c := range clients {
		if got := c.Read1(); got != bulk(keys[i]) {
			t.Errorf("%q", got)
		}
	}
	after := p.counters()[0]
	for i := range servers {
		if n := after.Upstreams[0].Servers[i].Writes - before.Upstreams[0].Servers[i].Writes; n != 1 {
			t.Errorf("%d writes to server %d for the requests of a turn", n, i)
		}
	}
	if turns, requests := after.Turns-before.Turns, after.TurnRequests-before.TurnRequests; turns != 1 || requests != 16 {
		t.Errorf("%d turns with %d requests", turns, requests)
	}
}

// keysOf returns n keys of each server, those of the first server first.
func keysOf(m *shard.Map, n int) (keys []string) {
	per := make([]int, m.Len())
	for i := 0; len(keys) < n*m.Len(); i++ {
		key := fmt.Sprintf("key%d", i)
		if server := m.Lookup([]byte(key)); per[server] < n {
			per[server]++
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b string) int { return m.Lookup([]byte(a)) - m.Lookup([]byte(b)) })
	return keys
}

func TestAPipelineIsOneWrite(t *testing.T) {
	s := newScript(t)
	p := start(t, newConfig(t, s.Addr))
	c := p.dial()
	before := p.counters()[0]
	c.Send(strings.Repeat(get("red"), 100))
	for range 100 {
		s.next()
	}
	if n := p.counters()[0].Upstreams[0].Servers[0].Writes - before.Upstreams[0].Servers[0].Writes; n != 1 {
		t.Errorf("%d writes", n)
	}
}

// TestRepliesHeardInOneTurnAreOneWrite: replies of one server, and replies of two, which come in two callbacks.
func TestRepliesHeardInOneTurnAreOneWrite(t *testing.T) {
	for n := 1; n <= 2; n++ {
		t.Run(fmt.Sprintf("%d servers", n), func(t *testing.T) {
			var servers []*script
			var addrs []string
			for range n {
				servers = append(servers, newScript(t))
				addrs = append(addrs, servers[len(servers)-1].Addr)
			}
			cfg := newConfig(t, addrs...)
			p := start(t, cfg)
			c := p.dial()
			keys := keysOf(cfg.Upstreams[0].Map, 5)
			want := ""
			for _, key := range keys {
				want += bulk(key)
				c.Send(get(key))
			}
			var requests []asked
			for _, s := range servers {
				for range 5 {
					requests = append(requests, s.next())
				}
			}
			before := p.counters()[0].ClientWrites
			release := p.hold(p.loops[0])
			for _, a := range requests {
				a.reply(t, bulk(a.args[1]))
				delivered(t, a.from.Conn)
			}
			release()
			got := ""
			for range keys {
				got += c.Read1()
			}
			if writes := p.counters()[0].ClientWrites - before; got != want || writes != 1 {
				t.Errorf("%d writes; %q", writes, got)
			}
		})
	}
}

// TestATurnsEndComesAgainWhenFlushingMakesNewWork: each answer is over the client's limit, so the next request waits
// until the answer is written, and runs in a further pass. There are no ticks that would end the turn.
func TestATurnsEndComesAgainWhenFlushingMakesNewWork(t *testing.T) {
	cfg := newConfig(t, echoing(t).Addr)
	cfg.Listeners[0].Session.OutputLimit = 1000
	p := start(t, cfg)
	c := p.dial()
	cl := p.client()
	l := p.loops[0]
	p.stopTicks(l)
	text := strings.Repeat("x", 2000)
	onLoop(t, l, func() {
		l.mean = 0
		before := l.stats.ClientWrites
		cl.traffic([]byte(strings.Repeat(testkit.Request("ECHO", text), 20)))
		if n := l.stats.ClientWrites - before; n != maxPasses || !l.armed {
			t.Errorf("%d writes in a turn's end, another is to come: %v", n, l.armed)
		}
	})
	for range 20 {
		if got := c.Read1(); got != bulk(text) {
			t.Fatalf("%.20q", got)
		}
	}
}

// TestLongWorkGoesOnByItself: the proxy answers a client's requests itself, a piece between two polls. All of them
// come in one read, so nothing else wakes the loop.
func TestLongWorkGoesOnByItself(t *testing.T) {
	const requests = 20000
	p := start(t, newConfig(t, echoing(t).Addr))
	c := p.dial()
	l := p.loops[0]
	p.stopTicks(l)
	release := p.hold(l)
	c.Send(strings.Repeat("PING\r\n", requests))
	delivered(t, c.Conn)
	release()
	for i := range requests {
		if got := c.Read1(); got != "+PONG\r\n" {
			t.Fatalf("reply %d: %q", i, got)
		}
	}
}

func TestAPostIsATurnOfItsOwn(t *testing.T) {
	p := start(t, newConfig(t, echoing(t).Addr))
	c := p.dial()
	cl := p.client()
	l := p.loops[0]
	p.stopTicks(l)
	var before, after int64
	onLoop(t, l, func() { before = l.conns.Now })
	onLoop(t, l, func() {
		after = l.conns.Now
		cl.session.Feed([]byte(testkit.Request("PING")))
		if l.armed {
			t.Error("the turn's end is on the queue")
		}
	})
	if after <= before {
		t.Errorf("the clock stands still: %d, %d", before, after)
	}
	if got := c.Read1(); got != "+PONG\r\n" {
		t.Errorf("%q", got)
	}
}

func TestTheClockIsReadOncePerTurn(t *testing.T) {
	p := start(t, newConfig(t, newScript(t).Addr))
	p.dial()
	cl := p.client()
	l := p.loops[0]
	onLoop(t, l, func() {
		l.mean = loneMean + 1
		cl.traffic([]byte(get("red"))) // its end is on the queue
		now := l.conns.Now
		cl.traffic([]byte(get("green")))
		if !l.armed || l.conns.Now != now {
			t.Error("a turn has two times")
		}
	})
}

// TestSocketsAreClosedAfterTheRepliesAreWritten: a client gets its replies before it is closed.
func TestSocketsAreClosedAfterTheRepliesAreWritten(t *testing.T) {
	p := start(t, newConfig(t, echoing(t).Addr))
	c := p.dial()
	c.Send(testkit.Request("PING") + testkit.Request("QUIT"))
	if got, err := c.Rest(); got != "+PONG\r\n+OK\r\n" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	p.untilClosed(stats.Quit, 1)
}

func TestALoopWithoutTurnsIsNotCrowded(t *testing.T) {
	l := &loop{stats: stats.NewLoop(0), mean: 5 * 256}
	for i, want := range []int64{5 * 256, 0, 5 * 256} {
		if i != 1 {
			l.stats.Turns++
		}
		l.measureCrowd()
		if got := l.crowd.Load(); got != want {
			t.Errorf("look %d: %d", i, got)
		}
	}
}
