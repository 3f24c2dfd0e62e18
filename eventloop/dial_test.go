package eventloop

import (
	"net"
	"strings"
	"testing"
	"time"

	"ringmaster/internal/testkit"
)

func TestAServerMayHaveAUnixSocket(t *testing.T) {
	ln := listen(t, "unix")
	defer ln.Close()
	answering := make(chan struct{})
	t.Cleanup(func() { <-answering }) // after the proxy has ended
	go func() {
		defer close(answering)
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		testkit.Answering(func(_ int, args []string) string { return bulk(args[1]) })(0, testkit.NewConn(conn))
	}()
	p := start(t, newConfig(t, "unix://"+ln.Addr().String()))
	if got := p.dial().Do("GET", "red"); got != bulk("red") {
		t.Errorf("%q", got)
	}
}

func TestAServerThatComesUpLaterIsFound(t *testing.T) {
	port := testkit.FreePort(t)
	cfg := newConfig(t, testkit.Loopback(port))
	p := startUnready(t, cfg)
	testkit.Until(t, "dials have failed", func() bool { return p.counters()[0].Upstreams[0].Servers[0].ConnectFailures > 1 })
	c := p.dial()
	if got := c.Do("GET", "red"); !strings.HasPrefix(got, "-ERR server "+testkit.Loopback(port)+" is down") {
		t.Errorf("%q", got)
	}
	ln, err := net.Listen("tcp", testkit.Loopback(port))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	acceptOne(t, ln).Close()
}

// acceptOne waits for a connection.
func acceptOne(t *testing.T, ln net.Listener) net.Conn {
	t.Helper()
	if err := ln.(*net.TCPListener).SetDeadline(time.Now().Add(testkit.Patience)); err != nil {
		t.Fatal(err)
	}
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return conn
}
