package eventloop

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestShutdownEndsADialUnderWay: the server's system does not answer, and the dial would go on for an hour.
func TestShutdownEndsADialUnderWay(t *testing.T) {
	cfg := newConfig(t, fullQueue(t))
	cfg.Upstreams[0].Pool.DialTimeout = time.Hour
	p := startUnready(t, cfg)
	onLoop(t, p.loops[0], func() {}) // the dial has begun
	if err := p.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

// fullQueue returns an address that accepts no connection, because its queue is full.
func fullQueue(t *testing.T) string {
	t.Helper()
	fd := newSocket(t)
	loopback := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	if err := unix.Bind(fd, loopback); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Connect(newSocket(t), name); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", name.(*unix.SockaddrInet4).Port)
}
