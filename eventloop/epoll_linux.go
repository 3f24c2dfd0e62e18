package eventloop

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"
)

// gnet can't stop reading from a connection, but its loops' epoll descriptors can. They are found through the kernel,
// which lists for every epoll descriptor what is registered with it.

// findEpoll returns the epoll descriptor with which fd is registered.
func findEpoll(fd int) (int, error) {
	links, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1, err
	}
	for _, link := range links {
		target, err := os.Readlink("/proc/self/fd/" + link.Name())
		if err != nil || target != "anon_inode:[eventpoll]" {
			continue
		}
		info, err := os.ReadFile("/proc/self/fdinfo/" + link.Name())
		if err == nil && watches(string(info), fd) {
			return strconv.Atoi(link.Name())
		}
	}
	return -1, errors.New("no epoll descriptor watches descriptor " + strconv.Itoa(fd))
}

// watches looks for fd among the "tfd:" lines of an epoll descriptor's fdinfo.
func watches(info string, fd int) bool {
	for line := range strings.Lines(info) {
		var tfd int
		if n, _ := fmt.Sscanf(line, "tfd: %d", &tfd); n == 1 && tfd == fd {
			return true
		}
	}
	return false
}

// The events that gnet asks for.
const (
	readEvents  = unix.EPOLLIN | unix.EPOLLPRI
	writeEvents = unix.EPOLLOUT
)

// stopReading leaves c's bytes in the kernel. Then the TCP window stops the sender.
func (l *loop) stopReading(c gnet.Conn) {
	if l.srv.cfg.Level {
		l.watch(c, pendingWrite(c))
		return
	}
	l.watch(c, writeEvents|unix.EPOLLET)
}

// startReading undoes stopReading. Waiting bytes raise an event at once.
func (l *loop) startReading(c gnet.Conn) {
	if l.srv.cfg.Level {
		l.watch(c, readEvents|pendingWrite(c))
		return
	}
	l.watch(c, readEvents|writeEvents|unix.EPOLLET|unix.EPOLLRDHUP)
}

func pendingWrite(c gnet.Conn) uint32 {
	if c.OutboundBuffered() > 0 {
		return writeEvents
	}
	return 0
}

func (l *loop) watch(c gnet.Conn, events uint32) {
	if l.epoll >= 0 {
		_ = unix.EpollCtl(l.epoll, unix.EPOLL_CTL_MOD, c.Fd(), &unix.EpollEvent{Fd: int32(c.Fd()), Events: events})
	}
}
