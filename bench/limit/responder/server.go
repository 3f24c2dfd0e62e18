package responder

import (
	"fmt"
	"net"
	"strconv"

	"golang.org/x/sys/unix"
)

// readSize is the space for one read, in bytes.
const readSize = 64 << 10

// Server answers the clients of one address.
type Server struct {
	*responder
	listener int
	epfd     int
	events   [256]unix.EpollEvent
	buf      []byte  // what was read, of the connection that is served now
	conns    []*conn // by descriptor
}

// conn is a client. It waits either for requests or for its socket to take replies.
type conn struct {
	fd   int
	in   []byte // read and not answered: the beginning of a request, or requests while unsent is not empty
	left []byte // replies that the socket did not take
}

// Listen makes a server that listens on an IPv4 address.
func Listen(addr string) (*Server, error) {
	a, err := net.ResolveTCPAddr("tcp4", addr)
	if err != nil {
		return nil, err
	}
	s := &Server{responder: newResponder(), listener: -1, epfd: -1, buf: make([]byte, readSize)}
	if err := s.listen(a); err != nil {
		s.Close()
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return s, nil
}

func (s *Server) listen(a *net.TCPAddr) (err error) {
	if s.listener, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0); err != nil {
		return err
	}
	if err = unix.SetsockoptInt(s.listener, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return err
	}
	to := &unix.SockaddrInet4{Port: a.Port}
	copy(to.Addr[:], a.IP.To4())
	if err = unix.Bind(s.listener, to); err != nil {
		return err
	}
	if err = unix.Listen(s.listener, 1024); err != nil {
		return err
	}
	if s.epfd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	return s.watch(unix.EPOLL_CTL_ADD, s.listener, unix.EPOLLIN)
}

func (s *Server) watch(op, fd int, events uint32) error {
	return unix.EpollCtl(s.epfd, op, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)})
}

// Addr returns the address that clients connect to, as host:port.
func (s *Server) Addr() (string, error) {
	name, err := unix.Getsockname(s.listener)
	if err != nil {
		return "", err
	}
	a, ok := name.(*unix.SockaddrInet4)
	if !ok {
		return "", fmt.Errorf("the address is %T", name)
	}
	return net.JoinHostPort(net.IP(a.Addr[:]).String(), strconv.Itoa(a.Port)), nil
}

// Close closes all sockets.
func (s *Server) Close() {
	for _, c := range s.conns {
		if c != nil && c.fd >= 0 {
			s.hangUp(c)
		}
	}
	for _, fd := range []int{s.epfd, s.listener} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

// Turn waits at most so many milliseconds for sockets that have something, without limit if it is negative, and serves
// each once.
func (s *Server) Turn(milliseconds int) error {
	n, err := epollWait(s.epfd, s.events[:], milliseconds)
	if err == unix.EINTR {
		return nil
	}
	if err != 0 {
		return fmt.Errorf("epoll: %w", err)
	}
	for i := range s.events[:n] {
		fd := int(s.events[i].Fd)
		if fd == s.listener {
			if err := s.accept(); err != nil {
				return err
			}
			continue
		}
		if c := s.conns[fd]; len(c.left) > 0 {
			s.resume(c)
		} else {
			s.receive(c)
		}
	}
	return nil
}

// accept takes one client. If more wait, the next turn has them.
func (s *Server) accept() error {
	fd, err := accept4(s.listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	switch err {
	case 0:
	case unix.EAGAIN, unix.EINTR, unix.ECONNABORTED:
		return nil
	default:
		return fmt.Errorf("accept: %w", err)
	}
	for len(s.conns) <= fd {
		s.conns = append(s.conns, nil)
	}
	if s.conns[fd] == nil {
		s.conns[fd] = &conn{}
	}
	s.conns[fd].fd = fd
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // without it replies come late, and no other harm is done
	return s.watch(unix.EPOLL_CTL_ADD, fd, unix.EPOLLIN)
}

// receive reads once and answers.
func (s *Server) receive(c *conn) {
	buf := s.buf
	if len(c.in) > 0 { // the rest of a request goes after its beginning
		buf = c.room()
	}
	n, err := read(c.fd, buf)
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
	case err != 0 || n == 0:
		s.hangUp(c)
	case len(c.in) > 0:
		c.in = c.in[:len(c.in)+n]
		s.serve(c, c.in)
	default:
		s.serve(c, buf[:n])
	}
}

// room returns free space after what is kept, at least as much as is kept, so that a long request is not copied often.
func (c *conn) room() []byte {
	if free := cap(c.in) - len(c.in); free < readSize {
		bigger := make([]byte, len(c.in), 2*cap(c.in)+readSize)
		copy(bigger, c.in)
		c.in = bigger
	}
	return c.in[len(c.in):cap(c.in)]
}

// serve answers the requests of in, and keeps what can not be answered yet. The bytes of in may be those of c.in.
func (s *Server) serve(c *conn, in []byte) {
	for {
		out, used, ok := s.answer(in)
		in = in[used:]
		if len(out) > 0 {
			n, err := write(c.fd, out)
			if err != 0 && err != unix.EAGAIN {
				ok = false
			}
			if rest := out[max(n, 0):]; ok && len(rest) > 0 {
				c.left = append(c.left, rest...)
				c.keep(in)
				s.await(c, unix.EPOLLOUT)
				return
			}
		}
		if !ok {
			s.hangUp(c)
			return
		}
		if used == 0 || len(in) == 0 {
			c.keep(in)
			return
		}
	}
}

// resume writes replies that the socket did not take before, and then answers what has been read since.
func (s *Server) resume(c *conn) {
	n, err := write(c.fd, c.left)
	if err == unix.EAGAIN {
		return
	}
	if err != 0 {
		s.hangUp(c)
		return
	}
	c.left = c.left[:copy(c.left, c.left[n:])]
	if len(c.left) > 0 {
		return
	}
	s.await(c, unix.EPOLLIN)
	if c.fd >= 0 {
		s.serve(c, c.in)
	}
}

func (c *conn) keep(in []byte) { c.in = append(c.in[:0], in...) }

// await makes turns serve the connection when it has the event.
func (s *Server) await(c *conn, event uint32) {
	if s.watch(unix.EPOLL_CTL_MOD, c.fd, event) != nil {
		s.hangUp(c)
	}
}

func (s *Server) hangUp(c *conn) {
	_ = unix.Close(c.fd)
	c.fd, c.in, c.left = -1, c.in[:0], c.left[:0]
}
