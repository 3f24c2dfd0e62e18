package session_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"ringmaster/parser"
	"ringmaster/stats"
)

// witness is a client that looks from where it is written to.
type witness struct {
	*clientEnd
	writes [][]byte
	// gone: the write fails, and the session hears of it within the call.
	gone bool
}

func (w *world) witness(name string) *witness {
	c := &witness{clientEnd: w.connect(name)}
	c.session.Socket = c
	return c
}

func (c *witness) Write(b []byte) (int, error) {
	c.writes = append(c.writes, b)
	if c.gone {
		c.closed = true
		c.session.OnClose(stats.ClientClosed)
		return 0, errors.New("broken pipe")
	}
	return c.clientEnd.Write(b)
}

// asks has clients send a GET each, in order.
func (w *world) asks(clients ...*witness) {
	w.tb.Helper()
	for _, c := range clients {
		c.send(parser.AppendRequest(nil, "GET", "{A}k"))
	}
	w.settle()
	w.servers["A"].in = nil
}

func TestLargeRepliesAreWrittenFromWhereTheyCame(t *testing.T) {
	w := newWorld(t, defaults())
	a, b := w.witness("a"), w.witness("b")
	w.asks(a, a, b, a)
	one := parser.AppendBulkString(nil, strings.Repeat("x", 16<<10))
	n := len(one)
	came := bytes.Repeat(one, 4)
	w.servers["A"].conn.OnBytes(came)
	w.settle()
	switch {
	case len(a.writes) != 1 || !bytes.Equal(a.in, bytes.Repeat(one, 3)):
		t.Errorf("a got %d bytes with %d writes", len(a.in), len(a.writes))
	case &a.writes[0][0] == &came[0]:
		t.Error("a has from the read buffer what does not follow there")
	case len(b.writes) != 1 || &b.writes[0][0] != &came[2*n] || len(b.writes[0]) != n || cap(b.writes[0]) != n:
		t.Errorf("b was written to from elsewhere: %d writes", len(b.writes))
	}
	a.in, b.in, a.writes = nil, nil, nil
	w.asks(a, a)
	came = bytes.Repeat(one, 2)
	w.servers["A"].conn.OnBytes(came)
	if len(a.writes) != 1 || &a.writes[0][0] != &came[0] || len(a.writes[0]) != 2*n {
		t.Errorf("two replies that follow each other: %d writes", len(a.writes))
	}
	a.in = nil
	w.end()
}

func TestLargeRepliesAllocateNothing(t *testing.T) {
	for name, request := range map[string]string{"one": "GET {A}k", "a pipeline": "GET {A}k | GET {A}k | GET {A}k", "large and small": "GET {A}k | GET {A}s"} {
		answer := strings.ReplaceAll(strings.ReplaceAll(request, "GET {A}k", `"x"*16384`), "GET {A}s", "+small")
		p := newPath(t, request, map[string]string{"A": answer})
		for range 10 {
			p.play()
		}
		if n := testing.AllocsPerRun(100, p.play); n != 0 && !raceEnabled {
			t.Errorf("%s: %v allocations", name, n)
		}
		if len(p.client.in) != p.want {
			t.Errorf("%s: the client got %d bytes, at first %d", name, len(p.client.in), p.want)
		}
	}
}

// gnet reports a failed write before the call returns.
func TestClientThatIsGoneWhenItsLargeReplyIsWritten(t *testing.T) {
	w := newWorld(t, defaults())
	a, b := w.witness("a"), w.witness("b")
	a.gone = true
	w.asks(a, b)
	one := parser.AppendBulkString(nil, strings.Repeat("x", 16<<10))
	lent := slices.Concat(one, one)
	w.servers["A"].answer(lent)
	w.settle()
	if !a.closed || len(a.writes) != 1 {
		t.Errorf("a: closed: %t, %d writes", a.closed, len(a.writes))
	}
	if !bytes.Equal(b.in, one) {
		t.Errorf("b got %d bytes", len(b.in))
	}
	b.in = nil
	// Nothing of the server's bytes has become a buffer that is used again.
	w.asks(b, b)
	w.servers["A"].answer(slices.Concat([]byte("+small\r\n"), one))
	w.settle()
	if want := slices.Concat([]byte("+small\r\n"), one); !bytes.Equal(b.in, want) {
		t.Errorf("b got %d bytes", len(b.in))
	}
	b.in = nil
	w.end()
}

func BenchmarkLarge(b *testing.B) {
	for _, hot := range []struct {
		name, request string
		answers       map[string]string
	}{
		{"GET 16 KB", "GET {A}key", map[string]string{"A": `"x"*16384`}},
		{"SET 16 KB", "SET {A}key x*16384", map[string]string{"A": "+OK"}},
	} {
		b.Run(hot.name, func(b *testing.B) {
			p := newPath(b, hot.request, hot.answers)
			b.ReportAllocs()
			for b.Loop() {
				p.play()
			}
		})
	}
}
