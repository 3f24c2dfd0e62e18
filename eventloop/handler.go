package eventloop

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"
)

// handler gets gnet's callbacks and hands each to the owner of its connection.
type handler struct {
	gnet.BuiltinEventEngine
	srv *Server
}

// socket is one connection of a loop as gnet's callbacks see it.
type socket interface {
	opened(gnet.Conn)
	traffic([]byte)
	closed(err error)
	// handle returns gnet's connection, nil after it is closed.
	handle() gnet.Conn
}

func (h *handler) OnOpen(c gnet.Conn) ([]byte, gnet.Action) {
	if s, ok := c.Context().(socket); ok {
		s.opened(c)
	}
	return nil, gnet.None
}

func (h *handler) OnTraffic(c gnet.Conn) gnet.Action {
	// Edge-triggered gnet may call once more for a closed connection, without a context and with bytes of the
	// descriptor's new owner.
	s, ok := c.Context().(socket)
	b, err := c.Next(-1)
	if !ok || err != nil {
		return gnet.None
	}
	s.traffic(b)
	return gnet.None
}

func (h *handler) OnClose(c gnet.Conn, err error) gnet.Action {
	if s, ok := c.Context().(socket); ok {
		s.closed(err)
	}
	return gnet.None
}

// hungUp reports whether the peer ended its side in an orderly way. A write half that was shut down looks the same.
func hungUp(err error) bool { return errors.Is(err, io.EOF) }

// seed is one end of a socket pair. It finds one of gnet's loops, and later makes gnet call the loop between two
// polls.
type seed struct {
	srv   *Server
	index int
	conn  net.Conn
	peer  int
	loop  *loop
	c     gnet.Conn
}

func newSeed(srv *Server, index int) (*seed, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fds[0]), "seed")
	conn, err := net.FileConn(f)
	_ = f.Close()
	if err != nil {
		_ = unix.Close(fds[1])
		return nil, err
	}
	return &seed{srv: srv, index: index, conn: conn, peer: fds[1]}, nil
}

func (s *seed) opened(c gnet.Conn) {
	s.c = c
	epoll, err := findEpoll(c.Fd())
	if err != nil {
		s.srv.log.Warn("can't pause clients that send faster than servers answer; they are closed at the query buffer limit",
			slog.Any("cause", err))
	}
	s.loop = newLoop(s.srv, c.EventLoop(), s.index, epoll)
	s.loop.nudge = func() {
		if s.c != nil { // otherwise its number may belong to another connection
			_, _ = unix.Write(s.peer, []byte{0}) // one at a time, so that it never blocks
		}
	}
}

func (s *seed) traffic([]byte)    { s.loop.work() }
func (s *seed) closed(error)      { s.c = nil; _ = unix.Close(s.peer) }
func (s *seed) handle() gnet.Conn { return s.c }

// gnetLogger writes gnet's log lines to ringmaster's log.
type gnetLogger struct{ log *slog.Logger }

func (g gnetLogger) Debugf(format string, args ...any) { g.log.Debug(fmt.Sprintf(format, args...)) }
func (g gnetLogger) Infof(format string, args ...any)  { g.log.Debug(fmt.Sprintf(format, args...)) }
func (g gnetLogger) Warnf(format string, args ...any)  { g.log.Debug(fmt.Sprintf(format, args...)) }
func (g gnetLogger) Errorf(format string, args ...any) { g.log.Warn(fmt.Sprintf(format, args...)) }
func (g gnetLogger) Fatalf(format string, args ...any) { g.log.Error(fmt.Sprintf(format, args...)) }
