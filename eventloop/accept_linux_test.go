package eventloop

import (
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ringmaster/internal/testkit"
)

func TestAcceptedSocketsAreSetUp(t *testing.T) {
	for _, idle := range []time.Duration{0, 30 * time.Second} {
		cfg := newConfig(t, echoing(t).Addr)
		cfg.Listeners[0].KeepAlive = idle
		p := start(t, cfg)
		p.dial()
		cl := p.client()
		option := func(level, name int) (v int) {
			onLoop(t, p.loops[0], func() { v, _ = unix.GetsockoptInt(cl.c.Fd(), level, name) })
			return v
		}
		if on := option(unix.SOL_SOCKET, unix.SO_KEEPALIVE) != 0; on != (idle > 0) {
			t.Errorf("keep-alive %v: on is %v", idle, on)
		}
		if got := option(unix.SOL_TCP, unix.TCP_KEEPIDLE); idle > 0 && got != 30 {
			t.Errorf("probes begin after %d s", got)
		}
		if got := option(unix.SOL_SOCKET, unix.SO_RCVBUF); got == 0 || got >= readBuffer {
			t.Errorf("a socket holds %d bytes, a read takes %d", got, readBuffer)
		}
	}
}

func TestTheAddressesOfAClientTakeLittleMemory(t *testing.T) {
	p := start(t, newConfig(t, echoing(t).Addr))
	conns := []*testkit.Conn{p.dial(), p.dial()}
	var locals []*byte
	for i, cl := range p.all(p.loops[0]) {
		var remote, local *net.TCPAddr
		onLoop(t, p.loops[0], func() { remote, local = cl.c.RemoteAddr().(*net.TCPAddr), cl.c.LocalAddr().(*net.TCPAddr) })
		if got, want := remote.String(), conns[i].LocalAddr().String(); got != want {
			t.Errorf("client %d: from %s, want %s", i, got, want)
		}
		if got, want := local.String(), conns[i].RemoteAddr().String(); got != want {
			t.Errorf("client %d: to %s, want %s", i, got, want)
		}
		if n := cap(remote.IP); n > 8 {
			t.Errorf("client %d: its IP takes %d bytes", i, n)
		}
		locals = append(locals, &local.IP[0])
	}
	if len(locals) != 2 || locals[0] != locals[1] {
		t.Error("the clients do not share the IP to which they came")
	}
}

// counting is a listener that counts the calls of Accept.
type counting struct {
	*net.TCPListener
	accepts atomic.Int64
}

func (c *counting) Accept() (net.Conn, error) {
	c.accepts.Add(1)
	return c.TCPListener.Accept()
}

// TestAClientIsRefusedWhenNoDescriptorIsLeft uses the reserve descriptor twice, so that it must have been opened
// again. Between the clients the system keeps reporting that no descriptor is left, although no client waits.
func TestAClientIsRefusedWhenNoDescriptorIsLeft(t *testing.T) {
	ln := &counting{TCPListener: listen(t, "tcp").(*net.TCPListener)}
	cfg := newConfig(t, testkit.Loopback(testkit.FreePort(t)))
	cfg.Listeners[0].Listener = ln
	cfg.Upstreams[0].Pool.BackoffMin, cfg.Upstreams[0].Pool.BackoffMax = time.Hour, time.Hour // a dial would open a descriptor
	p := startUnready(t, cfg)
	testkit.Until(t, "the server is down, and a client is waited for", func() bool {
		return p.counters()[0].Upstreams[0].Servers[0].ConnectFailures == 1 && ln.accepts.Load() == 1
	})
	sockets := []int{newSocket(t), newSocket(t)}
	restore := useUpDescriptors(t)
	for i, fd := range sockets {
		if got := connectAndRead(fd, p.Addrs()[0].(*net.TCPAddr).Port); got != refusal {
			t.Errorf("client %d: %q", i, got)
		}
		from := ln.accepts.Load()
		testkit.Until(t, "more attempts to accept", func() bool { return ln.accepts.Load() >= from+4 })
		if n := p.refused.Load(); n != uint64(i+1) {
			t.Errorf("%d refused, want %d", n, i+1)
		}
	}
	restore()
	testkit.Until(t, "a client is served", func() bool {
		c, err := testkit.Connect(p.addr(0))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		got, _ := c.Call("PING")
		return got == "+PONG\r\n"
	})
}

func newSocket(t *testing.T) int {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	patience := unix.NsecToTimeval(int64(testkit.Patience))
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &patience); err != nil {
		t.Fatal(err)
	}
	return fd
}

// connectAndRead returns everything that a server sends, or the error. It opens no descriptor.
func connectAndRead(fd, port int) string {
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return err.Error()
	}
	var all []byte
	for b := make([]byte, 100); ; {
		n, err := unix.Read(fd, b)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return string(all) + err.Error()
		}
		if n == 0 {
			return string(all)
		}
		all = append(all, b[:n]...)
	}
}

// useUpDescriptors leaves the process no descriptor until restore is called.
func useUpDescriptors(t *testing.T) (restore func()) {
	t.Helper()
	runtime.GC() // so that no unused file is closed meanwhile
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	first, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	taken := []int{first}
	low := limit
	low.Cur = uint64(first) + 100
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	for {
		fd, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			break
		}
		taken = append(taken, fd)
	}
	done := false
	restore = func() {
		if done {
			return
		}
		done = true
		for _, fd := range taken {
			unix.Close(fd)
		}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(restore)
	return restore
}
