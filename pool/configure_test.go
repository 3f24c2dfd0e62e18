package pool

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"ringmaster/pool/ask"
	"ringmaster/pool/conn"
	"ringmaster/shard"
	"ringmaster/stats"
)

// configure has p go by its settings with a change.
func configure(p *Pool, change func(*conn.Config)) {
	cfg := *p.Config
	change(&cfg)
	p.Configure(cfg)
}

func asUser(name, password string) func(*conn.Config) {
	return func(cfg *conn.Config) { cfg.Username, cfg.Password = name, password }
}

// dialled takes the dials and opens a socket for c, if it is dialled.
func dialled(t *testing.T, c *conn.Conn) *fakeSocket {
	t.Helper()
	c.Up.Loop.TakeDials(func(*conn.Conn) {})
	if c.State() != conn.Dialing {
		t.Fatalf("the connection is %s", c.State())
	}
	s := &fakeSocket{}
	c.OnOpen(s)
	return s
}

// authAs is what a login has of a user and a password.
func authAs(user, password string) string {
	return string(conn.AppendCommand(nil, "AUTH", user, password))[len("*3\r\n"):]
}

func TestRequestsThatWaitGoByTheNewTimeout(t *testing.T) {
	for _, c := range []struct {
		timeout, after time.Duration
		ends           bool
	}{
		{time.Second, 999 * time.Millisecond, false},
		{time.Second, 1001 * time.Millisecond, true},
		{100 * time.Millisecond, 101 * time.Millisecond, true},
		{5 * time.Second, 4900 * time.Millisecond, false},
		{5 * time.Second, 5020 * time.Millisecond, true},
		{0, 9 * time.Second, false},
	} {
		for _, old := range []time.Duration{0, time.Second, 2 * time.Second} {
			p := newFixedPool(t, 1, func(cfg *conn.Config) { cfg.Timeout = old })
			link, a := p.Default().Pick(0, 0), newAsker(t)
			ready(t, link)
			enqueue(t, link, a, 1)
			p.Now += int64(50 * time.Millisecond)
			enqueue(t, link, a, 2)
			p.Flush()
			p.Tick()
			configure(p, func(cfg *conn.Config) { cfg.Timeout = c.timeout })
			p.Now += int64(c.after - 50*time.Millisecond)
			p.Tick()
			if (a.ends[1] != "") != c.ends || a.ends[2] != "" {
				t.Errorf("timeout %s instead of %s, after %s: %v", c.timeout, old, c.after, a.ends)
			}
			checkPool(t, p)
		}
	}
}

func TestScriptsThatWaitForALaneGoByTheNewTimeout(t *testing.T) {
	p := newFixedPool(t, 2, func(cfg *conn.Config) { cfg.ScriptPolicy, cfg.DialTimeout = conn.ScriptsOwn, time.Minute })
	a := newAsker(t)
	lanesOf(t, p, a, 2)
	configure(p, func(cfg *conn.Config) { cfg.Timeout = 5 * time.Second })
	p.Now += int64(4 * time.Second)
	p.Tick()
	if len(a.ends) != 0 {
		t.Errorf("they ended: %v", a.ends)
	}
	configure(p, func(cfg *conn.Config) { cfg.Timeout = 3 * time.Second })
	p.Tick()
	if len(a.ends) != 2 {
		t.Errorf("they wait: %v", a.ends)
	}
	checkPool(t, p)
}

func TestStallTimeoutAndLimitsAreLive(t *testing.T) {
	p := newFixedPool(t, 1, func(cfg *conn.Config) { cfg.Timeout = 0 })
	c, a := p.Default().Pick(0, 0), newAsker(t)
	ready(t, c)
	enqueue(t, c, a, 1)
	p.Flush()
	configure(p, func(cfg *conn.Config) { cfg.StallTimeout, cfg.MaxPending = time.Second, 1 })
	if f := c.Enqueue(&ask.Request{Raw: pingRequest, Recv: a, Tag: 2}); f == nil || f.Kind != ask.Overloaded {
		t.Errorf("over the new limit: %v", f)
	}
	configure(p, func(cfg *conn.Config) { cfg.MaxPending = 2 })
	enqueue(t, c, a, 3)
	p.Now += int64(1001 * time.Millisecond)
	p.Tick()
	if p.Counters.Servers[0].Disconnects[stats.ServerStalled] != 1 {
		t.Error("the connection outlives the stall timeout")
	}
	checkPool(t, p)
}

