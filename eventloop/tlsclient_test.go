package eventloop

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"

	"ringmaster/internal/testkit"
	"ringmaster/stats"
)

// secured makes a Config whose first listener speaks TLS, and the settings of a client for it.
func secured(t testing.TB, servers ...string) (Config, *tls.Config) {
	t.Helper()
	ca := testkit.NewCA(t)
	cfg := newConfig(t, servers...)
	cfg.Listeners[0].TLS = &tls.Config{Certificates: []tls.Certificate{ca.Issue("proxy").Certificate}}
	return cfg, &tls.Config{RootCAs: ca.Pool, ServerName: "proxy"}
}

// untilShaken waits until n handshakes have ended in a way.
func (p *proxy) untilShaken(result stats.TLSResult, n uint64) {
	p.t.Helper()
	testkit.Until(p.t, fmt.Sprintf("%d handshakes: %v", n, result), func() bool { return p.acceptors[0].shakes[result].Load() == n })
}

// eachVersion runs a test with both versions of TLS.
func eachVersion(t *testing.T, run func(t *testing.T, version uint16)) {
	for name, version := range map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13} {
		t.Run("TLS "+name, func(t *testing.T) { run(t, version) })
	}
}

func TestATLSClientIsServed(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		for _, level := range []bool{false, true} {
			cfg, dial := secured(t, echoing(t).Addr)
			cfg.Level = level
			dial.MaxVersion = version
			p := start(t, cfg)
			c := testkit.DialTLS(t, p.addr(0), dial)
			for range 3 {
				if got := c.Do("GET", "red"); got != bulk("red") {
					t.Errorf("GET: %q", got)
				}
			}
			if got := c.Do("QUIT"); got != "+OK\r\n" {
				t.Errorf("QUIT: %q", got)
			}
			if rest, err := c.Rest(); rest != "" || err != nil {
				t.Errorf("the end: %q, %v", rest, err) // an end without close_notify would be an error
			}
			p.untilShaken(stats.TLSOK, 1)
		}
	})
}

// TestALargeValueGoesBothWaysOverTLS: 20 MB are thousands of records, and more than the socket takes at once.
func TestALargeValueGoesBothWaysOverTLS(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		cfg, dial := secured(t, echoing(t).Addr)
		dial.MaxVersion = version
		p := start(t, cfg)
		c := testkit.DialTLS(t, p.addr(0), dial)
		value := strings.Repeat("0123456789abcdef", 20<<20/16)
		if got := c.Do("GET", value); got != bulk(value) {
			t.Errorf("%d bytes come back", len(got))
		}
	})
}

// trickle writes one byte at a time.
type trickle struct{ net.Conn }

func (c trickle) Write(b []byte) (int, error) {
	for i := range b {
		if n, err := c.Conn.Write(b[i : i+1]); err != nil {
			return i + n, err
		}
	}
	return len(b), nil
}

func TestRecordsThatComeByteByByte(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		cfg, dial := secured(t, echoing(t).Addr)
		dial.MaxVersion = version
		p := start(t, cfg)
		raw, err := net.Dial("tcp", p.addr(0))
		if err != nil {
			t.Fatal(err)
		}
		defer raw.Close()
		c := testkit.NewConn(tls.Client(trickle{raw}, dial))
		for range 20 {
			if got, err := c.Call("GET", "red"); got != bulk("red") || err != nil {
				t.Fatalf("%q, %v", got, err)
			}
		}
	})
}

// TestRequestsThatComeWithTheHandshake: the bytes that the handshake has read on are the first that the loop looks at.
func TestRequestsThatComeWithTheHandshake(t *testing.T) {
	cfg, dial := secured(t, echoing(t).Addr)
	p := start(t, cfg)
	raw, err := net.Dial("tcp", p.addr(0))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	joined := &joining{Conn: raw}
	secure := tls.Client(joined, dial)
	if err := secure.Handshake(); err != nil {
		t.Fatal(err)
	}
	joined.release = true
	if got, err := testkit.NewConn(secure).Call("GET", "red"); got != bulk("red") || err != nil {
		t.Fatalf("%q, %v", got, err)
	}
}

// joining keeps what a client of TLS 1.3 writes after its hello until it is released, and writes it with what follows.
type joining struct {
	net.Conn
	writes  int
	kept    []byte
	release bool
}

func (c *joining) Write(b []byte) (int, error) {
	c.writes++
	if c.writes == 1 || c.release {
		_, err := c.Conn.Write(append(c.kept, b...))
		c.kept = nil
		return len(b), err
	}
	c.kept = append(c.kept, b...)
	return len(b), nil
}

func TestAHalfClosedTLSClientGetsAllItsReplies(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		for _, notify := range []bool{true, false} { // close_notify, or only the end of TCP
			s := newScript(t)
			cfg, dial := secured(t, s.Addr)
			dial.MaxVersion = version
			p := start(t, cfg)
			c := testkit.DialTLS(t, p.addr(0), dial)
			c.Send(get("red") + get("green"))
			red, green := s.next(), s.next()
			var end interface{ CloseWrite() error } = c
			if !notify {
				end = c.Conn.(*tls.Conn).NetConn().(*net.TCPConn)
			}
			if err := end.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			p.untilHalves(1)
			red.reply(t, bulk("red"))
			green.reply(t, bulk("green"))
			if got, err := c.Rest(); got != bulk("red")+bulk("green") || err != nil {
				t.Errorf("%q, %v", got, err)
			}
			p.untilHalves(0)
		}
	})
}

