package pool

import (
	"bytes"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"ringmaster/pool/ask"
	"ringmaster/pool/conn"
	"ringmaster/shard"
	"ringmaster/stats"
)

// fakeSocket records what is written.
type fakeSocket struct {
	wrote    []byte
	writes   int
	buffered int
	closed   bool
	err      error
	unheard  bool // nobody acknowledges
	answered int  // of the bytes that answers makes
}

// answers are up to n bytes of the replies to what was written, when that is requests of 16 bytes with one
// argument of 6, which is sent back.
func (s *fakeSocket) answers(n int) []byte {
	var all []byte
	for i := 0; i+16 <= len(s.wrote); i += 16 {
		all = append(all, s.wrote[i+4:i+16]...)
	}
	all = all[s.answered:]
	all = all[:min(n, len(all))]
	s.answered += len(all)
	return all
}

func (s *fakeSocket) Write(b []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	s.wrote = append(s.wrote, b...)
	s.writes++
	return len(b), nil
}

func (s *fakeSocket) Writev(bs [][]byte) (int, error) { return s.Write(bytes.Join(bs, nil)) }

func (s *fakeSocket) Buffered() int { return s.buffered }
func (s *fakeSocket) Close()        { s.closed = true }

func (s *fakeSocket) Unacknowledged() bool { return s.unheard }

// asker is a Receiver that notes the end of each of its requests.
type asker struct {
	ask.Nobody
	t    *testing.T
	open map[uint64]*bytes.Buffer // by tag: what has come
	ends map[uint64]string        // by tag: the reply, or the failure
}

func newAsker(t *testing.T) *asker {
	return &asker{t: t, open: map[uint64]*bytes.Buffer{}, ends: map[uint64]string{}}
}

func (a *asker) Reply(tag uint64, b []byte, p ask.Piece) {
	if end, ended := a.ends[tag]; ended {
		a.t.Errorf("request %d got %q after its end, %q", tag, b, end)
	}
	if first := a.open[tag] == nil; first != (p&ask.First != 0) {
		a.t.Errorf("request %d: piece %d, is first: %t", tag, p, first)
	}
	if a.open[tag] == nil {
		a.open[tag] = &bytes.Buffer{}
	}
	a.open[tag].Write(b)
	if p&ask.Last != 0 {
		a.ends[tag] = a.open[tag].String()
	}
}

func (a *asker) Fail(tag uint64, f *ask.Failure) {
	if end, ended := a.ends[tag]; ended {
		a.t.Errorf("request %d failed after its end, %q", tag, end)
	}
	a.ends[tag] = fmt.Sprintf("%d sent=%t", f.Kind, f.Sent)
}

// calm is a Client that has sent one request, and lets all be done.
type calm struct{}

func (calm) Hold() bool         { return true }
func (calm) Await()             {}
func (calm) Latest(uint64) bool { return true }
func (calm) Begun(uint64) bool  { return false }
func (calm) Replied() int64     { return 0 }
func (calm) RingsSettled(error) {}

func testConfig() conn.Config {
	return conn.Config{
		Connections: 1, DialTimeout: time.Second, Timeout: time.Second, StallTimeout: 10 * time.Second,
		BackoffMin: 100 * time.Millisecond, BackoffMax: 800 * time.Millisecond, MaxPending: 1000, MaxPendingBytes: 8 << 20,
	}
}

// newTestPool is a started pool over n servers, "A", "B" and so on, with its dials still to be answered.
func newTestPool(t *testing.T, cfg conn.Config, n int, log *slog.Logger) *Pool {
	t.Helper()
	var servers []shard.Server
	for i := range n {
		name := string(rune('A' + i))
		servers = append(servers, shard.Server{Name: name, Addr: name + ":1", Weight: 1})
	}
	m, err := shard.New(shard.Config{Servers: servers})
	if err != nil {
		t.Fatal(err)
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	p := New(NewLoop(0), cfg, m, stats.NewLoop(8).AddUpstream("", n), log)
	p.Now = int64(time.Hour)
	p.Start()
	return p
}

// ready answers c's dial and login.
func ready(t *testing.T, c *conn.Conn) *fakeSocket {
	t.Helper()
	s := &fakeSocket{}
	c.Up.Loop.TakeDials(func(*conn.Conn) {})
	c.OnOpen(s)
	c.OnBytes([]byte("+OK\r\n"))
	if c.State() != conn.Ready {
		t.Fatalf("the connection is %s", c.State())
	}
	s.wrote, s.writes = nil, 0
	return s
}

func checkPool(t *testing.T, p *Pool) {
	t.Helper()
	if err := Check(p.Loop); err != nil {
		t.Error(err)
	}
}
