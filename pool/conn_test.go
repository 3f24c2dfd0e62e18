package pool

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"ringmaster/pool/ask"
	"ringmaster/pool/conn"
	"ringmaster/pool/queue"
)

func TestEveryRequestHasExactlyOneEnd(t *testing.T) {
	total := 0
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		p := newTestPool(t, testConfig(), 1, nil)
		Seed(p.Loop, seed)
		c := p.rings[conn.Key{Proto: 2}].conns[0]
		a := newAsker(t)
		var sock *fakeSocket
		tag, enqueued, answered := uint64(0), 0, 0
		for range 2000 {
			switch n := rnd.IntN(100); {
			case n < 45:
				raw := fmt.Appendf(nil, "*1\r\n$6\r\n%06d\r\n", tag)
				if f := c.Enqueue(&ask.Request{Raw: raw, Recv: a, Tag: tag}); f == nil {
					enqueued++
				} else if f.Sent {
					t.Fatal("what was refused was sent")
				}
				tag++
			case n < 70:
				p.Flush()
			case n < 85:
				if c.State() == conn.Ready {
					c.OnBytes(sock.answers(rnd.IntN(200)))
				}
			case n < 95:
				p.TakeDials(func(*conn.Conn) {})
				if c.State() == conn.Dialing && rnd.IntN(3) == 0 {
					c.OnDialFailed(errors.New("refused"))
				} else if c.State() == conn.Dialing {
					sock = &fakeSocket{}
					c.OnOpen(sock)
				} else if c.State() == conn.Handshaking {
					sock.wrote = nil
					c.OnBytes([]byte("+OK\r\n"))
				}
			case n < 97:
				p.Now += int64(rnd.IntN(int(600 * time.Millisecond)))
				p.Tick()
			case n < 98:
				configure(p, func(cfg *conn.Config) {
					cfg.Username = string(rune('a' + rnd.IntN(2)))
					cfg.Password = []string{"", "x", "y"}[rnd.IntN(3)]
					cfg.Timeout = time.Duration(rnd.IntN(4)) * time.Second / 2
				})
			case sock != nil && !sock.closed:
				c.OnClose(sock, rnd.IntN(1000), errors.New("reset"))
				sock = nil
			}
			checkPool(t, p)
			if len(a.ends)+p.InFlight < enqueued {
				t.Fatalf("seed %d: %d requests, %d ends, %d in flight", seed, enqueued, len(a.ends), p.InFlight)
			}
		}
		p.Stop()
		if len(a.ends) != enqueued || p.InFlight != 0 {
			t.Fatalf("seed %d: %d requests, %d ends, %d in flight", seed, enqueued, len(a.ends), p.InFlight)
		}
		for tag, end := range a.ends {
			if end[0] == '$' {
				answered++
				if want := fmt.Sprintf("$6\r\n%06d\r\n", tag); end != want {
					t.Fatalf("seed %d: request %d got %q", seed, tag, end)
				}
			}
		}
		total += answered
	}
	if total < 200 {
		t.Errorf("the test tests little: %d requests were answered", total)
	}
}

func TestPickIsAlwaysTheSameForASession(t *testing.T) {
	cfg := testConfig()
	cfg.Connections = 3
	p := newTestPool(t, cfg, 2, nil)
	r := p.Rings(conn.Key{Proto: 2})
	used := map[*conn.Conn]bool{}
	for id := range uint64(50) {
		for server := range 2 {
			c := r.Pick(server, id)
			if c.Server().Index() != server {
				t.Fatalf("server %d: got a connection to %d", server, c.Server().Index())
			}
			if again := r.Pick(server, id); again != c {
				t.Fatalf("session %d changes its connection", id)
			}
			used[c] = true
		}
	}
	if len(used) != 6 {
		t.Errorf("%d of 6 connections are used", len(used))
	}
}

func TestBackoffDoublesWithinItsBounds(t *testing.T) {
	for seed := range uint64(200) {
		p := newTestPool(t, testConfig(), 1, nil)
		Seed(p.Loop, seed)
		c := p.rings[conn.Key{Proto: 2}].conns[0]
		for _, pause := range []time.Duration{100, 200, 400, 800, 800, 800} {
			p.TakeDials(func(*conn.Conn) {})
			c.OnDialFailed(errors.New("refused"))
			wait := time.Duration(conn.RetryAt(c) - p.Now)
			if wait < pause*time.Millisecond/2 || wait > pause*time.Millisecond {
				t.Fatalf("pause of %s, want half to all of %d ms", wait, pause)
			}
			p.Now = conn.RetryAt(c) - 1
			p.Tick()
			if c.State() != conn.Closed {
				t.Fatal("dialled too early")
			}
			p.Now++
			p.Tick()
			if c.State() != conn.Dialing {
				t.Fatal("not dialled when it was time")
			}
		}
	}
}

func TestBackoffIsNotTheSameForAll(t *testing.T) {
	waits := map[int64]bool{}
	for seed := range uint64(50) {
		p := newTestPool(t, testConfig(), 1, nil)
		Seed(p.Loop, seed)
		c := p.rings[conn.Key{Proto: 2}].conns[0]
		c.OnDialFailed(errors.New("refused"))
		waits[conn.RetryAt(c)] = true
	}
	if len(waits) < 40 {
		t.Errorf("50 pools dial at %d different times", len(waits))
	}
}

func TestWhatAStaleSocketSaysIsIgnored(t *testing.T) {
	p := newTestPool(t, testConfig(), 1, nil)
	c := p.rings[conn.Key{Proto: 2}].conns[0]
	old := ready(t, c)
	p.Now += int64(time.Minute)
	c.OnClose(old, 0, nil)
	now := ready(t, c)
	a := newAsker(t)
	c.Enqueue(&ask.Request{Raw: []byte("x"), Recv: a, Tag: 1})
	c.OnClose(old, 0, errors.New("again"))
	if c.State() != conn.Ready || len(a.ends) != 0 || now.closed {
		t.Errorf("the connection is %s, ends: %v", c.State(), a.ends)
	}
	late := &fakeSocket{}
	c.OnOpen(late)
	if !late.closed {
		t.Error("a socket that nobody asked for stays open")
	}
	checkPool(t, p)
}

func TestAHugeWriteIsCutAndStopsAtTheSocketsLimit(t *testing.T) {
	cfg := testConfig()
	p := newTestPool(t, cfg, 1, nil)
	c := p.rings[conn.Key{Proto: 2}].conns[0]
	s := ready(t, c)
	c.Enqueue(&ask.Request{Raw: make([]byte, 3<<20), Recv: newAsker(t), Tag: 1})
	p.Flush()
	if s.writes != 3 || len(s.wrote) != 3<<20 {
		t.Errorf("%d bytes in %d writes", len(s.wrote), s.writes)
	}
	s.buffered = queue.MaxSocketBacklog
	c.Enqueue(&ask.Request{Raw: []byte("x"), Recv: newAsker(t), Tag: 2})
	p.Flush()
	if s.writes != 3 || !p.Backlogged() {
		t.Errorf("%d writes, backlogged: %t", s.writes, p.Backlogged())
	}
	s.buffered = 0
	p.Tick()
	if s.writes != 4 || p.Backlogged() {
		t.Errorf("%d writes, backlogged: %t", s.writes, p.Backlogged())
	}
	checkPool(t, p)
}
