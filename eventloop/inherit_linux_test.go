package eventloop

import (
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestClientsInheritTheOptionsOfTheirListener changes the idle time while a client waits to be accepted: it has what
// was set when it came.
func TestClientsInheritTheOptionsOfTheirListener(t *testing.T) {
	cfg := net.ListenConfig{KeepAlive: -1}
	ln, err := cfg.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	a := &acceptor{Listener: ln}
	client := func() net.Conn {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	accept := func() *net.TCPConn {
		c, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c.(*net.TCPConn)
	}
	option := func(conn *net.TCPConn, level, name int) (v int) {
		raw, err := conn.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		if err := raw.Control(func(fd uintptr) { v, _ = unix.GetsockoptInt(int(fd), level, name) }); err != nil {
			t.Fatal(err)
		}
		return v
	}
	client() // comes before anything is set
	a.prepare(30 * time.Second)
	client()
	a.prepare(0)
	client()
	a.prepare(29*time.Second + 1)
	client()
	for i, want := range []bool{false, true, false, true} {
		c := accept()
		if got := inherited(c, 30*time.Second); got != want {
			t.Errorf("client %d has the options: %v", i, got)
		}
		if on := option(c, unix.SOL_SOCKET, unix.SO_KEEPALIVE) != 0; on != want {
			t.Errorf("client %d: keep-alive is on: %v", i, on)
		}
		if !want {
			continue
		}
		got := [3]int{
			option(c, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE), option(c, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL), option(c, unix.IPPROTO_TCP, unix.TCP_KEEPCNT),
		}
		if got != [3]int{30, 10, probes} {
			t.Errorf("client %d: probes %v", i, got)
		}
		if n := option(c, unix.SOL_SOCKET, unix.SO_RCVBUF); n != 2*receiveBuffer {
			t.Errorf("client %d: it can have %d bytes unread", i, n)
		}
	}
}

func TestOptionsOfTheNetPackageAreNotTakenForOurs(t *testing.T) {
	ln := listen(t, "tcp")
	defer ln.Close()
	a := &acceptor{Listener: ln}
	for _, idle := range []time.Duration{netsOwn * time.Second, 30 * time.Second} {
		a.prepare(idle)
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		theirs, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer theirs.Close()
		if inherited(theirs.(*net.TCPConn), idle) {
			t.Errorf("%v: the net package's own options count as ours", idle)
		}
	}
}