func TestDialUnderWayKeepsItsTimeout(t *testing.T) {
	p := newFixedPool(t, 1, nil)
	c := p.Default().Pick(0, 0)
	dialled(t, c)
	configure(p, func(cfg *conn.Config) { cfg.DialTimeout = time.Minute })
	if c.DialTimeout() != time.Second {
		t.Errorf("it may take %s", c.DialTimeout())
	}
	p.Now += int64(1001 * time.Millisecond)
	p.Tick()
	if c.State() != conn.Closed {
		t.Fatalf("the connection is %s", c.State())
	}
	p.Now = conn.RetryAt(c)
	p.Tick()
	dialled(t, c)
	p.Now += int64(50 * time.Second)
	p.Tick()
	if c.DialTimeout() != time.Minute || c.State() != conn.Handshaking {
		t.Errorf("the next one may take %s, it is %s", c.DialTimeout(), c.State())
	}
}

func TestPausesFollowBackoffMax(t *testing.T) {
	p := newFixedPool(t, 1, func(cfg *conn.Config) { cfg.BackoffMin, cfg.BackoffMax = time.Hour, time.Hour })
	c := p.Default().Pick(0, 0)
	p.TakeDials(func(*conn.Conn) {})
	c.OnDialFailed(errors.New("refused"))
	configure(p, func(cfg *conn.Config) { cfg.BackoffMin, cfg.BackoffMax = time.Millisecond, time.Second })
	p.Now += int64(time.Second)
	p.Tick()
	if c.State() != conn.Dialing {
		t.Errorf("the connection is %s", c.State())
	}
}

func TestWhatCantChangeStaysAsItWas(t *testing.T) {
	p := newFixedPool(t, 1, nil)
	configure(p, func(cfg *conn.Config) {
		cfg.Connections, cfg.ScriptPolicy, cfg.Cluster, cfg.Resend, cfg.Fixed, cfg.Reads = 7, conn.ScriptsOwn, true, true, false, shard.ReadAny
	})
	if c := p.Config; c.Connections != 1 || c.ScriptPolicy != 0 || c.Cluster || c.Resend || !c.Fixed || c.Reads != shard.ReadPrimary {
		t.Errorf("%+v", c)
	}
	p.Config.Reads = shard.ReadAny
	configure(p, func(cfg *conn.Config) { cfg.Reads = shard.ReadReplica })
	if p.Config.Reads != shard.ReadReplica {
		t.Errorf("reads go by %s", p.Config.Reads)
	}
}

func TestAnotherPasswordLeavesConnectionsAlone(t *testing.T) {
	p := newFixedPool(t, 1, asUser("app", "old"))
	c := p.Default().Pick(0, 0)
	s := ready(t, c)
	h := &holder{}
	spare := lend(t, p, 0, h)
	spare.Return(true)
	configure(p, asUser("app", "new"))
	p.Tick()
	if c.State() != conn.Ready || s.closed || spare.State() != conn.Ready {
		t.Fatalf("the connection is %s, a spare one %s", c.State(), spare.State())
	}
	c.OnClose(s, 0, nil)
	p.Now += int64(time.Minute)
	p.Tick()
	if s = dialled(t, c); !strings.Contains(string(s.wrote), authAs("app", "new")) {
		t.Errorf("it logs in with %q", s.wrote)
	}
	checkPool(t, p)
}

