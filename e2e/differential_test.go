package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"ringmaster/internal/testkit"
)

// The same random commands go to a Redis directly and through the proxy to another one;
// every reply must be the same.
func TestRepliesEqualADirectRedis(t *testing.T) {
	total := scale(t, "DIFF_COMMANDS", 4_000, 50_000, 100_000)
	p := newPair(t)
	for _, start := range []struct {
		name  string
		hello []string
	}{{"resp2", nil}, {"resp3", []string{"HELLO", "3"}}} {
		t.Run(start.name, func(t *testing.T) {
			runDifferential(t, p, start.hello, total/2)
		})
	}
}

// seed is DIFF_SEED, or a random number.
func seed(t *testing.T) uint64 {
	t.Helper()
	s := os.Getenv("DIFF_SEED")
	if s == "" {
		return rand.Uint64N(1e9)
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatalf("DIFF_SEED=%q: %v", s, err)
	}
	return n
}

// commandsPerConnection is how many forms go over a connection before it is ended in one
// of the ways that a server ends it.
const commandsPerConnection = 3000

// runDifferential sends about total commands and compares their replies.
func runDifferential(t *testing.T, p *pair, hello []string, total int) {
	n := seed(t)
	t.Logf("seed %d: DIFF_SEED=%d DIFF_COMMANDS=%d repeats this run", n, n, 2*total)
	g := newGenerator(loadGrammar(t, commandsOf(t, p.direct)), n, p.payloads, p.libPayload)
	p.clear(t)
	p.errors = 0
	began := time.Now()
	sent := 0
	for sent < total {
		links := p.connect(t)
		if hello != nil {
			links.exchange(t, g, []unit{command(judge{name: "but", but: "id"}, hello...)})
		}
		for range depths(g, commandsPerConnection) {
			batch := nextBatch(g)
			sent += len(batch)
			if !links.exchange(t, g, batch) {
				links.explain(t, hello)
			}
			if sent >= total {
				break
			}
		}
		links.end(t, g.ending())
	}
	took := time.Since(began)
	t.Logf("%d commands equal, %d of them errors, %.0f a second", sent, p.errors, float64(sent)/took.Seconds())
}

// depths is how many batches make about n commands.
func depths(g *generator, n int) int { return 1 + n/40 + g.rand.IntN(n/40) }

// nextBatch is what goes out in one write: often one command, at times hundreds.
func nextBatch(g *generator) []unit {
	depth := 1 + g.rand.IntN([]int{1, 4, 16, 64, 300}[g.rand.IntN(5)])
	var batch []unit
	size := 0
	for len(batch) < depth && size < 256<<10 {
		before := len(batch)
		batch = g.next(batch)
		for _, u := range batch[before:] {
			size += len(u.wire)
		}
	}
	return batch
}

func command(j judge, args ...string) unit {
	return unit{wire: []byte(testkit.Request(args...)), args: args, judge: j, form: args[0]}
}

// pair is two servers that must answer alike.
type pair struct {
	direct, behind *testkit.Server
	proxy          string // address of the proxy in front of behind
	proxyLog       func() string
	payloads       []string
	libPayload     string
	errors         int // equal error replies so far
}

func newPair(t *testing.T, flags ...string) *pair {
	t.Helper()
	p := &pair{direct: testkit.Redis(t), behind: testkit.Redis(t)}
	if os.Getenv("DIFF_SELF") != "" { // two plain servers: checks the test itself
		p.proxy, p.proxyLog = p.behind.Addr, p.behind.Log
	} else {
		proxy := testkit.Proxy(t, []string{p.behind.Addr}, append(flags, "--timeout", "10s")...)
		p.proxy, p.proxyLog = proxy.Addr, proxy.Log
	}
	p.record(t)
	return p
}

// record takes payloads for RESTORE from a real server, one per type.
func (p *pair) record(t *testing.T) {
	t.Helper()
	c := testkit.Dial(t, p.direct.Addr)
	for _, cmd := range [][]string{
		{"SET", "k", "dumped"}, {"SET", "k", "12345"}, {"RPUSH", "k", "a", "b", "3"}, {"HSET", "k", "f1", "v1", "f2", "v2"},
		{"SADD", "k", "1", "2", "3"}, {"ZADD", "k", "1", "a", "2", "b"}, {"XADD", "k", "1-1", "f1", "v"}, {"PFADD", "k", "a", "b"},
	} {
		c.Do("DEL", "k")
		c.Do(cmd...)
		p.payloads = append(p.payloads, blob(t, c.Do("DUMP", "k")))
	}
	c.Do("FUNCTION", "LOAD", libraries[0])
	p.libPayload = blob(t, c.Do("FUNCTION", "DUMP"))
	c.Do("FUNCTION", "FLUSH")
	c.Do("DEL", "k")
}

func blob(t *testing.T, raw string) string {
	t.Helper()
	v, err := testkit.ParseValue([]byte(raw))
	if err != nil || v.Kind != '$' {
		t.Fatalf("want a blob, got %.80q, %v", raw, err)
	}
	return v.Text
}

