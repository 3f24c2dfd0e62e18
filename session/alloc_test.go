package session_test

import (
	"bytes"
	"strings"
	"testing"

	"ringmaster/session/discovery"
	"ringmaster/shard"
)

// path is a request and its replies, ready to be played over and over.
type path struct {
	w       *world
	client  *clientEnd
	request []byte
	replies map[*serverEnd][]byte
	want    int // bytes that the client gets
}

// newPath makes a path; answers are by server.
func newPath(tb testing.TB, request string, answers map[string]string) *path {
	tb.Helper()
	return newPathIn(tb, defaults(), request, answers)
}

// newPathIn is newPath in a world of its own settings.
func newPathIn(tb testing.TB, s settings, request string, answers map[string]string) *path {
	tb.Helper()
	s.fencesByHand = true
	s.upstream.Nonce = func(dst *[16]byte) { copy(dst[:], "fence-0000000001") }
	p := &path{w: newWorld(tb, s), replies: map[*serverEnd][]byte{}}
	p.client = p.w.connect("a")
	b, err := requests(request)
	if err != nil {
		tb.Fatal(err)
	}
	p.request = b
	for name, text := range answers {
		if p.replies[p.w.servers[name]], err = replies(text); err != nil {
			tb.Fatal(err)
		}
	}
	p.play()
	p.want = len(p.client.in)
	if p.want == 0 {
		tb.Fatal("the client gets nothing")
	}
	return p
}

// play is what a loop does for the request and its replies: two turns.
func (p *path) play() {
	p.client.in = p.client.in[:0]
	p.client.session.Feed(p.request)
	p.w.pool.Flush()
	for s, b := range p.replies {
		s.in = s.in[:0]
		s.conn.OnBytes(b)
	}
	p.w.env.Work()
	p.w.env.Resume()
	p.w.env.Flush()
}

var get16 = string(bytes.Repeat([]byte("GET {A}key | GET {B}key | "), 8))

var mget33 = `["x"*64` + strings.Repeat(`, "x"*64`, 32) + `]`

// The hot paths and what their servers answer.
var hotPaths = []struct {
	name, request string
	answers       map[string]string
}{
	{"GET", "GET {A}key", map[string]string{"A": `"x"*64`}},
	{"SET", "SET {B}key x*64", map[string]string{"B": "+OK"}},
	{"pipeline of 16", get16, map[string]string{
		"A": string(bytes.Repeat([]byte("nil | "), 8)), "B": string(bytes.Repeat([]byte("nil | "), 8)),
	}},
	{"MGET on 3 shards", "MGET {A}1 {B}1 {C}1 {A}2 {B}2 {C}2", map[string]string{
		"A": `["a", nil]`, "B": `["b", nil]`, "C": `["c", nil]`,
	}},
	{"MGET of 99", "MGET" + strings.Repeat(" {A}key:00000000 {B}key:00000001 {C}key:00000002", 33), map[string]string{
		"A": mget33, "B": mget33, "C": mget33,
	}},
	{"MSET on 3 shards", "MSET {A}1 x {B}1 x {C}1 x", map[string]string{"A": "+OK", "B": "+OK", "C": "+OK"}},
	{"DEL on 3 shards", "DEL {A}1 {B}1 {C}1", map[string]string{"A": ":1", "B": ":1", "C": ":0"}},
	{"EVAL", "EVAL x 1 {A}1", map[string]string{"A": `"x" | "fence-0000000001"`}},
	{"PING", "PING", nil},
	{"PUBLISH that nobody waits for", "PUBLISH {A}news x", map[string]string{"A": ":0"}},
	{"SCAN", "SCAN 0", map[string]string{"A": `["5", ["a"]]`}},
}

func TestHotPathsAllocateNothing(t *testing.T) {
	for _, hot := range hotPaths {
		t.Run(hot.name, func(t *testing.T) {
			p := newPath(t, hot.request, hot.answers)
			for range 100 {
				p.play()
			}
			if n := testing.AllocsPerRun(1000, p.play); n != 0 && !raceEnabled {
				t.Errorf("%v allocations", n)
			}
			if len(p.client.in) != p.want {
				t.Errorf("the client got %d bytes, at first %d", len(p.client.in), p.want)
			}
		})
	}
}

