package responder

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// patience is the longest wait for anything, in milliseconds for Turn.
const patience = 10_000

// running is a server whose turns the test makes itself, and the connections of the test.
type running struct {
	*Server
	t    *testing.T
	addr string
}

func start(t *testing.T) *running {
	t.Helper()
	s, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	addr, err := s.Addr()
	if err != nil {
		t.Fatal(err)
	}
	return &running{s, t, addr}
}

// dial returns a connection that the server has accepted.
func (s *running) dial() *net.TCPConn {
	s.t.Helper()
	c, err := net.Dial("tcp4", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience * time.Millisecond)); err != nil {
		s.t.Fatal(err)
	}
	s.turn()
	return c.(*net.TCPConn)
}

// turn waits until a socket has something, and serves it.
func (s *running) turn() {
	s.t.Helper()
	if err := s.Turn(patience); err != nil {
		s.t.Fatal(err)
	}
}

func (s *running) send(c net.Conn, text string) {
	s.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		s.t.Fatal(err)
	}
}

// expect makes turns until c has got the bytes of want.
func (s *running) expect(c io.Reader, want string) {
	s.t.Helper()
	s.while(func() error { return readAll(c, want) })
}

func readAll(c io.Reader, want string) error {
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); err != nil || string(got) != want {
		return fmt.Errorf("got %.60q, %v; want %.60q", got[:n], err, want)
	}
	return nil
}

// while makes turns until work, which runs beside them, returns.
func (s *running) while(work func() error) {
	s.t.Helper()
	done := make(chan error, 1)
	go func() { done <- work() }()
	for {
		select {
		case err := <-done:
			if err != nil {
				s.t.Fatal(err)
			}
			return
		default:
			if err := s.Turn(1); err != nil { // a short wait, because the garbage collector waits for it
				s.t.Fatal(err)
			}
		}
	}
}

func TestRequestsOfOneReadAreAnsweredInOneTurn(t *testing.T) {
	s := start(t)
	c := s.dial()
	s.send(c, strings.Repeat(resp("PING"), 32))
	s.turn()
	if err := readAll(c, strings.Repeat("+PONG\r\n", 32)); err != nil {
		t.Error(err)
	}
}

func TestRequestMayComeByteByByte(t *testing.T) {
	s := start(t)
	c := s.dial()
	for _, b := range []byte(resp("SET", "k", "value") + resp("GET", "k")) {
		s.send(c, string(b))
		s.turn()
	}
	s.expect(c, "+OK\r\n$5\r\nxxxxx\r\n")
}

func TestValueMayBeLargerThanARead(t *testing.T) {
	const size = 20 * readSize
	s := start(t)
	c := s.dial()
	s.while(func() error {
		if _, err := io.WriteString(c, resp("SET", "k", strings.Repeat("v", size))+resp("GET", "k")); err != nil {
			return err
		}
		return readAll(c, fmt.Sprintf("+OK\r\n$%d\r\n%s\r\n", size, strings.Repeat("x", size)))
	})
}

// A client sends requests and does not read. Its replies wait, its later requests too, and another client is served.
// Then it reads everything in order.
func TestClientThatDoesNotReadGetsAllRepliesLater(t *testing.T) {
	const size, requests = 1 << 20, 40
	s := start(t)
	s.set(size)
	slow := s.dial()
	var text strings.Builder
	for i := range requests {
		text.WriteString(resp("GET", "k") + resp("PING", fmt.Sprint(i)))
	}
	s.send(slow, text.String())
	for s.turn(); len(s.stuck()) == 0; s.turn() {
	}
	held := len(s.stuck()[0].left)
	if most := fullWrite + size + 100; held > most {
		t.Errorf("%d bytes are held for a client that does not read, want at most %d", held, most)
	}
	other := s.dial()
	s.send(other, resp("PING"))
	s.expect(other, "+PONG\r\n")
	s.while(func() error {
		in := bufio.NewReader(slow)
		value := make([]byte, size+2)
		for i := range requests {
			head, err := in.ReadString('\n')
			if err == nil {
				_, err = io.ReadFull(in, value)
			}
			if want := fmt.Sprintf("$%d\r\n", size); err != nil || head != want || strings.Trim(string(value), "x") != "\r\n" {
				return fmt.Errorf("reply %d begins with %q, or has other bytes: %v", i, head, err)
			}
			if err := readAll(in, fmt.Sprintf("$%d\r\n%d\r\n", len(fmt.Sprint(i)), i)); err != nil {
				return fmt.Errorf("after value %d: %w", i, err)
			}
		}
		return nil
	})
	s.send(slow, resp("PING"))
	s.expect(slow, "+PONG\r\n")
}

// stuck returns the connections whose sockets have not taken all replies.
func (s *running) stuck() (all []*conn) {
	for _, c := range s.conns {
		if c != nil && len(c.left) > 0 {
			all = append(all, c)
		}
	}
	return all
}

func TestBadBytesCloseTheConnectionAfterTheReplies(t *testing.T) {
	s := start(t)
	c := s.dial()
	s.send(c, resp("PING")+"nonsense\r\n")
	s.expect(c, "+PONG\r\n")
	if n, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("%d bytes, %v; want the end", n, err)
	}
}

func TestNextClientGetsNothingOfTheLast(t *testing.T) {
	s := start(t)
	first := s.dial()
	s.send(first, resp("PING")[:5])
	s.turn()
	first.Close()
	s.turn()
	second := s.dial()
	s.send(second, resp("PING"))
	s.expect(second, "+PONG\r\n")
	open := 0
	for _, c := range s.conns {
		if c != nil && c.fd >= 0 {
			open++
		}
	}
	if open != 1 {
		t.Errorf("%d connections are open, want that of the second client", open)
	}
}

func TestAddressInUseIsAnError(t *testing.T) {
	s := start(t)
	if again, err := Listen(s.addr); err == nil {
		again.Close()
		t.Error("two servers listen on one address")
	}
	if _, err := Listen("nonsense"); err == nil {
		t.Error("no error")
	}
}