// clear empties both servers, behind the proxy's back.
func (p *pair) clear(t *testing.T) {
	t.Helper()
	for _, addr := range []string{p.direct.Addr, p.behind.Addr} {
		c, err := testkit.Connect(addr) // with Dial the test would keep every connection until its end
		if err != nil {
			t.Fatalf("clear: %v", err)
		}
		for _, words := range [][]string{{"FLUSHALL"}, {"FUNCTION", "FLUSH"}, {"SCRIPT", "FLUSH"}} {
			if got, err := c.Call(words...); got != "+OK\r\n" {
				t.Fatalf("clear: %v: %q, %v", words, got, err)
			}
		}
		c.Close()
	}
}

// links are one client's two connections and what was sent over them.
type links struct {
	pair          *pair
	direct, proxy *testkit.Conn
	history       []unit // since the last connect, for shrinking
	failed        *mismatch
}

// mismatch is a unit whose replies differ.
type mismatch struct {
	unit          unit
	direct, proxy []byte
	err           error
}

func (p *pair) connect(t *testing.T) *links {
	t.Helper()
	return &links{pair: p, direct: testkit.Dial(t, p.direct.Addr), proxy: testkit.Dial(t, p.proxy)}
}

// exchange sends batch both ways and reads the replies; false when one differs.
func (l *links) exchange(t *testing.T, g *generator, batch []unit) bool {
	t.Helper()
	l.history = append(l.history, batch...)
	var wire []byte
	for _, u := range batch {
		wire = append(wire, u.wire...)
	}
	if err := l.direct.SendBytes(wire); err != nil {
		t.Fatalf("send to the direct server: %v", err)
	}
	if err := sendInPieces(l.proxy, wire, g.rand); err != nil {
		l.failed = &mismatch{err: fmt.Errorf("send to the proxy: %w", err)}
		return false
	}
	var a, b []byte
	for i, u := range batch {
		if u.quiet {
			continue
		}
		var err error
		if a, err = l.direct.NextInto(a[:0]); err != nil {
			t.Fatalf("reply of the direct server to %s, after %s and %.200q: %v", show(u), show(batch[max(i-1, 0)]), b, err)
		}
		if b, err = l.proxy.NextInto(b[:0]); err != nil || !u.judge.agree(a, b) {
			l.failed = &mismatch{unit: u, direct: a, proxy: b, err: err}
			l.history = l.history[:len(l.history)-len(batch)+i+1]
			return false
		}
		if a[0] == '-' {
			l.pair.errors++
		}
	}
	return true
}

// sendInPieces cuts wire at a random place one time in four.
func sendInPieces(c *testkit.Conn, wire []byte, r *rand.Rand) error {
	if r.IntN(4) == 0 {
		at := r.IntN(len(wire) + 1)
		if err := c.SendBytes(wire[:at]); err != nil {
			return err
		}
		wire = wire[at:]
	}
	return c.SendBytes(wire)
}

// end sends bytes that make a server close, and compares all that still comes.
func (l *links) end(t *testing.T, ending string) {
	t.Helper()
	var got [2]string
	for i, c := range []*testkit.Conn{l.direct, l.proxy} {
		c.Send(ending)
		rest, err := c.Rest()
		if err != nil {
			t.Fatalf("%s does not close after %q: %v (read %.200q)", []string{"direct server", "proxy"}[i], ending, err, rest)
		}
		got[i] = rest
		c.Close()
	}
	if got[0] != got[1] {
		t.Fatalf("after %q:\ndirect: %.400q\nproxy:  %.400q", ending, got[0], got[1])
	}
}

// explain ends the test with the shortest stream found that still shows the mismatch.
func (l *links) explain(t *testing.T, hello []string) {
	t.Helper()
	first := l.failed
	t.Logf("mismatch after %d commands on this connection:\n%s", len(l.history), first)
	if os.Getenv("DIFF_TRACE") != "" {
		for _, u := range l.history {
			t.Log(show(u))
		}
	}
	short, again := l.pair.shrink(t, l.history)
	if again == nil {
		t.Logf("not repeated from empty servers; the last commands were:")
		short, again = l.history[max(0, len(l.history)-15):], first
	}
	var b strings.Builder
	for _, u := range short {
		fmt.Fprintf(&b, "  %s\n", show(u))
	}
	t.Fatalf("start %q, then:\n%s%s\nlog of the proxy:\n%s", hello, b.String(), again, l.pair.proxyLog())
}

func (m *mismatch) String() string {
	at := max(0, firstDifference(m.direct, m.proxy)-80)
	s := fmt.Sprintf("command: %s\nform:    %s\nfrom byte %d of %d and %d:\ndirect:  %.300q\nproxy:   %.300q", show(m.unit), m.unit.form,
		at, len(m.direct), len(m.proxy), m.direct[min(at, len(m.direct)):], m.proxy[min(at, len(m.proxy)):])
	if m.err != nil {
		s += fmt.Sprintf("\nerror:   %v", m.err)
	}
	return s
}

func firstDifference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

func show(u unit) string {
	if u.args == nil {
		return fmt.Sprintf("bytes %q", u.wire)
	}
	quoted := make([]string, len(u.args))
	for i, a := range u.args {
		quoted[i] = strconv.Quote(a)
		if len(a) > 80 {
			quoted[i] = fmt.Sprintf("%q...(%d bytes)", a[:40], len(a))
		}
	}
	return strings.Join(quoted, " ")
}
