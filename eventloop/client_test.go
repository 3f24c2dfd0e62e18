package eventloop

import (
	"bytes"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"ringmaster/internal/testkit"
	"ringmaster/pool"
	"ringmaster/stats"
)

func TestAClientIsClosedFromWithinFeed(t *testing.T) {
	for _, c := range []struct {
		name, send, want string
		reason           stats.CloseReason
	}{
		{"no RESP", "*x\r\n", "-ERR Protocol error: invalid multibulk length\r\n", stats.ProtocolError},
		{"HTTP", "POST / HTTP/1.1\r\n", "", stats.CrossProtocol},
		{"too long", "*2\r\n$3\r\nGET\r\n$100000\r\n" + strings.Repeat("x", 2000), "", stats.QueryBufferLimit},
		{"QUIT", testkit.Request("QUIT"), "+OK\r\n", stats.Quit},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := newConfig(t, echoing(t).Addr)
			cfg.Listeners[0].Session.QueryBufferLimit = 1000
			p := start(t, cfg)
			client := testkit.Dial(t, p.addr(0))
			client.Send(c.send + get("red")) // the GET is not read
			if got, err := client.Rest(); got != c.want || err != nil {
				t.Errorf("%q, %v", got, err)
			}
			p.untilClosed(c.reason, 1)
			if n := p.counters()[0].Upstreams[0].Servers[0].Requests; n != 0 {
				t.Errorf("the server got %d requests", n)
			}
			p.dial()
		})
	}
}

// TestAClientIsClosedFromWithinItsReply: the server's bytes turn out to be broken after a part of the reply was sent.
func TestAClientIsClosedFromWithinItsReply(t *testing.T) {
	s := newScript(t)
	p := start(t, newConfig(t, s.Addr))
	c := testkit.Dial(t, p.addr(0))
	c.Send(get("red"))
	a := s.next()
	a.reply(t, "$3\r\nre")
	part := make([]byte, len("$3\r\nre"))
	if _, err := c.Conn.Read(part); err != nil || string(part) != "$3\r\nre" {
		t.Fatalf("%q, %v", part, err)
	}
	a.reply(t, "dxx"+bulk("green"))
	if got, err := c.Rest(); strings.Contains(got, "-ERR") || strings.Contains(got, "green") || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	p.untilClosed(stats.UpstreamLost, 1)
}

// TestAClientIsClosedFromWithinFlush: gnet notices the client's reset only when the turn's end writes to it.
func TestAClientIsClosedFromWithinFlush(t *testing.T) {
	p := start(t, newConfig(t, echoing(t).Addr))
	c := p.dial()
	cl := p.client()
	l := p.loops[0]
	onLoop(t, l, func() {
		c.Reset()
		gone := []unix.PollFd{{Fd: int32(cl.c.Fd())}}
		if n, err := unix.Poll(gone, int(testkit.Patience.Milliseconds())); n != 1 {
			t.Errorf("the reset does not come: %v", err)
		}
		cl.session.Feed([]byte(testkit.Request("PING")))
		l.flush()
		if cl.c != nil || len(l.clients) != 0 {
			t.Error("the client is not gone after the write failed")
		}
		before := l.stats.ClientBytesIn
		cl.traffic([]byte(testkit.Request("PING")))
		if n := l.stats.ClientBytesIn - before; n != 0 {
			t.Errorf("%d bytes were heard of a client that is gone", n)
		}
		if l.stats.ClientsClosed[stats.ClientClosed] != 1 || l.busy.Load() != 0 {
			t.Errorf("closed: %v, busy: %d", l.stats.ClientsClosed, l.busy.Load())
		}
	})
	p.untilClosed(stats.ClientClosed, 1)
	p.dial()
}

func TestAClientThatResetsWhileItsReplyIsWrittenIsCountedOnce(t *testing.T) {
	s := newScript(t)
	p := start(t, newConfig(t, s.Addr))
	c := p.dialSlow()
	c.Send(get("red"))
	s.next().reply(t, large)
	p.untilUnread(p.client())
	c.Reset()
	p.untilClosed(stats.ClientClosed, 1)
	other := p.dial()
	other.Send(get("green"))
	s.next().reply(t, bulk("green"))
	if got := other.Read1(); got != bulk("green") {
		t.Errorf("%q", got)
	}
}

// untilUnread waits until gnet holds output that the client has not read.
func (p *proxy) untilUnread(cl *client) {
	p.t.Helper()
	testkit.Until(p.t, "gnet holds output", func() (full bool) {
		onLoop(p.t, p.loops[0], func() { full = cl.Buffered() > 0 })
		return full
	})
}

func TestAClientIsClosedAtTheTurnsEndAndHeardNoMore(t *testing.T) {
	p := start(t, newConfig(t, echoing(t).Addr))
	c := p.dial()
	cl := p.client()
	l := p.loops[0]
	onLoop(t, l, func() {
		before := l.stats.ClientBytesIn
		cl.session.Abandon()
		cl.Close(stats.Killed) // again
		if len(l.closing) != 1 || cl.c == nil {
			t.Errorf("%d sockets are to be closed; gone within the call: %v", len(l.closing), cl.c == nil)
		}
		cl.traffic([]byte(testkit.Request("PING")))
		if n := l.stats.ClientBytesIn - before; n != 0 {
			t.Errorf("%d bytes were heard of a client that is being closed", n)
		}
	})
	if got, err := c.Rest(); got != "" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	onLoop(t, l, func() {
		if cl.c != nil || len(l.clients) != 0 {
			t.Error("the client is not closed after the turn")
		}
	})
}