func TestLoginThatIsUnderWayBeginsAgain(t *testing.T) {
	for _, user := range []string{"app", "other"} {
		p := newFixedPool(t, 1, asUser("app", "old"))
		c, a := p.Default().Pick(0, 0), newAsker(t)
		s := dialled(t, c)
		enqueue(t, c, a, 1)
		configure(p, asUser(user, "new"))
		if !s.closed {
			t.Error("the old login goes on")
		}
		c.OnClose(s, 0, errors.New("reset"))
		if s = dialled(t, c); !strings.Contains(string(s.wrote), authAs(user, "new")) {
			t.Errorf("it logs in with %q", s.wrote)
		}
		s.wrote = nil
		c.OnBytes([]byte("+OK\r\n"))
		p.Flush()
		p.Tick()
		c.OnBytes([]byte("+PONG\r\n"))
		if string(s.wrote) != string(pingRequest) || a.ends[1] != "+PONG\r\n" || s.closed {
			t.Errorf("the server got %q, the client %v", s.wrote, a.ends)
		}
		checkPool(t, p)
	}
}

func TestRefusedLoginsAreTriedAtOnceWithTheNewOne(t *testing.T) {
	for _, user := range []string{"app", "other"} {
		p := newFixedPool(t, 2, asUser("app", "old"))
		c, down, a := p.Default().Pick(0, 0), p.Default().Pick(1, 0), newAsker(t)
		dialled(t, c)
		down.OnDialFailed(errors.New("refused"))
		c.OnBytes([]byte("-WRONGPASS invalid username-password pair or user is disabled.\r\n"))
		if c.Enqueue(&ask.Request{Raw: pingRequest, Recv: a, Tag: 1}) == nil || c.State() != conn.Closed {
			t.Fatal("the login was not refused")
		}
		configure(p, asUser(user, "new"))
		enqueue(t, c, a, 2)
		if f := down.Enqueue(&ask.Request{Raw: pingRequest, Recv: a, Tag: 3}); f == nil || down.State() != conn.Closed {
			t.Error("a server that can't be reached is dialled")
		}
		s := dialled(t, c)
		if !strings.Contains(string(s.wrote), authAs(user, "new")) {
			t.Errorf("it logs in with %q", s.wrote)
		}
		c.OnBytes([]byte("+OK\r\n"))
		p.Flush()
		c.OnBytes([]byte("+PONG\r\n"))
		if a.ends[2] != "+PONG\r\n" {
			t.Errorf("%v", a.ends)
		}
		checkPool(t, p)
	}
}

// While the attempt after a refusal is under way already, requests may wait for it from then on.
func TestRefusedLoginThatIsTriedAlready(t *testing.T) {
	p := newFixedPool(t, 1, asUser("", "old"))
	c, a := p.Default().Pick(0, 0), newAsker(t)
	dialled(t, c)
	c.OnBytes([]byte("-WRONGPASS x\r\n"))
	p.Now = conn.RetryAt(c)
	p.Tick()
	if c.State() != conn.Dialing || c.Enqueue(&ask.Request{Raw: pingRequest, Recv: a, Tag: 1}) == nil {
		t.Fatal("a request waits for a login that was refused")
	}
	configure(p, asUser("", "new"))
	enqueue(t, c, a, 2)
	if st := p.Counters.Servers[0].State; st != stats.ServerConnecting {
		t.Errorf("the server is shown as %s", st)
	}
	if s := dialled(t, c); !strings.Contains(string(s.wrote), authAs("default", "new")) {
		t.Errorf("it logs in with %q", s.wrote)
	}
	checkPool(t, p)
}

func TestDatabasesThatNoLoginReachedAreTriedAgain(t *testing.T) {
	p := newFixedPool(t, 1, asUser("app", "old"))
	ready(t, p.Default().Pick(0, 0))
	r := p.Rings(conn.Key{Proto: 2, DB: 1})
	r.Join()
	dialled(t, r.Pick(0, 0))
	r.Pick(0, 0).OnBytes([]byte("-WRONGPASS x\r\n"))
	if !r.Failed() {
		t.Fatal("the login did not fail")
	}
	configure(p, asUser("app", "new"))
	if r.Failed() || r.Pick(0, 0).State() != conn.Dialing {
		t.Errorf("failed: %t; the connection is %s", r.Failed(), r.Pick(0, 0).State())
	}
	p.maxDB, p.noDB = 3, []byte("-ERR DB index is out of range\r\n")
	configure(p, asUser("other", "new"))
	if p.NoDB(5) != nil {
		t.Error("a database that the old user was refused is still refused")
	}
}

