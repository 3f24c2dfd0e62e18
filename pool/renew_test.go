package pool

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ringmaster/pool/ask"
	"ringmaster/pool/conn"
	"ringmaster/shard"
	"ringmaster/stats"
)

func TestAnotherUserHasConnectionsMadeAgainInOrder(t *testing.T) {
	for name, c := range map[string]struct{ before, after func(*conn.Config) }{
		"another user":           {asUser("app", "x"), asUser("other", "x")},
		"a login for the first":  {asUser("", ""), asUser("", "x")},
		"no login any more":      {asUser("app", "x"), asUser("app", "")},
		"another than default's": {asUser("", "x"), asUser("app", "x")},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			cfg := testConfig()
			c.before(&cfg)
			p := newTestPool(t, cfg, 1, slog.New(slog.NewTextHandler(&out, nil)))
			link, a := p.Default().Pick(0, 0), newAsker(t)
			old := ready(t, link)
			enqueue(t, link, a, 1)
			p.Flush()
			enqueue(t, link, a, 2)
			configure(p, c.after)
			enqueue(t, link, a, 3) // may go over either connection
			p.Flush()
			p.Tick()
			enqueue(t, link, a, 4)
			p.Flush()
			sent := len(old.wrote) / len(pingRequest)
			if sent != 3 || old.closed {
				t.Fatalf("the old login got %d requests; closed: %t", sent, old.closed)
			}
			link.OnBytes([]byte("+1\r\n"))
			p.Tick()
			if old.closed {
				t.Fatal("it was closed though it owes replies")
			}
			checkPool(t, p)
			link.OnBytes([]byte("+2\r\n+3\r\n"))
			if !old.closed || len(p.Down()) > 0 {
				t.Errorf("the old one is closed: %t; down: %v", old.closed, p.Down())
			}
			enqueue(t, link, a, 5)
			s := dialled(t, link)
			want := authAs(p.Config.User(), p.Config.Password)
			if got := string(s.wrote); strings.Contains(got, "AUTH") != p.LogsIn() || p.LogsIn() && !strings.Contains(got, want) {
				t.Errorf("it logs in with %q", s.wrote)
			}
			s.wrote = nil
			link.OnBytes([]byte("+OK\r\n"))
			p.Flush()
			link.OnBytes([]byte("+4\r\n+5\r\n"))
			for i := range uint64(5) {
				if want := fmt.Sprintf("+%d\r\n", i+1); a.ends[i+1] != want {
					t.Errorf("request %d: %q", i+1, a.ends[i+1])
				}
			}
			p.Tick()
			st := p.Counters.Servers[0]
			if link.State() != conn.Ready || st.Disconnects[stats.ServerOtherLogin] != 1 || st.Connects != 2 {
				t.Errorf("it is %s; %v", link.State(), st.Disconnects)
			}
			if n := strings.Count(out.String(), "log in as the new user"); n != 1 || !strings.Contains(out.String(), "server=A") {
				t.Errorf("logged:\n%s", &out)
			}
			checkPool(t, p)
		})
	}
}

func TestOwnConnectionsOfAnotherUser(t *testing.T) {
	p := newFixedPool(t, 1, func(cfg *conn.Config) { cfg.Spare, cfg.ScriptPolicy = 1, conn.ScriptsOwn })
	shared := p.Default().Pick(0, 0)
	ready(t, shared)
	h, a := &holder{}, newAsker(t)
	lent, busy, spare := lend(t, p, 0, h), lend(t, p, 0, h), lend(t, p, 0, h)
	spare.Return(true)
	p.KeepSpare(0, conn.Key{Proto: 3})
	warm := p.own.warm[spareKey{0, conn.Key{Proto: 3}}][0]
	warmSocket := dialled(t, warm)
	p.ExpectScript(0)
	prober := p.probers[p.servers[0]].conn
	ready(t, prober)
	l := p.laneOf(shared)
	l.dial(1)
	lane := l.conns[0]
	p.TakeDials(func(*conn.Conn) {})
	lane.OnOpen(&fakeSocket{})
	lane.OnBytes([]byte("+OK\r\n+OK\r\n*0\r\n"))
	if f := busy.Enqueue(&ask.Request{Raw: pingRequest, Recv: a, Tag: 1, Manner: ask.Here | ask.Blocks}); f != nil {
		t.Fatal(f)
	}
	configure(p, asUser("app", "x"))
	if spare.State() != conn.Retired || !warmSocket.closed || warm.State() != conn.Dialing {
		t.Errorf("a spare one is %s, one that is to be so %s", spare.State(), warm.State())
	}
	p.Tick()
	checkPool(t, p)
	if lane.State() != conn.Retired || prober.State() != conn.Retired {
		t.Errorf("a lane is %s, the one for questions %s", lane.State(), prober.State())
	}
	if lent.State() != conn.Ready || busy.State() != conn.Ready || len(h.lost) > 0 {
		t.Errorf("those that are lent are %s and %s", lent.State(), busy.State())
	}
	lent.Return(true)
	busy.OnBytes([]byte("+PONG\r\n"))
	busy.Return(true)
	if lent.State() != conn.Retired || busy.State() != conn.Retired || len(p.own.spare) != 0 || a.ends[1] != "+PONG\r\n" {
		t.Errorf("when they come back they are %s and %s", lent.State(), busy.State())
	}
	checkPool(t, p)
}

