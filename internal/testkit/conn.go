package testkit

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Conn is a client connection that sends raw bytes and reads raw replies. One goroutine
// at a time.
type Conn struct {
	net.Conn
	// Patience bounds every single write and every single reply. After it there is a timeout error, never a hang.
	Patience time.Duration

	r *bufio.Reader
	t testing.TB // nil for a Conn made by Connect
}

// Connect dials addr, "host:port" or "unix:///path". Any goroutine.
func Connect(addr string) (*Conn, error) {
	network := "tcp"
	if path, ok := strings.CutPrefix(addr, "unix://"); ok {
		network, addr = "unix", path
	}
	c, err := net.DialTimeout(network, addr, Patience)
	if err != nil {
		return nil, err
	}
	return NewConn(c), nil
}

// NewConn wraps an open connection. Any goroutine.
func NewConn(c net.Conn) *Conn {
	return &Conn{Conn: c, Patience: Patience, r: bufio.NewReaderSize(c, 64<<10)}
}

// Dial connects to addr, ends the test when that fails, and closes the connection at
// the test's end.
func Dial(t testing.TB, addr string) *Conn {
	t.Helper()
	c, err := Connect(addr)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	c.t = t
	t.Cleanup(func() { c.Close() })
	return c
}

// Request returns the command args in the form that clients send: an array of bulk strings. Any goroutine.
func Request(args ...string) string { return string(AppendRequest(nil, args...)) }

// AppendRequest appends Request(args...) to dst. Any goroutine.
func AppendRequest(dst []byte, args ...string) []byte {
	dst = append(dst, '*')
	dst = strconv.AppendInt(dst, int64(len(args)), 10)
	dst = append(dst, '\r', '\n')
	for _, a := range args {
		dst = append(dst, '$')
		dst = strconv.AppendInt(dst, int64(len(a)), 10)
		dst = append(dst, '\r', '\n')
		dst = append(dst, a...)
		dst = append(dst, '\r', '\n')
	}
	return dst
}

// SendBytes writes b whole.
func (c *Conn) SendBytes(b []byte) error {
	if err := c.SetWriteDeadline(time.Now().Add(c.Patience)); err != nil {
		return err
	}
	_, err := c.Write(b)
	return err
}

// Next reads one whole reply as it arrived.
func (c *Conn) Next() ([]byte, error) { return c.NextInto(nil) }

// NextInto appends one whole reply to dst.
func (c *Conn) NextInto(dst []byte) ([]byte, error) {
	if c.r.Buffered() == 0 {
		if err := c.SetReadDeadline(time.Now().Add(c.Patience)); err != nil {
			return dst, err
		}
	}
	return ReadReplyInto(dst, c.r)
}

// Call sends one command and returns its raw reply.
func (c *Conn) Call(args ...string) (string, error) {
	if err := c.SendBytes([]byte(Request(args...))); err != nil {
		return "", err
	}
	raw, err := c.Next()
	return string(raw), err
}

// Do is Call that ends the test on an error. Needs a Conn made by Dial.
func (c *Conn) Do(args ...string) string {
	c.t.Helper()
	raw, err := c.Call(args...)
	if err != nil {
		c.t.Fatalf("%q: %v (read %q)", args, err, raw)
	}
	return raw
}

// Send writes raw bytes, ending the test on an error. Needs a Conn made by Dial.
func (c *Conn) Send(raw string) {
	c.t.Helper()
	if err := c.SendBytes([]byte(raw)); err != nil {
		c.t.Fatalf("send %.60q: %v", raw, err)
	}
}

// Read1 reads one whole reply, ending the test on an error. Needs a Conn made by Dial.
func (c *Conn) Read1() string {
	c.t.Helper()
	raw, err := c.Next()
	if err != nil {
		c.t.Fatalf("read a reply: %v (read %q)", err, raw)
	}
	return string(raw)
}

// Rest reads until the peer closes, and returns the bytes read. A reset counts as a close. A timeout is an error.
func (c *Conn) Rest() (string, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.Patience)); err != nil {
		return "", err
	}
	b, err := io.ReadAll(c.r)
	if errors.Is(err, syscall.ECONNRESET) {
		err = nil
	}
	return string(b), err
}

// CloseWrite shuts the write half down; replies can still be read.
func (c *Conn) CloseWrite() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.New("this connection has no write half to close")
	}
	return half.CloseWrite()
}

// Reset closes the connection with a RST, dropping what was not sent.
func (c *Conn) Reset() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	c.Close()
}

// ReadRequest reads one command, an array of bulk strings, as a scripted server does.
func (c *Conn) ReadRequest() ([]string, error) {
	raw, err := ReadReplyInto(nil, c.r)
	if err != nil {
		return nil, err
	}
	v, err := ParseValue(raw)
	if err != nil {
		return nil, err
	}
	args := make([]string, len(v.Elems))
	for i, e := range v.Elems {
		args[i] = e.Text
	}
	return args, nil
}
