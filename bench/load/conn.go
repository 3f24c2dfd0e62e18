package load

import (
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// MaxInFlight is the most unanswered requests on one connection.
const MaxInFlight = 1 << 16

// conn is one connection of the generator and what is in flight on it.
type conn struct {
	fd      int
	due     []int64 // ring of due times; len is a power of two
	head    int     // number of replies so far
	tail    int     // number of requests so far; 0 <= tail-head <= MaxInFlight
	unsent  []byte  // requests that the socket has not taken yet
	replies replies
}

func dial(addr string) (*conn, error) {
	a, err := net.ResolveTCPAddr("tcp4", addr)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	c := &conn{fd: fd, due: make([]int64, 64)}
	if err := c.connect(a); err != nil {
		c.close()
		return nil, fmt.Errorf("connect to %s: %w", addr, err)
	}
	return c, nil
}

func (c *conn) connect(a *net.TCPAddr) error {
	to := &unix.SockaddrInet4{Port: a.Port}
	copy(to.Addr[:], a.IP.To4())
	if err := unix.Connect(c.fd, to); err != nil {
		return err
	}
	if err := unix.SetsockoptInt(c.fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return err
	}
	return unix.SetNonblock(c.fd, true)
}

func (c *conn) close() { _ = unix.Close(c.fd) }

func (c *conn) inFlight() int { return c.tail - c.head }

// request adds one request that was due at the given time to the outgoing bytes.
func (c *conn) request(b []byte, due int64) error {
	if c.inFlight() == len(c.due) {
		if len(c.due) == MaxInFlight {
			return fmt.Errorf("%d requests unanswered on one connection: the rate is too high for this server", MaxInFlight)
		}
		c.grow()
	}
	c.due[c.tail&(len(c.due)-1)] = due
	c.tail++
	c.unsent = append(c.unsent, b...)
	return nil
}

func (c *conn) grow() {
	bigger := make([]int64, 2*len(c.due))
	for i := c.head; i < c.tail; i++ {
		bigger[i&(len(bigger)-1)] = c.due[i&(len(c.due)-1)]
	}
	c.due = bigger
}

// flush writes as much as the socket takes.
func (c *conn) flush() error {
	for len(c.unsent) > 0 {
		n, err := unix.Write(c.fd, c.unsent)
		if err == unix.EINTR {
			continue
		}
		if err == unix.EAGAIN {
			return nil
		}
		if err != nil {
			return fmt.Errorf("write: %w", err)
		}
		c.unsent = c.unsent[:copy(c.unsent, c.unsent[n:])]
	}
	return nil
}

// receive reads once into buf, calls answered with the due time of each request whose
// reply has ended, and returns the number of bytes read: 0 when none were there.
func (c *conn) receive(buf []byte, answered func(due int64)) (int, error) {
	n, err := unix.Read(c.fd, buf)
	for err == unix.EINTR { // a read with a time limit is not restarted after the runtime's signals
		n, err = unix.Read(c.fd, buf)
	}
	if err == unix.EAGAIN {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read: %w", err)
	}
	if n == 0 {
		return 0, errors.New("the server closed the connection")
	}
	ended, err := c.replies.feed(buf[:n])
	if err != nil {
		return n, err
	}
	if ended > c.inFlight() {
		return n, fmt.Errorf("%d replies to %d requests", ended, c.inFlight())
	}
	for range ended {
		answered(c.due[c.head&(len(c.due)-1)])
		c.head++
	}
	return n, nil
}

// blocking makes the socket wait, for at most limit at a time.
func (c *conn) blocking(limit time.Duration) error {
	if err := unix.SetNonblock(c.fd, false); err != nil {
		return err
	}
	tv := unix.NsecToTimeval(int64(limit))
	return unix.SetsockoptTimeval(c.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv)
}

// ask sends one request on a blocking connection and returns when its reply has ended.
func (c *conn) ask(request, buf []byte) error {
	if err := c.request(request, 0); err != nil {
		return err
	}
	if err := c.flush(); err != nil {
		return err
	}
	for c.inFlight() > 0 {
		n, err := c.receive(buf, func(int64) {})
		if err != nil {
			return err
		}
		if n == 0 {
			return errors.New("no reply in time")
		}
	}
	return nil
}
