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

	"ringmaster/pool/ask"
	"ringmaster/pool/conn"
	"ringmaster/shard"
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
func newFixedPool(t *testing.T, n int, change func(*conn.Config)) *Pool {
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
func enqueue(t *testing.T, c *conn.Conn, a *asker, tag uint64) {
	t.Helper()
	if f := c.Enqueue(&ask.Request{Raw: pingRequest, Recv: a, Tag: tag}); f != nil {
		t.Fatal(f)
	}
}

func TestServerThatIsTakenOutAnswersWhatWaitsForIt(t *testing.T) {
	for name, until := range map[string]func(*conn.Conn, *fakeSocket){
		"while it is dialled": func(*conn.Conn, *fakeSocket) {},
		"while it logs in":    func(c *conn.Conn, s *fakeSocket) { c.OnOpen(s) },
		"when it is ready":    func(c *conn.Conn, s *fakeSocket) { c.OnOpen(s); c.OnBytes([]byte("+OK\r\n")); s.wrote = nil },
	} {
		t.Run(name, func(t *testing.T) {
			p := newFixedPool(t, 2, nil)
			c, a, s := p.Default().Pick(1, 0), newAsker(t), &fakeSocket{}
			p.TakeDials(func(*conn.Conn) {})
			enqueue(t, c, a, 1)
			until(c, s)
			p.Follow(fixedMap(t, "A", ""))
			checkPool(t, p)
			if f := p.Default().Pick(1, 0).Enqueue(&ask.Request{Raw: pingRequest, Recv: a, Tag: 2}); f == nil || f.Server != "B" {
				t.Errorf("a later request: %+v", f)
			}
			if c.State() == conn.Dialing {
				c.OnOpen(s)
			}
			if c.State() == conn.Handshaking {
				c.OnBytes([]byte("+OK\r\n"))
				s.wrote = nil
			}
			p.Flush()
			if c.State() != conn.Draining || string(s.wrote) != string(pingRequest) {
				t.Fatalf("the connection is %s, the server got %q", c.State(), s.wrote)
			}
			checkPool(t, p)
			c.OnBytes([]byte("+PONG\r\n"))
			p.Tick()
			if a.ends[1] != "+PONG\r\n" || c.State() != conn.Retired || len(p.leaving) != 0 {
				t.Errorf("the reply is %q, the connection %s, %d leave", a.ends[1], c.State(), len(p.leaving))
			}
			checkPool(t, p)
		})
	}
}

func TestServerThatIsTakenOutAndCantBeReachedIsDialledOnce(t *testing.T) {
	for name, fails := range map[string]func(*Pool, *conn.Conn){
		"refused":             func(_ *Pool, c *conn.Conn) { c.OnDialFailed(errors.New("refused")) },
		"refuses the login":   func(_ *Pool, c *conn.Conn) { c.OnOpen(&fakeSocket{}); c.OnBytes([]byte("-WRONGPASS x\r\n")) },
		"says nothing at all": func(p *Pool, _ *conn.Conn) { p.Now += int64(3 * time.Second); p.Tick() },
		"not within a timeout": func(p *Pool, c *conn.Conn) {
			c.OnOpen(&fakeSocket{})
			p.Now += int64(1500 * time.Millisecond)
			p.Tick()
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newFixedPool(t, 2, nil)
			c, a := p.Default().Pick(1, 0), newAsker(t)
			p.TakeDials(func(*conn.Conn) {})
			enqueue(t, c, a, 1)
			p.Follow(fixedMap(t, "A", ""))
			fails(p, c)
			if a.ends[1] == "" {
				t.Error("its request waits on")
			}
			p.Now += int64(time.Hour)
			p.TakeDials(func(*conn.Conn) {})
			p.tickLeaving()
			if c.State() != conn.Retired || len(p.leaving) != 0 || p.WantsDial() {
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
	p.TakeDials(func(*conn.Conn) {})
	enqueue(t, c, a, 1)
	follow(t, p, numbers, "A")
	if c.State() != conn.Retired || a.ends[1] == "" {
		t.Errorf("the connection is %s, the request ended with %q", c.State(), a.ends[1])
	}
	checkPool(t, p)
}

// holder is an Owner that notes the connections it has lost.
type holder struct {
	ask.Nobody
	lost []*conn.Conn
}

func (*holder) Pushed([]byte, ask.Piece) {}

func (h *holder) OwnLost(c *conn.Conn, _ *ask.Failure) { h.lost = append(h.lost, c) }

// lend gives a connection of its own to h that is ready.
func lend(t *testing.T, p *Pool, server int, h conn.Owner) *conn.Conn {
	t.Helper()
	p.MaxOwn = 100
	c, f := p.Lend(server, conn.Key{Proto: 2}, h)
	if f != nil {
		t.Fatal(f)
	}
	if c.State() != conn.Ready {
		ready(t, c)
	}
	return c
}

func TestOwnConnectionsToAServerThatIsTakenOut(t *testing.T) {
	p := newFixedPool(t, 2, func(cfg *conn.Config) { cfg.Timeout, cfg.StallTimeout, cfg.Spare = 0, 0, 1 })
	ready(t, p.Default().Pick(0, 0))
	ready(t, p.Default().Pick(1, 0))
	var log bytes.Buffer
	p.Log.Log = slog.New(slog.NewTextHandler(&log, nil))
	h, a := &holder{}, newAsker(t)
	works, blocks, idle, spare := lend(t, p, 1, h), lend(t, p, 1, h), lend(t, p, 1, h), lend(t, p, 1, h)
	tidies := lend(t, p, 1, h)
	dialled, f := p.Lend(1, conn.Key{Proto: 2}, h)
	if f != nil {
		t.Fatal(f)
	}
	spare.Return(true)
	p.own.warm = map[spareKey][]*conn.Conn{}
	p.KeepSpare(1, conn.Key{Proto: 3})
	warm := p.own.warm[spareKey{1, conn.Key{Proto: 3}}][0]
	if works.Enqueue(&ask.Request{Raw: pingRequest, Recv: a, Tag: 1, Manner: ask.Here}) != nil || blocks.Enqueue(&ask.Request{Raw: pingRequest, Recv: a, Tag: 2, Manner: ask.Here | ask.Blocks}) != nil || dialled.Enqueue(&ask.Request{Raw: pingRequest, Recv: a, Tag: 3, Manner: ask.Here}) != nil {
		t.Fatal("not enqueued")
	}
	if tidies.Tell("UNWATCH") != nil {
		t.Fatal("not enqueued")
	}
	p.Flush()
	p.Follow(fixedMap(t, "A", ""))
	if spare.State() != conn.Retired || warm.State() != conn.Retired {
		t.Errorf("a spare connection is %s, one that was to become so %s", spare.State(), warm.State())
	}
	if p.KeepSpare(1, conn.Key{Proto: 3}); len(p.own.warm) != 0 {
		t.Error("another one is dialled")
	}
	checkPool(t, p)
	p.TakeDials(func(*conn.Conn) {})
	dialled.OnOpen(&fakeSocket{})
	dialled.OnBytes([]byte("+OK\r\n"))
	idle.Return(true)
	if idle.State() != conn.Retired {
		t.Errorf("a connection that was returned is %s", idle.State())
	}
	p.Now += int64(p.Config.DialTimeout)
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
	if works.State() != conn.Retired || len(h.lost) != 3 || h.lost[2] != dialled || len(p.own.all) != 0 {
		t.Errorf("one is %s, %d were lost, %d are left", works.State(), len(h.lost), len(p.own.all))
	}
	if log.Len() > 0 {
		t.Errorf("what the operator has asked for is logged: %s", &log)
	}
	checkPool(t, p)
}

// What is under way on a connection to the server that had a number before must not end because another gets it.
func TestOwnConnectionsOutlastThatTheirServersNumberIsGivenAway(t *testing.T) {
	p := newFixedPool(t, 2, nil)
	ready(t, p.Default().Pick(1, 0))
	h, a := &holder{}, newAsker(t)
	c := lend(t, p, 1, h)
	if f := c.Enqueue(&ask.Request{Raw: pingRequest, Recv: a, Tag: 1, Manner: ask.Here}); f != nil {
		t.Fatal(f)
	}
	p.Flush()
	p.Follow(fixedMap(t, "A", ""))
	p.Follow(fixedMap(t, "A", "D"))
	if c.State() != conn.Ready {
		t.Errorf("the connection is %s", c.State())
	}
	c.OnBytes([]byte("+PONG\r\n"))
	c.Return(true)
	if a.ends[1] != "+PONG\r\n" || c.State() != conn.Retired || len(h.lost) > 0 || len(p.own.spare) > 0 {
		t.Errorf("%q; it is %s, %d lost", a.ends[1], c.State(), len(h.lost))
	}
	checkPool(t, p)
}

// lanesOf has n scripts wait for lanes to server B, of which one is ready.
func lanesOf(t *testing.T, p *Pool, a *asker, n int) *conn.Conn {
	t.Helper()
	p.MaxOwn = 0 // one lane, whatever the limit
	shared := p.Default().Pick(1, 0)
	ready(t, shared)
	for i := range n {
		if f := shared.Enqueue(&ask.Request{Raw: pingRequest, Recv: a, Tag: uint64(i), Carrier: ask.Scripts}); f != nil {
			t.Fatal(f)
		}
	}
	lane := p.laneOf(shared).conns[0]
	p.TakeDials(func(*conn.Conn) {})
	return lane
}

// answerLane answers scripts over a lane, the first and so on before the last.
func answerLane(t *testing.T, p *Pool, lane *conn.Conn, s *fakeSocket, first, last int) {
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
		p := newFixedPool(t, 2, func(cfg *conn.Config) {
			cfg.ScriptPolicy = conn.ScriptsOwn
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
		p.Now += int64(p.Config.DialTimeout) / 2
		p.Tick()
		answerLane(t, p, lane, s, 3, 5)
		p.Tick()
		for i := range 5 {
			if want := fmt.Sprintf("+%d\r\n", i); a.ends[uint64(i)] != want {
				t.Errorf("script %d: %q", i, a.ends[uint64(i)])
			}
		}
		if lane.State() != conn.Retired || len(p.lanes) != 0 || len(p.own.all) != 0 {
			t.Errorf("the lane is %s; %d lanes, %d connections", lane.State(), len(p.lanes), len(p.own.all))
		}
		checkPool(t, p)
	}
}

// A lane that is lost is dialled again at the same server, though its number is another's.
func TestLanesToAServerThatIsTakenOutAreDialledAgain(t *testing.T) {
	p := newFixedPool(t, 2, func(cfg *conn.Config) {
		cfg.ScriptPolicy = conn.ScriptsOwn
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
	next := p.lanes[laneKey{b, conn.Key{Proto: 2}}].conns[0]
	s = dialled(t, next)
	next.OnBytes([]byte("+OK\r\n+OK\r\n*0\r\n"))
	answerLane(t, p, next, s, 1, 2)
	if next.Server() != b || a.ends[1] != "+1\r\n" {
		t.Errorf("the next lane leads to %s; %v", next.Server().Name, a.ends)
	}
	checkPool(t, p)
}

func TestLanesToAServerThatIsTakenOutEndWhenItCantBeReached(t *testing.T) {
	p := newFixedPool(t, 2, func(cfg *conn.Config) { cfg.ScriptPolicy = conn.ScriptsOwn })
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

// asks reports whether there is a connection for asking a server whether a script keeps it busy.
func (p *Pool) asks(s *conn.Server) bool {
	q := p.probers[s]
	return q != nil && q.conn != nil
}

func TestProberOfAServerThatIsTakenOutEnds(t *testing.T) {
	p := newFixedPool(t, 2, func(cfg *conn.Config) { cfg.ScriptPolicy = conn.ScriptsShared })
	c := p.Default().Pick(1, 0)
	ready(t, c)
	if f := c.Enqueue(&ask.Request{Raw: pingRequest, Recv: newAsker(t), Tag: 1, Carrier: ask.Scripts, Manner: ask.Here}); f != nil {
		t.Fatal(f)
	}
	p.Flush()
	p.Now += 2 * busyAfter
	p.Tick()
	prober := p.probers[c.Server()].conn
	if prober == nil || len(p.probes) != 1 {
		t.Fatal("the server is not asked")
	}
	p.Follow(fixedMap(t, "A", ""))
	p.Follow(fixedMap(t, "A", "D"))
	ready(t, p.Default().Pick(1, 0))
	p.Now += 2 * busyAfter
	p.Tick()
	if prober.State() != conn.Retired || p.asks(c.Server()) || p.asks(p.servers[1]) {
		t.Error("somebody is asked")
	}
	checkPool(t, p)
	c.OnBytes([]byte("+PONG\r\n"))
	p.Tick()
	if len(p.probes) != 0 || p.unpinned != 0 || p.lent != 0 {
		t.Errorf("%d are busy, %d lent, %d of them to nobody", len(p.probes), p.lent, p.unpinned)
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
	if d.State() != conn.Ready || s.closed {
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
	p.notPrimary(c.Server())
	p.Tick()
	enqueue(t, c, a, 2)
	p.Flush()
	if !conn.IsFrozen(c) || len(s.wrote) != len(pingRequest) {
		t.Fatalf("it is frozen: %t; %q was written", conn.IsFrozen(c), s.wrote)
	}
	p.Follow(fixedMap(t, "A", ""))
	p.Flush()
	c.OnBytes([]byte("+1\r\n+2\r\n"))
	if a.ends[1] != "+1\r\n" || a.ends[2] != "+2\r\n" || len(s.wrote) != 2*len(pingRequest) {
		t.Errorf("%v; %q was written", a.ends, s.wrote)
	}
	checkPool(t, p)
}
