package eventloop

import (
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// On Linux a client's socket begins with the options of the socket that it came to. One look whether it has them is
// cheaper than to set five.

const (
	// neverIdle marks a listening socket whose clients get no keep-alive, s. It is the longest that Linux takes.
	neverIdle = 32767
	// netsOwn is what the net package itself sets on the clients of some listeners, with another interval, s.
	netsOwn = 15
)

// prepare sets on the listening socket what its clients should have: what admit sets. The idle time comes last, so
// that a client that has it has everything. Any goroutine.
func (a *acceptor) prepare(idle time.Duration) {
	ln, ok := a.Listener.(syscall.Conn)
	if _, tcp := a.Addr().(*net.TCPAddr); !ok || !tcp {
		return
	}
	raw, err := ln.SyscallConn()
	if err != nil {
		return
	}
	on, seconds := 1, inSeconds(idle)
	if idle <= 0 {
		on, seconds = 0, neverIdle
	}
	_ = raw.Control(func(fd uintptr) {
		for _, o := range []struct{ level, name, value int }{
			{unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer},
			{unix.SOL_SOCKET, unix.SO_KEEPALIVE, on},
			{unix.IPPROTO_TCP, unix.TCP_KEEPCNT, probes},
			{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, inSeconds(max(idle, probes) / probes)},
			{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, seconds},
		} {
			if unix.SetsockoptInt(int(fd), o.level, o.name, o.value) != nil {
				return
			}
		}
	})
}

// inherited reports whether a client's socket has the options that prepare sets for this idle time. It has not if it
// came before, or if the net package has set others.
func inherited(conn *net.TCPConn, idle time.Duration) bool {
	want := inSeconds(idle)
	if idle <= 0 || want >= neverIdle || want == netsOwn {
		return false
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	got := 0
	err = raw.Control(func(fd uintptr) { got, _ = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_KEEPIDLE) })
	return err == nil && got == want
}

// inSeconds rounds up, as the net package does.
func inSeconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