// What comes before an idle lane has ended does not go over it.
func TestIdleLaneOfAnotherUserIsNotUsed(t *testing.T) {
	p := newFixedPool(t, 2, func(cfg *conn.Config) { cfg.ScriptPolicy = conn.ScriptsOwn })
	a, s := newAsker(t), &fakeSocket{}
	lane := lanesOf(t, p, a, 1)
	configure(p, func(cfg *conn.Config) { cfg.Nonce = func(dst *[16]byte) { copy(dst[:], "fence-0000000000") } })
	lane.OnOpen(s)
	lane.OnBytes([]byte("+OK\r\n+OK\r\n*0\r\n"))
	answerLane(t, p, lane, s, 0, 1)
	configure(p, asUser("app", "x"))
	if f := p.Default().Pick(1, 0).Enqueue(&ask.Request{Raw: pingRequest, Recv: a, Tag: 2, Carrier: ask.Scripts}); f != nil {
		t.Fatal(f)
	}
	p.Flush()
	if len(s.wrote) > 0 {
		t.Errorf("the old login got %q", s.wrote)
	}
	checkPool(t, p)
}

// placed is a Receiver of its own client's only request.
type placed struct {
	*asker
	calm
}

func (p placed) Client() ask.Client { return p }
func (placed) Place(uint64) uint64  { return 1 }

// A transaction that is sent again does not go to where MULTI may be refused now.
func TestTransactionIsNotSentAgainBeforeTheNewLoginHasProvedMulti(t *testing.T) {
	cfg := testConfig()
	cfg.Resend = true
	p, _ := newClusterPool(t, cfg, "A")
	c, a := p.Default().Pick(0, 0), newAsker(t)
	s := ready(t, c)
	conn.TakeMulti(c)
	enqueue(t, c, a, 1)
	p.Flush()
	configure(p, asUser("app", "x"))
	p.Tick()
	s.wrote = nil
	raw := append(bytes.Clone(conn.MultiRequest), conn.ExecRequest...)
	p.Resend(&Resend{Request: ask.Request{Raw: raw, Recv: placed{asker: a}, Batch: ask.Batch{Requests: 2, Needs: len(raw)}}, Rings: p.Default(), Slot: -1, Since: p.Now})
	p.Now += 2 * retryAfter
	p.Tick()
	proving, _ := conn.IsProving(c)
	if len(p.resends.list) != 1 || !proving {
		t.Errorf("%d wait; it is proved: %t", len(p.resends.list), proving)
	}
	checkPool(t, p)
}

// A lane that runs a script ends after it, and what waits goes over another.
func TestLanesOfAnotherUser(t *testing.T) {
	p := newFixedPool(t, 2, func(cfg *conn.Config) {
		cfg.ScriptPolicy = conn.ScriptsOwn
		cfg.Nonce = func(dst *[16]byte) { copy(dst[:], "fence-0000000000") }
	})
	a, s := newAsker(t), &fakeSocket{}
	lane := lanesOf(t, p, a, 2)
	lane.OnOpen(s)
	lane.OnBytes([]byte("+OK\r\n+OK\r\n*0\r\n"))
	p.Flush()
	s.wrote = nil
	configure(p, asUser("app", "x"))
	p.Tick()
	lane.OnBytes([]byte("+0\r\n$16\r\nfence-0000000000\r\n"))
	p.Flush()
	if lane.State() != conn.Retired || len(s.wrote) > 0 || p.Counters.Servers[1].Disconnects[stats.ServerOtherLogin] != 2 {
		t.Fatalf("the lane is %s; the old login got %q", lane.State(), s.wrote)
	}
	next := p.lanes[laneKey{p.servers[1], conn.Key{Proto: 2}}].conns[0]
	s = dialled(t, next)
	next.OnBytes([]byte("+OK\r\n+OK\r\n*0\r\n"))
	answerLane(t, p, next, s, 1, 2)
	if a.ends[0] != "+0\r\n" || a.ends[1] != "+1\r\n" {
		t.Errorf("%v", a.ends)
	}
	checkPool(t, p)
}

// Until its connection is made again, a server may still refuse ECHO. A refusal costs the connection, so none is sent.
func TestFencesOverTheOldLoginGoByName(t *testing.T) {
	p := newFixedPool(t, 1, func(cfg *conn.Config) { cfg.Nonce = func(dst *[16]byte) { copy(dst[:], "fence-0000000000") } })
	c, a := p.Default().Pick(0, 0), newAsker(t)
	s := ready(t, c)
	enqueue(t, c, a, 1)
	c.Server().NoEcho = true
	configure(p, asUser("app", "x"))
	if f := c.Enqueue(&ask.Request{Raw: pingRequest, Recv: a, Tag: 2, Carrier: ask.Scripts}); f != nil {
		t.Fatal(f)
	}
	p.Flush()
	c.OnBytes([]byte("+1\r\n+2\r\n-ERR unknown command 'fence-0000000000'\r\n"))
	if bytes.Contains(s.wrote, []byte("ECHO")) || a.ends[2] != "+2\r\n" || c.State() != conn.Ready {
		t.Errorf("%q was written; %v; it is %s", s.wrote, a.ends, c.State())
	}
	checkPool(t, p)
}

