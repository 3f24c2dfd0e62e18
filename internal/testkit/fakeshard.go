package testkit

import (
	"net"
	"strings"
	"sync"
	"testing"
)

// FakeShard is a scripted server, for tests in which the exact bytes, their splits or
// their order matter.
type FakeShard struct {
	Addr string

	l      net.Listener
	wg     sync.WaitGroup
	mu     sync.Mutex
	conns  map[net.Conn]bool
	count  int
	closed bool
}

// NewFakeShard listens on a free port and runs serve for each connection on a goroutine
// of its own; n counts connections from 0. When serve returns, the connection is
// closed. The test's end closes everything and waits for every serve.
func NewFakeShard(t testing.TB, serve func(n int, c *Conn)) *FakeShard {
	t.Helper()
	l, err := net.Listen("tcp", Loopback(FreePort(t)))
	if err != nil {
		t.Fatal(err)
	}
	f := &FakeShard{Addr: l.Addr().String(), l: l, conns: map[net.Conn]bool{}}
	f.wg.Add(1)
	go f.accept(serve)
	t.Cleanup(f.Close)
	return f
}

func (f *FakeShard) accept(serve func(n int, c *Conn)) {
	defer f.wg.Done()
	for {
		c, err := f.l.Accept()
		if err != nil {
			return
		}
		f.mu.Lock()
		if f.closed { // accepted while Close closed the others
			f.mu.Unlock()
			c.Close()
			return
		}
		n := f.count
		f.count++
		f.conns[c] = true
		f.mu.Unlock()
		f.wg.Add(1)
		go func() {
			defer f.wg.Done()
			serve(n, NewConn(c))
			c.Close()
			f.mu.Lock()
			delete(f.conns, c)
			f.mu.Unlock()
		}()
	}
}

// Accepted is the number of connections accepted so far. Any goroutine.
func (f *FakeShard) Accepted() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count
}

// Close stops listening, closes every connection and waits for the scripts to return.
func (f *FakeShard) Close() {
	f.l.Close()
	f.mu.Lock()
	f.closed = true
	for c := range f.conns {
		c.Close()
	}
	f.mu.Unlock()
	f.wg.Wait()
}

// Answering is a script that answers the commands with which a proxy opens a connection (HELLO, AUTH, SELECT, CLIENT,
// PING, READONLY). It passes every other command to answer and sends the result raw; an empty result sends nothing.
func Answering(answer func(n int, args []string) string) func(int, *Conn) {
	return func(n int, c *Conn) {
		for {
			args, err := c.ReadRequest()
			if err != nil || len(args) == 0 {
				return
			}
			reply, known := Handshake(args)
			if !known {
				reply = answer(n, args)
			}
			if c.SendBytes([]byte(reply)) != nil {
				return
			}
		}
	}
}

// Handshake returns a plain server's answer to a command that opens a connection, and whether args is one. Any
// goroutine.
func Handshake(args []string) (string, bool) {
	switch strings.ToUpper(args[0]) {
	case "AUTH", "SELECT", "CLIENT", "READONLY":
		return "+OK\r\n", true
	case "PING":
		return "+PONG\r\n", true
	case "MULTI":
		return "+OK\r\n", true
	case "EXEC":
		return "*0\r\n", true
	case "HELLO":
		if len(args) > 1 && args[1] == "3" {
			return "%3\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:3\r\n", true
		}
		return "*6\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:2\r\n", true
	}
	return "", false
}
