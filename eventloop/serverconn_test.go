package eventloop

import (
	"strings"
	"testing"

	"ringmaster/internal/testkit"
	"ringmaster/stats"
)

// TestAServersConnectionIsClosedFromWithinOnBytes: it is lost once, nothing more is read from it, and there is a new
// one.
func TestAServersConnectionIsClosedFromWithinOnBytes(t *testing.T) {
	s := newScript(t)
	p := start(t, newConfig(t, s.Addr))
	c := p.dial()
	c.Send(get("red") + get("green"))
	red := s.next()
	s.next()
	red.reply(t, bulk("red")+"no RESP\r\n"+bulk("green"))
	if got := c.Read1(); got != bulk("red") {
		t.Errorf("%q", got)
	}
	if got := c.Read1(); !strings.HasPrefix(got, "-ERR lost the connection to server") {
		t.Errorf("%q", got)
	}
	testkit.Until(t, "a new connection", func() bool { return s.Accepted() == 2 && p.Ready(t.Context()) == nil })
	server := p.counters()[0].Upstreams[0].Servers[0]
	for reason, n := range server.Disconnects {
		want := uint64(0)
		if stats.DisconnectReason(reason) == stats.ServerProtocolError {
			want = 1
		}
		if n != want {
			t.Errorf("%d connections lost: %v", n, stats.DisconnectReason(reason))
		}
	}
	c.Send(get("blue"))
	s.next().reply(t, bulk("blue"))
	if got := c.Read1(); got != bulk("blue") {
		t.Errorf("%q", got)
	}
}

func TestAServerThatClosesIsDialledAgain(t *testing.T) {
	s := newScript(t)
	p := start(t, newConfig(t, s.Addr))
	c := p.dial()
	c.Send(get("red"))
	s.next().from.Close()
	if got := c.Read1(); !strings.HasPrefix(got, "-ERR lost the connection to server") || !strings.Contains(got, "may have run") {
		t.Errorf("%q", got)
	}
	testkit.Until(t, "a new connection", func() bool { return p.counters()[0].Upstreams[0].Servers[0].Connects == 2 })
	if n := p.counters()[0].Upstreams[0].Servers[0].Disconnects[stats.ServerClosed]; n != 1 {
		t.Errorf("%d connections closed by the server", n)
	}
}

// TestNothingIsHeardOfAConnectionThatIsMarked stops the pool, which marks every connection.
func TestNothingIsHeardOfAConnectionThatIsMarked(t *testing.T) {
	s := newScript(t)
	p := start(t, newConfig(t, s.Addr))
	l := p.loops[0]
	onLoop(t, l, func() {
		l.upstreams[0].pool.Stop()
		if len(l.closing) != 1 {
			t.Errorf("%d sockets are to be closed", len(l.closing))
			return
		}
		u := l.closing[0].(*serverConn)
		u.Close() // again
		before := l.stats.Upstreams[0].Servers[0].BytesIn
		u.traffic([]byte("+OK\r\n"))
		if n := l.stats.Upstreams[0].Servers[0].BytesIn - before; len(l.closing) != 1 || n != 0 || u.c == nil {
			t.Errorf("%d sockets are to be closed, %d bytes heard, gone within the call: %v", len(l.closing), n, u.c == nil)
		}
	})
	testkit.Until(t, "the connection is closed", func() bool { return p.counters()[0].Upstreams[0].Servers[0].Connections == 0 })
	if n := p.counters()[0].Upstreams[0].Servers[0].Disconnects[stats.ServerDropped]; n != 1 {
		t.Errorf("%d connections dropped", n)
	}
}