// What is known of the old login does not hold for requests that go over the new one.
func TestFrozenConnectionIsNotKnownToTakeMulti(t *testing.T) {
	p := newFixedPool(t, 1, func(cfg *conn.Config) { cfg.ProveMulti = true })
	c := p.Default().Pick(0, 0)
	p.TakeDials(func(*conn.Conn) {})
	c.OnOpen(&fakeSocket{})
	c.OnBytes([]byte("+OK\r\n+OK\r\n*0\r\n"))
	enqueue(t, c, newAsker(t), 1)
	p.Flush()
	if !c.TakesMulti() {
		t.Fatal("the login did not ask")
	}
	configure(p, asUser("app", "x"))
	p.Tick()
	if c.TakesMulti() {
		t.Error("a connection that will log in as another user is known to take MULTI")
	}
	c.OnBytes([]byte("+PONG\r\n"))
	p.TakeDials(func(*conn.Conn) {})
	c.OnOpen(&fakeSocket{})
	c.OnBytes([]byte("+OK\r\n-NOPERM MULTI\r\n-ERR EXEC without MULTI\r\n"))
	if c.State() != conn.Ready || c.TakesMulti() {
		t.Errorf("it is %s and takes MULTI: %t", c.State(), c.TakesMulti())
	}
}

// A cluster that is large is not left without connections all at once.
func TestAnotherUserOfALargeClusterIsSpreadOverTicks(t *testing.T) {
	p, _ := newLargePool(t)
	configure(p, asUser("app", "x"))
	conns, ticks := 2*largeNodes, 0
	for renewed := 0; renewed < conns; ticks++ {
		p.Tick()
		away, dials := 0, 0
		p.each(func(c *conn.Conn) {
			if c.State() != conn.Ready {
				away++
			}
		})
		if away > conn.AtOnce {
			t.Fatalf("tick %d: %d connections are away", ticks, away)
		}
		p.TakeDials(func(c *conn.Conn) {
			dials++
			c.OnOpen(&fakeSocket{})
			c.OnBytes([]byte("+OK\r\n"))
		})
		if renewed += dials; dials > conn.AtOnce || ticks > 2*conns/conn.AtOnce {
			t.Fatalf("tick %d: %d dials, %d connections are made again", ticks, dials, renewed)
		}
	}
	checkPool(t, p)
	for _, r := range p.rings {
		for _, c := range r.conns {
			if c.State() != conn.Ready || c.Outdated() {
				t.Fatalf("a connection to %s is %s", c.Server().Name, c.State())
			}
		}
	}
}

// Reads that wait for a replica's connection to be made again go elsewhere: nobody knows yet whether it may still be read from.
func TestReadsDoNotWaitForTheNewLoginOfAReplica(t *testing.T) {
	cfg := testConfig()
	cfg.Fixed, cfg.Reads = true, shard.ReadPreferReplica
	p := newTestPool(t, cfg, 1, nil)
	var n shard.Numbers
	n.Replicas = true
	m, err := n.Attach(p.m, []shard.Group{{Replicas: []shard.Server{{Name: "R", Addr: "R:1", Weight: 1}}}})
	if err != nil {
		t.Fatal(err)
	}
	p.Follow(m)
	primary, replica := p.Default().Pick(0, 0), p.Default().Pick(1, 0)
	ready(t, primary)
	rs := ready(t, replica)
	start := time.Time{}.Add(time.Hour)
	p.Judge(conn.Health{"R:1": {Reads: conn.ReadsAlways, At: start.Add(time.Duration(p.Now + 1))}}, start)
	a := newAsker(t)
	read := func(tag uint64) {
		to := p.Default().PickRead(0, 0)
		if to != replica {
			t.Fatal("the replica is not read from")
		}
		if f := to.Enqueue(&ask.Request{Raw: pingRequest, Recv: a, Tag: tag, Manner: ask.ByPolicy}); f != nil {
			t.Fatal(f)
		}
		p.Flush()
	}
	read(1)
	configure(p, asUser("app", "x"))
	p.Tick()
	read(2)
	s := &fakeSocket{}
	p.TakeDials(func(c *conn.Conn) {
		if c == primary {
			c.OnOpen(s)
			c.OnBytes([]byte("+OK\r\n"))
			s.wrote = nil
		}
	})
	replica.OnBytes([]byte("+1\r\n"))
	p.Flush()
	if string(s.wrote) != string(pingRequest) || string(rs.wrote) != string(pingRequest) || replica.State() != conn.Dialing {
		t.Fatalf("the primary got %q, the replica is %s", s.wrote, replica.State())
	}
	primary.OnBytes([]byte("+2\r\n"))
	if a.ends[1] != "+1\r\n" || a.ends[2] != "+2\r\n" {
		t.Errorf("%v", a.ends)
	}
	checkPool(t, p)
}