func TestSameUserInOtherWordsChangesNothing(t *testing.T) {
	p := newFixedPool(t, 1, asUser("", "x"))
	c := p.Default().Pick(0, 0)
	s := ready(t, c)
	configure(p, asUser("default", "x"))
	p.Tick()
	if s.closed || c.State() != conn.Ready {
		t.Errorf("the connection is %s", c.State())
	}
}

// The pause after a refused lane ends, too.
func TestRefusedLanesAreTriedAtOnceWithTheNewLogin(t *testing.T) {
	p := newFixedPool(t, 2, func(cfg *conn.Config) { cfg.ScriptPolicy = conn.ScriptsOwn })
	a := newAsker(t)
	lane := lanesOf(t, p, a, 1)
	lane.OnOpen(&fakeSocket{})
	lane.OnBytes([]byte("-WRONGPASS x\r\n"))
	if f := p.Default().Pick(1, 0).Enqueue(&ask.Request{Raw: pingRequest, Recv: a, Tag: 2, Carrier: ask.Scripts}); f != nil {
		t.Fatal(f)
	}
	l := p.laneOf(p.Default().Pick(1, 0))
	if len(l.conns) != 0 || l.backlogged() != 1 {
		t.Fatalf("%d lanes, %d wait", len(l.conns), l.backlogged())
	}
	configure(p, asUser("", "new"))
	if len(l.conns) != 1 || a.ends[2] != "" {
		t.Errorf("%d lanes; %v", len(l.conns), a.ends)
	}
	checkPool(t, p)
}

func TestWhatTheOldUserMayIsForgotten(t *testing.T) {
	p := newFixedPool(t, 2, func(cfg *conn.Config) { cfg.ScriptPolicy = conn.ScriptsAuto })
	for i := range 2 {
		c := p.Default().Pick(i, 0)
		p.TakeDials(func(*conn.Conn) {})
		c.OnOpen(&fakeSocket{})
		c.OnBytes([]byte("+OK\r\n"))
		if i == 0 {
			c.OnBytes([]byte("-NOPERM EVAL\r\n-NOPERM EVAL\r\n-NOPERM ECHO\r\n"))
		} else {
			c.OnBytes(fmt.Appendf(nil, "-ERR  +\r\n-ERR  +\r\n$16\r\n%s\r\n", conn.NonceOf(c)))
		}
		if c.State() != conn.Ready {
			t.Fatalf("the connection is %s", c.State())
		}
	}
	a, b := p.servers[0], p.servers[1]
	if !a.NoScripts || !a.NoEcho || p.ApartAt(b)&ask.Scripts != 0 {
		t.Fatalf("%+v", a)
	}
	a.RefusedUntil = p.Now + int64(time.Hour)
	configure(p, asUser("app", "x"))
	if a.NoScripts || a.NoEcho || a.RefusedUntil != 0 || a.Known() || b.Known() {
		t.Errorf("%+v", a)
	}
	if !p.Apart(ask.Scripts) || p.ApartAt(a)&ask.Scripts == 0 || p.ApartAt(b)&ask.Scripts != 0 {
		t.Error("a server that could not be asked counts as asked")
	}
	p.Tick()
	p.TakeDials(func(*conn.Conn) {})
	c := p.Default().Pick(0, 0)
	c.OnOpen(&fakeSocket{})
	c.OnBytes([]byte("+OK\r\n"))
	c.OnBytes(fmt.Appendf(nil, "-ERR  +\r\n-ERR  +\r\n$16\r\n%s\r\n", conn.NonceOf(c)))
	if c.State() != conn.Ready || !a.Known() || p.ApartAt(a)&ask.Scripts != 0 {
		t.Errorf("the connection is %s, the server %+v", c.State(), a)
	}
	checkPool(t, p)
}
