package pool

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"ringmaster/shard"
	"ringmaster/stats"
)

// fixedMap is the map of a fixed list, by number; an empty name is one that is gone. NAME=ADDRESS has another address than NAME:1.
func fixedMap(t *testing.T, names ...string) *shard.Map {
	t.Helper()
	var servers []shard.Server
	for i, name := range names {
		name, addr, other := strings.Cut(name, "=")
		switch {
		case name == "":
			name = fmt.Sprintf("gone-%d", i)
		case !other:
			addr = name + ":1"
		}
		servers = append(servers, shard.Server{Name: name, Addr: addr, Weight: 1})
	}
	m, err := shard.New(shard.Config{Servers: servers})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// newFixedPool is a started pool for the servers A, B and so on of a fixed list.
func newFixedPool(t *testing.T, n int, change func(*Config)) *Pool {
	t.Helper()
	cfg := testConfig()
	cfg.Fixed = true
	if change != nil {
		change(&cfg)
	}
	return newTestPool(t, cfg, n, nil)
}

var pingRequest = []byte("*1\r\n$4\r\nPING\r\n")

// enqueue sends PING.
func enqueue(t *testing.T, c *Conn, a *asker, tag uint64) {
	t.Helper()
	if f := c.Enqueue(pingRequest, a, tag, Part); f != nil {
		t.Fatal(f)
	}
}

func TestServerThatIsTakenOutAnswersWhatWaitsForIt(t *testing.T) {
	for name, until := range map[string]func(*Conn, *fakeSocket){
		"while it is dialled": func(*Conn, *fakeSocket) {},
		"while it logs in":    func(c *Conn, s *fakeSocket) { c.OnOpen(s) },
		"when it is ready":    func(c *Conn, s *fakeSocket) { c.OnOpen(s); c.OnBytes([]byte("+OK\r\n")); s.wrote = nil },
	} {
		t.Run(name, func(t *testing.T) {
			p := newFixedPool(t, 2, nil)
			c, a, s := p.Default().Pick(1, 0), newAsker(t), &fakeSocket{}
			p.TakeDials(func(*Conn) {})
			enqueue(t, c, a, 1)
			until(c, s)
			p.Follow(fixedMap(t, "A", ""))
			checkPool(t, p)
			if f := p.Default().Pick(1, 0).Enqueue(pingRequest, a, 2, Part); f == nil || f.Server != "B" {
				t.Errorf("a later request: %+v", f)
			}
			if c.State() == Dialing {
				c.OnOpen(s)
			}
			if c.State() == Handshaking {
				c.OnBytes([]byte("+OK\r\n"))
				s.wrote = nil
			}
			p.Flush()
			if c.State() != Draining || string(s.wrote) != string(pingRequest) {
				t.Fatalf("the connection is %s, the server got %q", c.State(), s.wrote)
			}
			checkPool(t, p)
			c.OnBytes([]byte("+PONG\r\n"))
			p.Tick()
			if a.ends[1] != "+PONG\r\n" || c.State() != Retired || len(p.leaving) != 0 {
				t.Errorf("the reply is %q, the connection %s, %d leave", a.ends[1], c.State(), len(p.leaving))
			}
			checkPool(t, p)
		})
	}
}

func TestServerThatIsTakenOutAndCantBeReachedIsDialledOnce(t *testing.T) {
	for name, fails := range map[string]func(*Pool, *Conn){
		"refused":              func(_ *Pool, c *Conn) { c.OnDialFailed(errors.New("refused")) },
		"refuses the login":    func(_ *Pool, c *Conn) { c.OnOpen(&fakeSocket{}); c.OnBytes([]byte("-WRONGPASS x\r\n")) },
		"says nothing at all":  func(p *Pool, _ *Conn) { p.Now += int64(3 * time.Second); p.Tick() },
		"not within a timeout": func(p *Pool, c *Conn) { c.OnOpen(&fakeSocket{}); p.Now += int64(1500 * time.Millisecond); p.Tick() },
	} {
		t.Run(name, func(t *testing.T) {
			p := newFixedPool(t, 2, nil)
			c, a := p.Default().Pick(1, 0), newAsker(t)
			p.TakeDials(func(*Conn) {})
			enqueue(t, c, a, 1)
			p.Follow(fixedMap(t, "A", ""))
			fails(p, c)
			if a.ends[1] == "" {
				t.Error("its request waits on")
			}
			p.Now += int64(time.Hour)
			p.dials = nil
			p.tickLeaving()
			if c.State() != Retired || len(p.leaving) != 0 || p.WantsDial() {
				t.Errorf("the connection is %s, %d leave; dialled: %t", c.State(), len(p.leaving), p.WantsDial())
			}
			checkPool(t, p)
		})
	}
}

// In front of a cluster, what waits for a server that is gone must not reach it: its keys are elsewhere.
func TestServerThatHasLeftAClusterIsNotWaitedFor(t *testing.T) {
	p, numbers := newClusterPool(t, testConfig(), "A", "B")
	c, a := p.Default().Pick(1, 0), newAsker(t)
	p.TakeDials(func(*Conn) {})
	enqueue(t, c, a, 1)
	follow(t, p, numbers, "A")
	if c.State() != Retired || a.ends[1] == "" {
		t.Errorf("the connection is %s, the request ended with %q", c.State(), a.ends[1])
	}
	checkPool(t, p)
}

// holder is an Owner that notes the connections it has lost.
type holder struct{ lost []*Conn }

func (*holder) Pushed([]byte, Piece)          {}
func (h *holder) OwnLost(c *Conn, _ *Failure) { h.lost = append(h.lost, c) }

// lend gives a connection of its own to h that is ready.
func lend(t *testing.T, p *Pool, server int, h Owner) *Conn {
	t.Helper()
	p.MaxOwn = 100
	c, f := p.Lend(server, Key{Proto: 2}, h)
	if f != nil {
		t.Fatal(f)
	}
	if c.State() != Ready {
		ready(t, c)
	}
	return c
}

func TestOwnConnectionsToAServerThatIsTakenOut(t *testing.T) {
	p := newFixedPool(t, 2, func(cfg *Config) { cfg.Timeout, cfg.StallTimeout, cfg.Spare = 0, 0, 1 })
	ready(t, p.Default().Pick(0, 0))
	ready(t, p.Default().Pick(1, 0))
	h, a := &holder{}, newAsker(t)
	works, blocks, idle, spare := lend(t, p, 1, h), lend(t, p, 1, h), lend(t, p, 1, h), lend(t, p, 1, h)
	tidies := lend(t, p, 1, h)
	dialled, f := p.Lend(1, Key{Proto: 2}, h)
	if f != nil {
		t.Fatal(f)
	}
	spare.Return(true)
	p.own.warm = map[spareKey][]*Conn{}
	p.KeepSpare(1, Key{Proto: 3})
	warm := p.own.warm[spareKey{1, Key{Proto: 3}}][0]
	if works.EnqueueHere(pingRequest, a, 1, Part) != nil || blocks.EnqueueBlocking(pingRequest, a, 2, Part) != nil || dialled.EnqueueHere(pingRequest, a, 3, Part) != nil {
		t.Fatal("not enqueued")
	}
	if tidies.Tell("UNWATCH") != nil {
		t.Fatal("not enqueued")
	}
	p.Flush()
	p.Follow(fixedMap(t, "A", ""))
	if spare.State() != Retired || warm.State() != Retired {
		t.Errorf("a spare connection is %s, one that was to become so %s", spare.State(), warm.State())
	}
	if p.KeepSpare(1, Key{Proto: 3}); len(p.own.warm) != 0 {
		t.Error("another one is dialled")
	}
	checkPool(t, p)
	p.TakeDials(func(*Conn) {})
	dialled.OnOpen(&fakeSocket{})
	dialled.OnBytes([]byte("+OK\r\n"))
	idle.Return(true)
	if idle.State() != Retired {
		t.Errorf("a connection that was returned is %s", idle.State())
	}
	p.Now += int64(p.cfg.DialTimeout)
	p.Tick()
	if len(h.lost) != 0 {
		t.Errorf("%d connections were lost within the dial timeout", len(h.lost))
	}
	p.Now++
	p.Tick()
	if len(h.lost) != 2 || !slices.Contains(h.lost, blocks) || !slices.Contains(h.lost, tidies) || a.ends[2] == "" {
		t.Fatalf("%d connections were lost", len(h.lost))
	}
	p.Now += int64(time.Hour)
	p.Tick()
	works.OnBytes([]byte("+PONG\r\n"))
	dialled.OnBytes([]byte("+PONG\r\n"))
	if a.ends[1] != "+PONG\r\n" || a.ends[3] != "+PONG\r\n" {
		t.Errorf("%v", a.ends)
	}
	works.Return(true)
	checkPool(t, p)
	p.Tick()
	if works.State() != Retired || len(h.lost) != 3 || h.lost[2] != dialled || len(p.own.all) != 0 {
		t.Errorf("one is %s, %d were lost, %d are left", works.State(), len(h.lost), len(p.own.all))
	}
	checkPool(t, p)
}

// What is under way on a connection to the server that had a number before must not end because another gets it.
func TestOwnConnectionsOutlastThatTheirServersNumberIsGivenAway(t *testing.T) {
	p := newFixedPool(t, 2, nil)
	ready(t, p.Default().Pick(1, 0))
	h, a := &holder{}, newAsker(t)
	c := lend(t, p, 1, h)
	if f := c.EnqueueHere(pingRequest, a, 1, Part); f != nil {
		t.Fatal(f)
	}
	p.Flush()
	p.Follow(fixedMap(t, "A", ""))
	p.Follow(fixedMap(t, "A", "D"))
	if c.State() != Ready {
		t.Errorf("the connection is %s", c.State())
	}
	c.OnBytes([]byte("+PONG\r\n"))
	c.Return(true)
	if a.ends[1] != "+PONG\r\n" || c.State() != Retired || len(h.lost) > 0 || len(p.own.spare) > 0 {
		t.Errorf("%q; it is %s, %d lost", a.ends[1], c.State(), len(h.lost))
	}
	checkPool(t, p)
}

// lanesOf has n scripts wait for lanes to server B, of which one is ready.
func lanesOf(t *testing.T, p *Pool, a *asker, n int) *Conn {
	t.Helper()
	p.MaxOwn = 0 // one lane, whatever the limit
	shared := p.Default().Pick(1, 0)
	ready(t, shared)
	for i := range n {
		if f := shared.EnqueueFenced(pingRequest, a, uint64(i), Part, Scripts, 0); f != nil {
			t.Fatal(f)
		}
	}
	lane := p.laneOf(shared).conns[0]
	p.TakeDials(func(*Conn) {})
	return lane
}

// answerLane answers scripts over a lane, the first and so on before the last.
func answerLane(t *testing.T, p *Pool, lane *Conn, s *fakeSocket, first, last int) {
	t.Helper()
	for i := first; i < last; i++ {
		p.Flush()
		if !bytes.Contains(s.wrote, pingRequest) {
			t.Fatalf("script %d was not sent: %q", i, s.wrote)
		}
		s.wrote = nil
		lane.OnBytes(fmt.Appendf(nil, "+%d\r\n$16\r\nfence-0000000000\r\n", i))
	}
}

func TestLanesToAServerThatIsTakenOutGoOnUntilNothingWaits(t *testing.T) {
	for _, dialled := range []bool{false, true} {
		p := newFixedPool(t, 2, func(cfg *Config) {
			cfg.ScriptPolicy = ScriptsOwn
			cfg.Nonce = func(dst *[16]byte) { copy(dst[:], "fence-0000000000") }
		})
		a, s := newAsker(t), &fakeSocket{}
		lane := lanesOf(t, p, a, 5)
		if dialled {
			lane.OnOpen(s)
			lane.OnBytes([]byte("+OK\r\n+OK\r\n*0\r\n"))
		}
		p.Follow(fixedMap(t, "A", ""))
		p.Tick()
		if !dialled {
			lane.OnOpen(s)
			lane.OnBytes([]byte("+OK\r\n+OK\r\n*0\r\n"))
		}
		checkPool(t, p)
		answerLane(t, p, lane, s, 0, 3)
		p.Now += int64(p.cfg.DialTimeout) / 2
		p.Tick()
		answerLane(t, p, lane, s, 3, 5)
		p.Tick()
		for i := range 5 {
			if want := fmt.Sprintf("+%d\r\n", i); a.ends[uint64(i)] != want {
				t.Errorf("script %d: %q", i, a.ends[uint64(i)])
			}
		}
		if lane.State() != Retired || len(p.lanes) != 0 || len(p.own.all) != 0 {
			t.Errorf("the lane is %s; %d lanes, %d connections", lane.State(), len(p.lanes), len(p.own.all))
		}
		checkPool(t, p)
	}
}

// A lane that is lost is dialled again at the same server, though its number is another's.
func TestLanesToAServerThatIsTakenOutAreDialledAgain(t *testing.T) {
	p := newFixedPool(t, 2, func(cfg *Config) {
		cfg.ScriptPolicy = ScriptsOwn
		cfg.Nonce = func(dst *[16]byte) { copy(dst[:], "fence-0000000000") }
	})
	a, s := newAsker(t), &fakeSocket{}
	lane := lanesOf(t, p, a, 2)
	lane.OnOpen(s)
	lane.OnBytes([]byte("+OK\r\n+OK\r\n*0\r\n"))
	b := p.servers[1]
	p.Follow(fixedMap(t, "A", ""))
	p.Follow(fixedMap(t, "A", "D"))
	p.Flush()
	lane.OnClose(s, 0, errors.New("reset"))
	next := p.lanes[laneKey{b, Key{Proto: 2}}].conns[0]
	s = dialled(t, next)
	next.OnBytes([]byte("+OK\r\n+OK\r\n*0\r\n"))
	answerLane(t, p, next, s, 1, 2)
	if next.server != b || a.ends[1] != "+1\r\n" {
		t.Errorf("the next lane leads to %s; %v", next.server.Name, a.ends)
	}
	checkPool(t, p)
}

func TestLanesToAServerThatIsTakenOutEndWhenItCantBeReached(t *testing.T) {
	p := newFixedPool(t, 2, func(cfg *Config) { cfg.ScriptPolicy = ScriptsOwn })
	a := newAsker(t)
	lane := lanesOf(t, p, a, 2)
	p.Follow(fixedMap(t, "A", ""))
	lane.OnDialFailed(errors.New("refused"))
	p.Tick()
	if len(a.ends) != 2 || len(p.lanes) != 0 || p.WantsDial() {
		t.Errorf("%v; %d lanes", a.ends, len(p.lanes))
	}
	checkPool(t, p)
}

func TestProberOfAServerThatIsTakenOutEnds(t *testing.T) {
	p := newFixedPool(t, 2, func(cfg *Config) { cfg.Scripts = []bool{true} })
	c := p.Default().Pick(1, 0)
	ready(t, c)
	if f := c.Enqueue(pingRequest, newAsker(t), 1, 0); f != nil {
		t.Fatal(f)
	}
	p.Flush()
	p.Now += 2 * busyAfter
	p.Tick()
	prober := c.server.prober.conn
	if prober == nil || p.busy != 1 {
		t.Fatal("the server is not asked")
	}
	p.Follow(fixedMap(t, "A", ""))
	p.Follow(fixedMap(t, "A", "D"))
	ready(t, p.Default().Pick(1, 0))
	p.Now += 2 * busyAfter
	p.Tick()
	if prober.State() != Retired || c.server.prober.conn != nil || p.servers[1].prober.conn != nil {
		t.Error("somebody is asked")
	}
	checkPool(t, p)
	c.OnBytes([]byte("+PONG\r\n"))
	p.Tick()
	if p.busy != 0 || p.unpinned != 0 || p.lent != 0 {
		t.Errorf("%d are busy, %d lent, %d of them to nobody", p.busy, p.lent, p.unpinned)
	}
	checkPool(t, p)
}

func TestServerThatIsTakenOutDoesNotHaveItsSuccessorMadeAnew(t *testing.T) {
	p := newFixedPool(t, 2, nil)
	c := p.Default().Pick(1, 0)
	ready(t, c)
	enqueue(t, c, newAsker(t), 1)
	p.Flush()
	p.Follow(fixedMap(t, "A", ""))
	p.Follow(fixedMap(t, "A", "D"))
	d := p.Default().Pick(1, 0)
	s := ready(t, d)
	c.OnBytes([]byte("-READONLY You can't write against a read only replica.\r\n"))
	p.Tick()
	if d.State() != Ready || s.closed {
		t.Errorf("the connection to its successor is %s", d.State())
	}
	checkPool(t, p)
}

func TestFrozenConnectionToAServerThatIsTakenOutSendsWhatItHolds(t *testing.T) {
	p := newFixedPool(t, 2, nil)
	c, a := p.Default().Pick(1, 0), newAsker(t)
	s := ready(t, c)
	enqueue(t, c, a, 1)
	p.Flush()
	c.server.notPrimary(p)
	p.Tick()
	enqueue(t, c, a, 2)
	p.Flush()
	if !c.frozen || len(s.wrote) != len(pingRequest) {
		t.Fatalf("it is frozen: %t; %q was written", c.frozen, s.wrote)
	}
	p.Follow(fixedMap(t, "A", ""))
	p.Flush()
	c.OnBytes([]byte("+1\r\n+2\r\n"))
	if a.ends[1] != "+1\r\n" || a.ends[2] != "+2\r\n" || len(s.wrote) != 2*len(pingRequest) {
		t.Errorf("%v; %q was written", a.ends, s.wrote)
	}
	checkPool(t, p)
}

func TestServersAreRenamedInPlace(t *testing.T) {
	var out bytes.Buffer
	p := newTestPool(t, testConfig(), 2, slog.New(slog.NewTextHandler(&out, nil)))
	p.Follow(fixedMap(t, "A", "B=localhost:1"))
	c, a := p.Default().Pick(1, 0), newAsker(t)
	s := ready(t, c)
	enqueue(t, c, a, 1)
	p.stats.Servers[1].Writes = 77
	server := c.server
	p.Follow(fixedMap(t, "A", "beta=127.0.0.1:01"))
	if p.Default().Pick(1, 0) != c || c.State() != Ready || c.server != server || p.servers[1] != server {
		t.Fatalf("the connection is another one, or %s", c.State())
	}
	if server.Name != "beta" || server.Addr != "127.0.0.1:01" || p.serverAt([]byte("127.0.0.1:01")) != 1 || p.serverAt([]byte("localhost:1")) != -1 {
		t.Errorf("it is %s at %s", server.Name, server.Addr)
	}
	for _, f := range []*Failure{server.lost, server.overloaded, server.stopping, server.timedOut, server.timedOutUnsent, server.noReplica, c.down} {
		if f.Server != "beta" {
			t.Errorf("a failure names %s", f.Server)
		}
	}
	if p.stats.Servers[1].Writes != 77 || p.stats.Servers[1].Connections != 1 {
		t.Errorf("the counters are %+v", p.stats.Servers[1])
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
	if st := p.stats.Servers[1]; st.State != stats.ServerGone || st.Connects != 1 {
		t.Errorf("B, which is gone: %+v", st)
	}
	p.Follow(fixedMap(t, "A", "B"))
	if p.stats.Servers[1].Connects != 1 {
		t.Error("the counters of B are lost")
	}
	p.Follow(fixedMap(t, "A", ""))
	p.Follow(fixedMap(t, "A", "D"))
	if st := p.stats.Servers[1]; st.Connects != 0 || st.Requests != 0 || st.State != stats.ServerConnecting {
		t.Errorf("D begins with %+v", st)
	}
	checkPool(t, p)
	ready(t, p.Default().Pick(1, 0))
	b.OnBytes([]byte("+PONG\r\n"))
	p.Tick()
	if st := p.stats.Servers[1]; st.Connects != 1 || st.Connections != 1 || st.InFlight != 0 {
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
	p.Now += int64(p.cfg.DialTimeout)
	if got := downs(p); got != "CD" {
		t.Errorf("after the dial timeout %q is down", got)
	}
	other := New(p.Loop, *p.cfg, fixedMap(t, "X"), stats.NewLoop(8).AddUpstream("", 1), slog.New(slog.DiscardHandler))
	other.Start()
	if got := downs(other); got != "X" {
		t.Errorf("%q of another upstream is down, which came while some were", got)
	}
	for _, c := range []*Conn{p.Default().Pick(2, 0), p.Default().Pick(3, 0), other.Default().Pick(0, 0)} {
		if c.State() == Closed {
			c.dial()
		}
		ready(t, c)
	}
	third := New(p.Loop, *p.cfg, fixedMap(t, "Y"), stats.NewLoop(8).AddUpstream("", 1), slog.New(slog.DiscardHandler))
	third.Start()
	if got := downs(third); got != "" {
		t.Errorf("%q of a new upstream is down", got)
	}
}

// sizes are the lengths of all that could grow.
func (p *Pool) sizes() map[string]int {
	n := map[string]int{
		"servers": len(p.servers), "addresses": len(p.at), "stats": len(p.stats.Servers), "rings": len(p.rings), "lanes": len(p.lanes),
		"leaving": len(p.leaving), "own": len(p.own.all), "spare": len(p.own.spare), "warm": len(p.own.warm), "again": len(p.again),
		"reads": len(p.reads), "wanderers": len(p.wanderers), "busy": p.busy, "queued": p.queued, "in flight": p.InFlight,
		"dirty": len(p.dirty), "backlog": len(p.backlog), "dials": len(p.dials), "delayed": len(p.delayed), "lent": p.lent, "unpinned": p.unpinned,
		"connections counted": int(p.stats.OwnOpen), "lent counted": int(p.stats.OwnLent),
	}
	for _, r := range p.rings {
		n["connections"] += len(r.conns)
		n["waiters"] += len(r.waiters)
	}
	return n
}

func TestNothingGrowsWhileServersComeAndGo(t *testing.T) {
	p := newFixedPool(t, 3, func(cfg *Config) {
		cfg.ScriptPolicy, cfg.Scripts, cfg.Spare, cfg.BackoffMin = ScriptsOwn, []bool{true}, 1, time.Millisecond
	})
	p.MaxOwn = 100
	p.Rings(Key{Proto: 3}).Join()
	answer := func() {
		for p.WantsDial() || p.Backlogged() {
			var dials []*Conn
			p.TakeDials(func(c *Conn) { dials = append(dials, c) })
			for _, c := range dials {
				c.OnOpen(&fakeSocket{})
				for c.State() == Handshaking {
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
		_ = c.EnqueueFenced(pingRequest, a, 2, 0, Scripts, 0)
		if own, f := p.Lend(2, Key{Proto: 2}, h); f == nil {
			_ = own.EnqueueBlocking(pingRequest, a, 3, Part)
			p.KeepSpare(2, Key{Proto: 2})
		}
		p.ExpectScript(2)
		p.Flush()
		p.Follow(fixedMap(t, "A", "B=b-"+name+":1", ""))
		p.Follow(fixedMap(t, "A", "B", ""))
		answer()
		if n%2 == 0 {
			c.OnBytes([]byte("+PONG\r\n"))
		}
		p.Now += int64(p.cfg.StallTimeout) + int64(p.cfg.DialTimeout)
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
