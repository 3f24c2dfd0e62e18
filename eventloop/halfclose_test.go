package eventloop

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"ringmaster/internal/testkit"
	"ringmaster/stats"
)

func TestAHalfClosedClientGetsAllItsRepliesAndThenTheEnd(t *testing.T) {
	for _, level := range []bool{false, true} {
		for i, network := range []string{"tcp", "unix"} {
			t.Run(fmt.Sprintf("%s level=%v", network, level), func(t *testing.T) {
				s := newScript(t)
				cfg := newConfig(t, s.Addr)
				cfg.Level = level
				cfg.add(t, "unix")
				p := start(t, cfg)
				c := testkit.Dial(t, p.addr(i))
				c.Send(get("red") + get("green") + get("blue"))
				halfClose(t, p, c)
				want := ""
				for _, key := range []string{"red", "green", "blue"} {
					s.next().reply(t, bulk(key))
					want += bulk(key)
				}
				if got, err := c.Rest(); got != want || err != nil {
					t.Errorf("%q, %v", got, err)
				}
				if n := p.closed(stats.ClientClosed); n != 1 {
					t.Errorf("%d clients have closed", n)
				}
				p.untilHalves(0)
			})
		}
	}
}

// halfClose shuts down the client's writing side, and returns when the proxy has noticed.
func halfClose(t *testing.T, p *proxy, c *testkit.Conn) {
	t.Helper()
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	p.untilHalves(1)
	for _, l := range p.loops {
		onLoop(t, l, func() {}) // gnet has closed its own descriptor
	}
}

func TestAHalfClosedClientThatIsOwedNothingIsClosed(t *testing.T) {
	p := start(t, newConfig(t, echoing(t).Addr))
	c := p.dial()
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Rest(); got != "" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	p.untilClosed(stats.ClientClosed, 1)
}

func TestAHalfClosedClientThatReadsLateGetsTheLastBytes(t *testing.T) {
	s := newScript(t)
	p := start(t, newConfig(t, s.Addr))
	c := p.dialSlow()
	c.Send(get("red"))
	halfClose(t, p, c)
	s.next().reply(t, large)
	p.untilClosed(stats.ClientClosed, 1)
	if n := p.halves.Load(); n != 1 {
		t.Fatalf("%d half-closed clients: the system took the whole reply", n)
	}
	if got, err := c.Rest(); got != large || err != nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestShutdownWaitsForTheLastBytesOfAHalfClosedClient(t *testing.T) {
	s := newScript(t)
	p := start(t, newConfig(t, s.Addr))
	c := p.dialSlow()
	c.Send(get("red"))
	halfClose(t, p, c)
	s.next().reply(t, large)
	p.untilClosed(stats.ClientClosed, 1)
	ended := p.shutDown(context.Background())
	if got, err := c.Rest(); got != large || err != nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestShutdownCutsHalfClosedClientsAndCountsThem(t *testing.T) {
	s := newScript(t)
	p := start(t, newConfig(t, s.Addr))
	c := testkit.Dial(t, p.addr(0))
	c.Send(get("red"))
	halfClose(t, p, c)
	s.next()
	ctx, cancel := context.WithCancel(context.Background())
	ended := p.shutDown(ctx)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "1 clients were cut off") {
		t.Errorf("shutdown: %v", err)
	}
	if _, err := c.Rest(); err != nil {
		t.Errorf("the client is not closed: %v", err)
	}
}

func TestAReplyThatIsCutOffDoesNotLookWhole(t *testing.T) {
	for _, half := range []bool{false, true} {
		t.Run(fmt.Sprintf("half=%v", half), func(t *testing.T) {
			s := newScript(t)
			p := start(t, newConfig(t, s.Addr))
			c := testkit.Dial(t, p.addr(0))
			c.Send(get("red") + get("green"))
			if half {
				halfClose(t, p, c)
			}
			red := s.next()
			s.next()
			red.reply(t, "$5\r\nab")
			red.from.Close()
			if got, err := c.Rest(); got != "$5\r\nab" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
			if n := p.closed(stats.UpstreamLost); n != 1 {
				t.Errorf("%d clients closed since a server was lost", n)
			}
			p.untilHalves(0)
		})
	}
}

// TestAHalfClosedClientOverTheOutputLimitGetsNothing: one of two replies fits, and alone it would look complete.
func TestAHalfClosedClientOverTheOutputLimitGetsNothing(t *testing.T) {
	s := newScript(t)
	cfg := newConfig(t, s.Addr)
	cfg.Listeners[0].Session.OutputLimit = 1000
	p := start(t, cfg)
	c := testkit.Dial(t, p.addr(0))
	c.Send(get("red") + get("green"))
	halfClose(t, p, c)
	s.next().reply(t, bulk("red"))
	s.next().reply(t, bulk(strings.Repeat("x", 1000)))
	if got, err := c.Rest(); got != "" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if n := p.closed(stats.WriteFailed); n != 1 {
		t.Errorf("%d clients closed since writing failed", n)
	}
	p.untilHalves(0)
}

// TestNothingFollowsAGapOfAHalfClosedClient: gnet's unsent bytes for a slow client are lost when it half-closes.
func TestNothingFollowsAGapOfAHalfClosedClient(t *testing.T) {
	s := newScript(t)
	p := start(t, newConfig(t, s.Addr))
	c := p.dialSlow()
	c.Send(get("red") + get("green"))
	red, green := s.next(), s.next()
	red.reply(t, large)
	p.untilUnread(p.client())
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	p.untilClosed(stats.ClientClosed, 1)
	green.reply(t, bulk("green"))
	if got, err := c.Rest(); len(got) >= len(large) || !strings.HasPrefix(large, got) || err != nil {
		t.Errorf("%d of %d bytes, %v; the end is %.40q", len(got), len(large), err, got[max(0, len(got)-40):])
	}
	if n := p.halves.Load(); n != 0 {
		t.Errorf("%d half-closed clients", n)
	}
}

func TestMoreHalfClosedClientsThanThereMayBeAreClosed(t *testing.T) {
	s := newScript(t)
	p := start(t, newConfig(t, s.Addr))
	p.halves.Add(maxHalves)
	c := testkit.Dial(t, p.addr(0))
	c.Send(get("red"))
	red := s.next()
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Rest(); got != "" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	red.reply(t, bulk("red"))
	p.untilClosed(stats.ClientClosed, 1)
	if n := p.halves.Add(-maxHalves); n != 0 {
		t.Errorf("%d half-closed clients are counted", n)
	}
}

// TestABlockedClientThatHalfClosesIsClosed: its command may never end.
func TestABlockedClientThatHalfClosesIsClosed(t *testing.T) {
	s := newScript(t)
	p := start(t, newConfig(t, s.Addr))
	c := testkit.Dial(t, p.addr(0))
	c.Send(testkit.Request("BLPOP", "list", "0"))
	for s.next().args[0] != "BLPOP" {
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Rest(); got != "" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	p.untilClosed(stats.ClientClosed, 1)
}

func TestAHalfClosedClientThatHasGoneIsForgotten(t *testing.T) {
	s := newScript(t)
	p := start(t, newConfig(t, s.Addr))
	c := p.dialSlow()
	c.Send(get("red"))
	halfClose(t, p, c)
	c.Reset()
	s.next().reply(t, large)
	p.untilHalves(0)
	p.untilClosed(stats.ClientClosed, 1)
}
