package tlsconn

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

// end is one side of a connection on a loop. What it sends is in out.
type end struct {
	Conn
	t   *testing.T
	out bytes.Buffer
}

func (e *end) Send(b []byte) error { e.out.Write(b); return nil }

// tap is the client's socket. Once it is tapped, what the client writes is in kept.
type tap struct {
	net.Conn
	tapped bool
	kept   bytes.Buffer
}

func (c *tap) Write(b []byte) (int, error) {
	if c.tapped {
		return c.kept.Write(b)
	}
	return c.Conn.Write(b)
}

// connect makes a handshake between a client of crypto/tls and a connection that then belongs to a loop.
func connect(t *testing.T, version uint16, box *Box) (client *tls.Conn, socket *tap, e *end) {
	t.Helper()
	ca := testkit.NewCA(t)
	ours, theirs := net.Pipe()
	t.Cleanup(func() { ours.Close(); theirs.Close() })
	socket = &tap{Conn: theirs}
	client = tls.Client(socket, &tls.Config{RootCAs: ca.Pool, ServerName: "proxy", MaxVersion: version})
	shaken := make(chan error, 1)
	go func() { shaken <- client.Handshake() }()
	e = &end{t: t}
	e.Server(ours, &tls.Config{Certificates: []tls.Certificate{ca.Issue("proxy").Certificate}}, nil)
	if err := errors.Join(e.Handshake(), <-shaken); err != nil {
		t.Fatal(err)
	}
	socket.tapped = true
	e.Attach(box, e)
	return client, socket, e
}

// written returns the records of text.
func written(t *testing.T, client *tls.Conn, socket *tap, text string) []byte {
	t.Helper()
	if _, err := client.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	b := bytes.Clone(socket.kept.Bytes())
	socket.kept.Reset()
	return b
}

// read returns all that the connection makes of some bytes.
func (e *end) read(b []byte) (text string, err error) {
	e.Take(b)
	for {
		plain, err := e.Next()
		text += string(plain)
		if err != nil || len(plain) == 0 {
			return text, err
		}
	}
}

func versions(t *testing.T, run func(t *testing.T, version uint16)) {
	for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(v), func(t *testing.T) { run(t, v) })
	}
}

func TestRecordsAreReadHoweverTheyAreCut(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		client, socket, e := connect(t, version, &Box{})
		text := strings.Repeat("0123456789", 5000)
		for _, size := range []int{1, 2, 5, 16, 1000, 16 << 10, 16<<10 + 1, 1 << 20} {
			b, got := written(t, client, socket, text), ""
			for len(b) > 0 {
				n := min(size, len(b))
				more, err := e.read(b[:n])
				if err != nil {
					t.Fatal(err)
				}
				got, b = got+more, b[n:]
			}
			if got != text {
				t.Errorf("in pieces of %d: %d bytes", size, len(got))
			}
		}
	})
}

// TestConnectionsShareTheBuffersOfTheirLoop: their records are read in turns, some of them in parts, and what one
// writes into the buffers reaches no other.
func TestConnectionsShareTheBuffersOfTheirLoop(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		box := &Box{}
		const n = 5
		var clients [n]*tls.Conn
		var sockets [n]*tap
		var ends [n]*end
		var sent, got [n]string
		var rest [n][]byte
		for i := range n {
			clients[i], sockets[i], ends[i] = connect(t, version, box)
		}
		for round := range 300 {
			i := round * 7 % n
			text := strings.Repeat(string(rune('a'+i)), 1+round*977%40000)
			rest[i] = append(rest[i], written(t, clients[i], sockets[i], text)...)
			sent[i] += text
			part := len(rest[i])
			if round%3 > 0 { // the rest comes later
				part = part * (round % 10) / 10
			}
			more, err := ends[i].read(rest[i][:part])
			if err != nil {
				t.Fatal(err)
			}
			got[i], rest[i] = got[i]+more, rest[i][part:]
		}
		for i := range n {
			more, err := ends[i].read(rest[i])
			if got[i] += more; got[i] != sent[i] || err != nil {
				t.Errorf("connection %d: %d of %d bytes, %v", i, len(got[i]), len(sent[i]), err)
			}
			if b := ends[i].buffer(rawInput); b == nil || b.Cap() > 0 {
				t.Errorf("connection %d keeps a buffer for input: crypto/tls is another than this package knows", i)
			}
			if b := ends[i].buffer(hand); b == nil || b.Cap() > 0 {
				t.Errorf("connection %d keeps a buffer for its handshake: crypto/tls is another than this package knows", i)
			}
		}
	})
}

func TestTheEndOfTheClientIsNoError(t *testing.T) {
	client, socket, e := connect(t, tls.VersionTLS13, &Box{})
	b := written(t, client, socket, "x")
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := e.read(append(b, socket.kept.Bytes()...)); got != "x" || !errors.Is(err, io.EOF) {
		t.Errorf("%q, %v", got, err)
	}
}

// TestReadingAllocatesOnceForARecord: crypto/tls makes a reader of 24 bytes each time that it reads.
func TestReadingAllocatesOnceForARecord(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		client, socket, e := connect(t, version, &Box{})
		var all [][]byte
		for range 102 {
			all = append(all, written(t, client, socket, "*1\r\n$4\r\nPING\r\n"))
		}
		next := 0
		n := testing.AllocsPerRun(100, func() {
			e.Take(all[next])
			next++
			for {
				if b, err := e.Next(); len(b) == 0 || err != nil {
					return
				}
			}
		})
		if n > 1 {
			t.Errorf("%v allocations for each record", n)
		}
	})
}
