package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// client is a blocking connection for work outside the measured time.
type client struct {
	net.Conn
	in *bufio.Reader
}

func dialClient(addr string, limit time.Duration) (*client, error) {
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &client{Conn: c, in: bufio.NewReaderSize(c, 64<<10)}, c.SetDeadline(time.Now().Add(limit))
}

// hangUp resets the connection, so that ten thousand of them leave no port behind in TIME_WAIT.
func (c *client) hangUp() {
	_ = c.Conn.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

// open reports whether the other side still holds the connection open, by a look into the kernel's buffer.
func (c *client) open() bool {
	raw, err := c.Conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return false
	}
	open := true
	err = raw.Control(func(fd uintptr) {
		n, _, err := unix.Recvfrom(int(fd), make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
		open = err == unix.EAGAIN || n > 0
	})
	return open && err == nil
}

// command is the RESP form of words.
func command(words ...string) []byte {
	b := fmt.Appendf(nil, "*%d\r\n", len(words))
	for _, w := range words {
		b = fmt.Appendf(b, "$%d\r\n%s\r\n", len(w), w)
	}
	return b
}

// head reads the first line of a reply: its type and the rest. An error reply is an error.
func (c *client) head() (byte, string, error) {
	line, err := c.in.ReadString('\n')
	if err != nil {
		return 0, "", err
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return 0, "", fmt.Errorf("empty reply line")
	}
	if line[0] == '-' {
		return 0, "", fmt.Errorf("error reply: %s", line[1:])
	}
	return line[0], line[1:], nil
}

// skip reads one simple, integer or bulk reply and returns the bulk's length, -1 for nil.
func (c *client) skip() (int64, error) {
	kind, rest, err := c.head()
	if err != nil || kind != '$' {
		return 0, err
	}
	n, err := strconv.ParseInt(rest, 10, 64)
	if err != nil || n < 0 {
		return -1, err
	}
	_, err = io.CopyN(io.Discard, c.in, n+2)
	return n, err
}

// probe sends a command to the program at addr and returns the error.
func probe(addr string, words ...string) error {
	c, err := dialClient(addr, time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Write(command(words...)); err != nil {
		return err
	}
	_, err = c.skip()
	return err
}

// key is the n-th key of redis-benchmark.
func key(n int) string { return fmt.Sprintf("key:%012d", n) }

// fill sets all keys of a keyspace through addr, so that each GET of a workload finds a value on the server where
// this peer looks for it.
func fill(addr string, keyspace, size int) error {
	c, err := dialClient(addr, time.Minute)
	if err != nil {
		return err
	}
	defer c.Close()
	const batch = 16
	value := strings.Repeat("x", size)
	for from := 0; from < keyspace; from += batch {
		to := min(from+batch, keyspace)
		var out []byte
		for n := from; n < to; n++ {
			out = append(out, command("SET", key(n), value)...)
		}
		if _, err := c.Write(out); err != nil {
			return err
		}
		for range to - from {
			if _, err := c.skip(); err != nil {
				return fmt.Errorf("fill %s: %w", addr, err)
			}
		}
	}
	return nil
}