func TestAClientThatQuitsGetsAllBeforeItIsClosed(t *testing.T) {
	s := newScript(t)
	p := start(t, newConfig(t, s.Addr))
	c := p.dialSlow()
	c.Send(get("red") + testkit.Request("QUIT"))
	s.next().reply(t, large)
	p.untilLingers(1)
	if got, err := c.Rest(); got != large+"+OK\r\n" || err != nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	p.untilClosed(stats.Quit, 1)
	p.untilLingers(0)
}

func TestAClientThatDoesNotReadItsLastRepliesIsClosed(t *testing.T) {
	s := newScript(t)
	p := start(t, newConfig(t, s.Addr))
	c := p.dialSlow()
	c.Send(get("red") + testkit.Request("QUIT"))
	s.next().reply(t, large)
	p.untilLingers(1)
	cl := p.client()
	onLoop(t, p.loops[0], func() { p.loops[0].lingers[cl] -= int64(lingerLimit) })
	p.untilClosed(stats.Quit, 1)
	if got, err := c.Rest(); len(got) >= len(large) || !strings.HasPrefix(large, got) || err != nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// untilLingers waits until n clients that are being closed have something to read.
func (p *proxy) untilLingers(n int) {
	p.t.Helper()
	testkit.Until(p.t, "clients linger", func() (ok bool) {
		onLoop(p.t, p.loops[0], func() { ok = len(p.loops[0].lingers) == n })
		return ok
	})
}

func TestClientsThatDoNotReadAreWarnedOfOnceASecond(t *testing.T) {
	var out bytes.Buffer
	conns := pool.NewLoop(0)
	conns.Now = 1
	l := &loop{srv: &Server{log: slog.New(slog.NewTextHandler(&out, nil))}, conns: conns}
	cl := &client{loop: l, came: &arrival{at: &acceptor{Listener: listen(t, "tcp")}}}
	defer cl.came.at.Listener.Close()
	lines := func(reason stats.CloseReason) int {
		out.Reset()
		cl.logClose(reason)
		return strings.Count(out.String(), "client closed by ringmaster")
	}
	for _, c := range []struct {
		at     time.Duration
		reason stats.CloseReason
		want   int
	}{
		{1, stats.Quit, 0}, {1, stats.NotReading, 1}, {time.Second, stats.OutputLimit, 0}, {time.Second + 1, stats.ClientMemory, 1},
	} {
		l.conns.Now = int64(c.at)
		if n := lines(c.reason); n != c.want {
			t.Errorf("%v, %v: %d lines", c.at, c.reason, n)
		}
	}
}

func TestAClientTakesLittleMemory(t *testing.T) {
	if n := unsafe.Sizeof(client{}); n > 48 {
		t.Errorf("%d bytes; the next size class is 64", n)
	}
}

func TestALoopKnowsItsClientsWhileTheyComeAndGo(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	l := &loop{}
	here := map[*client]bool{}
	for range 2000 {
		cl := &client{}
		if rnd.IntN(2) == 0 {
			l.add(cl)
			here[cl] = true
		} else {
			for cl = range here {
				break
			}
			l.remove(cl) // if there is none, one that was never added
			l.remove(cl)
			delete(here, cl)
		}
		if len(l.clients) != len(here) {
			t.Fatalf("the loop knows %d clients of %d", len(l.clients), len(here))
		}
		for i, cl := range l.clients {
			if !here[cl] || int(cl.place) != i {
				t.Fatalf("place %d: a client that is not here, or thinks that it is at %d", i, cl.place)
			}
		}
	}
}

func TestAClientThatIsGoneKeepsItsAddress(t *testing.T) {
	p := start(t, newConfig(t, echoing(t).Addr))
	c := p.dial()
	cl := p.client()
	want := [2]string{c.LocalAddr().String(), c.RemoteAddr().String()}
	address := func() (a [2]string) {
		onLoop(t, p.loops[0], func() { a[0], a[1] = cl.Addr() })
		return a
	}
	if got := address(); got != want {
		t.Errorf("%v, want %v", got, want)
	}
	c.Close()
	p.untilClosed(stats.ClientClosed, 1)
	if got := address(); got != want {
		t.Errorf("%v, want %v", got, want)
	}
	onLoop(t, p.loops[0], func() {
		if _, err := cl.Write([]byte("x")); err != net.ErrClosed || cl.Buffered() != 0 {
			t.Errorf("a write to a client that is gone: %v", err)
		}
		cl.Pause()
		cl.Unpause()
		cl.Close(stats.Killed)
		if len(p.loops[0].closing) != 0 {
			t.Error("a client that is gone is to be closed")
		}
	})
}
