package eventloop

import (
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ringmaster/internal/testkit"
)

// script is a server whose requests a test reads, and whose replies it sends. It accepts logins by itself.
type script struct {
	*testkit.FakeShard
	t     testing.TB
	asked chan asked
}

// asked is one request, and the connection over which it came.
type asked struct {
	args []string
	from *testkit.Conn
}

func newScript(t testing.TB) *script {
	s := &script{t: t, asked: make(chan asked, 4096)}
	s.FakeShard = testkit.NewFakeShard(t, func(_ int, c *testkit.Conn) {
		for {
			args, err := c.ReadRequest()
			if err != nil || len(args) == 0 {
				return
			}
			reply, known := testkit.Handshake(args)
			if !known {
				s.asked <- asked{args, c}
			} else if c.SendBytes([]byte(reply)) != nil {
				return
			}
		}
	})
	return s
}

// next waits for a request.
func (s *script) next() asked {
	s.t.Helper()
	select {
	case a := <-s.asked:
		return a
	case <-time.After(testkit.Patience):
		s.t.Fatal("no request comes")
		return asked{}
	}
}

// reply sends raw bytes to where the request came from.
func (a asked) reply(t testing.TB, raw string) {
	t.Helper()
	if err := a.from.SendBytes([]byte(raw)); err != nil {
		t.Fatal(err)
	}
}

// echoing starts a server that answers each request with the word after the command's name.
func echoing(t testing.TB) *testkit.FakeShard {
	return testkit.NewFakeShard(t, testkit.Answering(func(_ int, args []string) string { return bulk(args[1]) }))
}

func bulk(text string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(text), text) }

func get(key string) string { return testkit.Request("GET", key) }

// large is a reply that is too large for the socket buffers of a slow client.
var large = bulk(strings.Repeat("0123456789abcdef", 8<<16))

// delivered waits until everything that was sent over a connection has reached its peer's system.
func delivered(t testing.TB, conn net.Conn) {
	t.Helper()
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	testkit.Until(t, "what was sent is delivered", func() bool {
		left := -1
		_ = raw.Control(func(fd uintptr) { left, _ = unix.IoctlGetInt(int(fd), unix.TIOCOUTQ) })
		return left == 0
	})
}