// Both turns go to the same replica, for there is one for each primary.
func TestReadsAtReplicasAllocateNothing(t *testing.T) {
	s := defaults()
	s.replicas = map[string][]string{"A": {"D"}, "B": {"E"}}
	s.upstream.Reads = shard.ReadPreferReplica
	for request, answers := range map[string]map[string]string{
		"GET {A}key":                       {"D": `"x"*64`},
		"MGET {A}1 {B}1 {C}1 {A}2":         {"D": `["a", nil]`, "E": `["b"]`, "C": `["c"]`},
		strings.Repeat("GET {A}key | ", 8): {"D": strings.Repeat("nil | ", 8)},
	} {
		p := newPathIn(t, s, request, answers)
		for range 100 {
			p.play()
		}
		if n := testing.AllocsPerRun(1000, p.play); n != 0 && !raceEnabled {
			t.Errorf("%.20s: %v allocations", request, n)
		}
		if len(p.client.in) != p.want {
			t.Errorf("%.20s: the client got %d bytes, at first %d", request, len(p.client.in), p.want)
		}
	}
}

func TestLearntCommandsAreFoundWithoutAllocating(t *testing.T) {
	w := newWorld(t, defaults())
	s := w.connect("a").session
	b, err := replies(`[["json.get", :-2, [+readonly], :1, :1, :1, [], [], [], []]]`)
	if err != nil {
		t.Fatal(err)
	}
	discovery.Remember(w.env, "json.get", b)
	args := [][]byte{[]byte("JSON.Get"), []byte("key")}
	if n := testing.AllocsPerRun(100, func() {
		if spec, ask := discovery.LookUp(s, args); spec == nil || ask {
			t.Fatal("it is not found")
		}
	}); n != 0 && !raceEnabled {
		t.Errorf("%v allocations", n)
	}
	w.end()
}

func BenchmarkPath(b *testing.B) {
	for _, hot := range hotPaths {
		b.Run(hot.name, func(b *testing.B) {
			p := newPath(b, hot.request, hot.answers)
			b.ReportAllocs()
			for b.Loop() {
				p.play()
			}
		})
	}
}

// redirected are requests that a node sends elsewhere before they are answered: what it says, and what is behind.
var redirected = []struct{ name, first, asking string }{
	{"MOVED", "-MOVED 6373 B:6379\r\n", ""},
	{"ASK", "-ASK 6373 B:6379\r\n", "+OK\r\n"},
	{"MOVED without a host", "-MOVED 6373 :6379\r\n", ""},
}

// playRedirected is what a loop does for a GET that the node A sends elsewhere: three turns.
func playRedirected(w *world, request, first, second []byte) {
	c, a, b := w.clients["a"], w.servers["A"], w.servers["B"]
	c.in, a.in, b.in = c.in[:0], a.in[:0], b.in[:0]
	c.session.Feed(request)
	w.pool.Flush()
	a.in = a.in[:0]
	a.conn.OnBytes(first)
	w.pool.Flush()
	if len(b.in) > 0 {
		b.conn.OnBytes(second)
	} else {
		a.conn.OnBytes(second)
	}
	w.env.Resume()
	w.env.Flush()
}

func newRedirected(tb testing.TB) *world {
	s := defaults()
	s.upstream.Cluster, s.fencesByHand = true, true
	w := newWorld(tb, s)
	w.connect("a")
	return w
}

func TestRedirectsAllocateNothing(t *testing.T) {
	for _, r := range redirected {
		t.Run(r.name, func(t *testing.T) {
			w := newRedirected(t)
			request, err := requests("GET {A}key")
			if err != nil {
				t.Fatal(err)
			}
			first, second := []byte(r.first), []byte(r.asking+"$1\r\nx\r\n")
			play := func() { playRedirected(w, request, first, second) }
			for range 100 {
				play()
			}
			if n := testing.AllocsPerRun(1000, play); n != 0 && !raceEnabled {
				t.Errorf("%v allocations", n)
			}
			if got := string(w.clients["a"].in); got != "$1\r\nx\r\n" {
				t.Errorf("the client got %q", got)
			}
		})
	}
}

func BenchmarkRedirect(b *testing.B) {
	for _, r := range redirected {
		b.Run(r.name, func(b *testing.B) {
			w := newRedirected(b)
			request, err := requests("GET {A}key")
			if err != nil {
				b.Fatal(err)
			}
			first, second := []byte(r.first), []byte(r.asking+"$1\r\nx\r\n")
			b.ReportAllocs()
			for b.Loop() {
				playRedirected(w, request, first, second)
			}
		})
	}
}