func TestATLSClientThatEndsIsClosed(t *testing.T) {
	cfg, dial := secured(t, echoing(t).Addr)
	p := start(t, cfg)
	c := testkit.DialTLS(t, p.addr(0), dial)
	if got := c.Do("PING"); got != "+PONG\r\n" {
		t.Fatal(got)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Rest(); got != "" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	p.untilClosed(stats.ClientClosed, 1)
}

func TestBadRecordsCloseTheClient(t *testing.T) {
	cfg, dial := secured(t, echoing(t).Addr)
	p := start(t, cfg)
	c := testkit.DialTLS(t, p.addr(0), dial)
	if got := c.Do("PING"); got != "+PONG\r\n" {
		t.Fatal(got)
	}
	raw := c.Conn.(*tls.Conn).NetConn()
	if _, err := raw.Write([]byte("\x17\x03\x03\x00\x20" + strings.Repeat("x", 32))); err != nil {
		t.Fatal(err)
	}
	p.untilClosed(stats.TLSError, 1)
	if _, err := c.Rest(); err == nil || !strings.Contains(err.Error(), "bad record MAC") {
		t.Errorf("the client is told: %v", err)
	}
}

func TestAClientWithoutTLSIsTold(t *testing.T) {
	cfg, _ := secured(t, echoing(t).Addr)
	p := start(t, cfg)
	for i, said := range []string{"PING\r\n", strings.Repeat("PING\r\n", 10000)} {
		c := testkit.Dial(t, p.addr(0))
		c.Send(said)
		if got, err := c.Rest(); !strings.HasPrefix(got, "-ERR this port speaks TLS only") || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		c.Close()
		p.untilShaken(stats.TLSPlain, uint64(i+1))
	}
}

func TestATLSClientThatFloodsIsPausedAndServed(t *testing.T) {
	s := newScript(t)
	cfg, dial := secured(t, s.Addr)
	cfg.Listeners[0].Session.MaxInFlight = 10
	p := start(t, cfg)
	c := testkit.DialTLS(t, p.addr(0), dial)
	const flood = 3000
	sent := make(chan error, 1)
	go func() {
		sent <- c.SendBytes([]byte(strings.Repeat(testkit.Request("GET", strings.Repeat("k", 1000)), flood)))
	}()
	testkit.Until(t, "the client is paused", func() bool {
		var paused uint64
		for _, l := range p.counters() {
			paused += l.ClientPauses
		}
		return paused > 0
	})
	for range flood {
		s.next().reply(t, bulk("x"))
	}
	for i := range flood {
		if got := c.Read1(); got != bulk("x") {
			t.Fatalf("reply %d: %.40q", i, got)
		}
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
}

func TestATLSClientThatReadsLateGetsItsReplyWhole(t *testing.T) {
	s := newScript(t)
	cfg, dial := secured(t, s.Addr)
	p := start(t, cfg)
	c := testkit.DialTLS(t, p.addr(0), dial)
	c.Send(get("red"))
	s.next().reply(t, large)
	p.untilUnread(p.client())
	if got := c.Read1(); got != large {
		t.Errorf("%d bytes", len(got))
	}
}

func TestShutdownServesTLSClientsWhatTheyAreOwed(t *testing.T) {
	s := newScript(t)
	cfg, dial := secured(t, s.Addr)
	p := start(t, cfg)
	c := testkit.DialTLS(t, p.addr(0), dial)
	c.Send(get("red"))
	red := s.next()
	ended := p.shutDown(t.Context())
	red.reply(t, bulk("red"))
	if got, err := c.Rest(); got != bulk("red") || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAListenerThatBeginsToSpeakTLSKeepsItsClients(t *testing.T) {
	cfg, dial := secured(t, echoing(t).Addr)
	secure := cfg.Listeners[0].TLS
	cfg.Listeners[0].TLS = nil
	p := start(t, cfg)
	before := p.dial()
	plan := Plan{Listeners: cfg.Listeners, Upstreams: cfg.Upstreams, MaxOwn: cfg.MaxOwn}
	plan.Listeners[0].Listener, plan.Listeners[0].TLS = nil, secure
	if err := p.Apply(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	after := testkit.DialTLS(t, p.addr(0), dial)
	for _, c := range []*testkit.Conn{before, after} {
		if got := c.Do("GET", "red"); got != bulk("red") {
			t.Errorf("%q", got)
		}
	}
}

func TestTLSClientsAddressesAreTheirOwn(t *testing.T) {
	cfg, dial := secured(t, echoing(t).Addr)
	p := start(t, cfg)
	c := testkit.DialTLS(t, p.addr(0), dial)
	if got := c.Do("CLIENT", "LIST"); !strings.Contains(got, " addr="+c.LocalAddr().String()+" laddr="+p.addr(0)+" ") {
		t.Errorf("%q", got)
	}
}

// TestTheRecordLayerAllocatesNothingPerCommand counts on the loop.
func TestTheRecordLayerAllocatesNothingPerCommand(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		cfg, dial := secured(t, echoing(t).Addr)
		dial.MaxVersion = version
		p := start(t, cfg)
		c := testkit.DialTLS(t, p.addr(0), dial)
		if got := c.Do("PING"); got != "+PONG\r\n" {
			t.Fatal(got)
		}
		var cl *tlsClient
		onLoop(t, p.loops[0], func() {
			for _, known := range p.loops[0].clients {
				cl = known.c.Context().(*tlsClient)
			}
		})
		reply := []byte(bulk("red"))
		var perWrite float64
		onLoop(t, p.loops[0], func() {
			perWrite = testing.AllocsPerRun(100, func() { _, _ = cl.Write(reply) })
		})
		if perWrite != 0 && !raceEnabled {
			t.Errorf("%v allocations for each write", perWrite)
		}
	})
}
