package respclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"ringmaster/internal/dialer"
	"ringmaster/parser"
)

const (
	// DefaultTimeout bounds a dial and each call of Do.
	DefaultTimeout = 5 * time.Second
	// DefaultMaxReply bounds a reply, in bytes. CLUSTER SHARDS of 4096 nodes has about 2 MiB.
	DefaultMaxReply = 8 << 20

	// clientName is the name that operators see in the servers' CLIENT LIST.
	clientName = "ringmaster"

	unixPrefix = "unix://"
	firstRead  = 16 << 10
)

// Options are the options of a connection to a server. The zero value has no login.
type Options struct {
	// Username and Password log in with AUTH. Without a password there is no login, without a user name only the
	// password is sent.
	Username, Password string
	// Timeout bounds Dial and each Do as a whole; 0 is DefaultTimeout.
	Timeout time.Duration
	// MaxReply bounds one reply in bytes; 0 is DefaultMaxReply.
	MaxReply int
}

// Conn is a connection to one server. One goroutine at a time.
type Conn struct {
	conn    net.Conn
	options Options
	buf     []byte // received and not returned yet
	scanner parser.ReplyScanner
}

// Dial connects to addr, HOST:PORT or unix:///PATH, and logs in. Host names are resolved each time.
// A login that the server refuses is a *Refusal.
func Dial(ctx context.Context, addr string, o Options) (*Conn, error) {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.MaxReply <= 0 {
		o.MaxReply = DefaultMaxReply
	}
	network := "tcp"
	if path, ok := strings.CutPrefix(addr, unixPrefix); ok {
		network, addr = "unix", path
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	conn, err := dialer.Dial(ctx, network, addr, o.Timeout)
	if err != nil {
		return nil, plain(err)
	}
	c := &Conn{conn: conn, options: o}
	if err := c.login(ctx); err != nil {
		c.Close()
		return nil, greeted(err)
	}
	return c, nil
}

// Close ends the connection.
func (c *Conn) Close() { c.conn.Close() }

// login sends AUTH, and the connection's name, which a server may refuse.
func (c *Conn) login(ctx context.Context) error {
	commands := [][]string{{"CLIENT", "SETNAME", clientName}}
	if c.options.Password != "" {
		auth := []string{"AUTH", c.options.Password}
		if c.options.Username != "" {
			auth = []string{"AUTH", c.options.Username, c.options.Password}
		}
		commands = append(commands, auth)
		commands[0], commands[1] = commands[1], commands[0]
	}
	replies, err := c.Do(ctx, commands...)
	if err != nil {
		return err
	}
	if c.options.Password == "" {
		return nil
	}
	return Refused("AUTH", replies[0])
}

// Do sends commands in one write and returns a reply for each. Errors of the server are replies. An error of Do
// itself leaves the connection unusable.
func (c *Conn) Do(ctx context.Context, commands ...[]string) ([]Value, error) {
	done, err := c.within(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	if _, err := c.conn.Write(request(commands)); err != nil {
		return nil, ended(ctx, err)
	}
	replies := make([]Value, 0, len(commands))
	for range commands {
		v, err := c.read()
		if err != nil {
			return nil, ended(ctx, err)
		}
		replies = append(replies, v)
	}
	return replies, nil
}

// Receive waits until ctx ends for a message after a SUBSCRIBE. An error leaves the connection unusable.
func (c *Conn) Receive(ctx context.Context) (Value, error) {
	if err := c.conn.SetDeadline(time.Time{}); err != nil {
		return Value{}, err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	v, err := c.read()
	if err != nil {
		return Value{}, ended(ctx, err)
	}
	return v, nil
}

// within sets the deadline, and makes ctx's end interrupt a call under way until done is called.
func (c *Conn) within(ctx context.Context) (done func(), err error) {
	deadline := time.Now().Add(c.options.Timeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := c.conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })
	return func() { stop() }, nil
}

// ended returns ctx's error, if there is one, instead of the timeout that it caused.
func ended(ctx context.Context, err error) error {
	if cause := ctx.Err(); cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("%w (%w)", cause, err)
	}
	return err
}

// request writes the commands as arrays of bulk strings.
func request(commands [][]string) []byte {
	var b []byte
	for _, args := range commands {
		b = parser.AppendArray(b, len(args))
		for _, a := range args {
			b = parser.AppendBulkString(b, a)
		}
	}
	return b
}

// read reads one reply.
func (c *Conn) read() (Value, error) {
	size := 0 // bytes of the reply that the scanner has read
	for {
		n, status := c.scanner.Scan(c.buf[size:])
		size += n
		switch {
		case status == parser.Broken:
			return Value{}, &notRESP{string(c.buf[min(size, len(c.buf)):])}
		case size > c.options.MaxReply || status == parser.More && len(c.buf) > c.options.MaxReply:
			return Value{}, fmt.Errorf("a reply has more than %d bytes", c.options.MaxReply)
		case status == parser.Done:
			v, err := Parse(string(c.buf[:size]))
			c.buf = append(c.buf[:0], c.buf[size:]...)
			return v, err
		}
		if err := c.more(); err != nil {
			return Value{}, err
		}
	}
}

// more reads once. It doubles a full buffer.
func (c *Conn) more() error {
	if len(c.buf) == cap(c.buf) {
		c.buf = append(make([]byte, 0, max(firstRead, 2*cap(c.buf))), c.buf...)
	}
	n, err := c.conn.Read(c.buf[len(c.buf):cap(c.buf)])
	c.buf = c.buf[:len(c.buf)+n]
	if n > 0 {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return errClosed
	}
	return err
}
