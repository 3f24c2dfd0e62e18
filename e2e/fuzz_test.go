package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"ringmaster/internal/testkit"
)

// fuzzRun is what the fuzzers of the built proxy share. FUZZ_SECONDS is how long each runs, FUZZ_SEED repeats one as far as
// sockets can, FUZZ_WITHOUT is a regular expression of requests to leave out, while a fault that is known is still there.
type fuzzRun struct {
	rand  *rand.Rand
	seed  uint64
	until time.Time
	tried int
	sites map[string]bool // of crashes

	without *regexp.Regexp
}

func newFuzz(t *testing.T) *fuzzRun {
	t.Helper()
	z := &fuzzRun{seed: rand.Uint64N(1e9), sites: map[string]bool{}}
	if s := os.Getenv("FUZZ_SEED"); s != "" {
		if _, err := fmt.Sscan(s, &z.seed); err != nil {
			t.Fatalf("FUZZ_SEED: %v", err)
		}
	}
	if s := os.Getenv("FUZZ_WITHOUT"); s != "" {
		z.without = regexp.MustCompile(s)
	}
	z.rand = rand.New(rand.NewPCG(z.seed, 0))
	z.until = time.Now().Add(time.Duration(scale(t, "FUZZ_SECONDS", 1, 2, 4)) * time.Second)
	t.Logf("FUZZ_SEED=%d", z.seed)
	return z
}

func (z *fuzzRun) more() bool { return time.Now().Before(z.until) }

func (z *fuzzRun) chance(oneIn int) bool { return z.rand.IntN(oneIn) == 0 }

func pick[T any](z *fuzzRun, of ...T) T { return of[z.rand.IntN(len(of))] }

// number is one that code may get wrong.
func (z *fuzzRun) number() int64 {
	return pick[int64](z, 0, 0, 1, 1, 1, 2, 2, 3, -1, -1, -2, -3, 5, 10, 100, -100, 1<<15, -1<<15, 1<<31-1, -1<<31, 1<<62, 1<<63-1, -1<<63)
}

// bytes is some that are no text.
func (z *fuzzRun) bytes(most int) string {
	b := make([]byte, z.rand.IntN(most+1))
	for i := range b {
		b[i] = byte(z.rand.Uint32())
	}
	return string(b)
}

// alive reports a proxy that has panicked, once for each place in the code, and returns false then.
func (z *fuzzRun) alive(t *testing.T, proxy *testkit.Server, input string) bool {
	t.Helper()
	log := proxy.Log()
	caught := strings.Contains(log, "panic") || strings.Contains(log, "runtime error") // one that cost its client only
	// A process that dies closes its sockets first.
	if !caught && (testkit.Answers(proxy.Addr) || !testkit.Eventually(time.Second, proxy.Exited)) {
		return true
	}
	log = proxy.Log()
	site := crashSite(log)
	if !z.sites[site] {
		z.sites[site] = true
		at := max(0, strings.Index(log, "panic"))
		t.Errorf("the proxy panicked (%s); input:\n%.3000s\nits log:\n%.2500s", site, input, log[at:])
	}
	return false
}

var ownFrame = regexp.MustCompile(`\n(ringmaster/[^\n(]*(?:\([^)\n]*\))?[^\n(]*)\(`)

// crashSite is the reason of a panic and where it was.
func crashSite(log string) string {
	reason := regexp.MustCompile(`(?m)^(panic|fatal error): .*`).FindString(log)
	var frames []string
	for _, m := range ownFrame.FindAllStringSubmatch(log, 3) {
		frames = append(frames, m[1])
	}
	return reason + " in " + strings.Join(frames, " < ")
}

// askAll sends wire and QUIT over a new connection and reads until the proxy closes it; false: it does not, within
// patience.
func askAll(addr string, wire []byte, patience time.Duration) (got string, closed bool) {
	c, err := testkit.Connect(addr)
	if err != nil {
		return "", true
	}
	defer c.Close()
	c.Patience = patience
	if c.SendBytes(testkit.AppendRequest(wire, "QUIT")) != nil {
		return "", true
	}
	got, err = c.Rest()
	return got, !isTimeout(err)
}

// value is one whole reply of any kind, or of those of RESP2.
func (z *fuzzRun) value(depth int, resp3 bool) string {
	text := pick(z, "", "a", "OK", "12", "a longer text", "\r\n", z.bytes(30))
	line := strings.NewReplacer("\r", "", "\n", "").Replace(text)
	n := pick(z, 0, 0, 1, 2, 3, 7)
	many := func(head string, each int) string {
		var b strings.Builder
		fmt.Fprintf(&b, "%s%d\r\n", head, n)
		for range n * each {
			b.WriteString(z.value(depth+1, resp3))
		}
		return b.String()
	}
	kind := z.rand.IntN(8)
	if resp3 {
		kind = z.rand.IntN(19)
	}
	switch {
	case kind == 5 && depth < 4, kind == 6 && depth < 4:
		return many("*", 1)
	case kind == 16 && depth < 4:
		return many("~", 1)
	case kind == 17 && depth < 4:
		return many("%", 2)
	case kind == 18 && depth < 4:
		return many("|", 2) + z.value(depth+1, resp3)
	}
	return []string{"+" + line + "\r\n", "-ERR " + line + "\r\n", fmt.Sprintf(":%d\r\n", z.number()), bulk(text), "$-1\r\n", "*0\r\n", "*-1\r\n", "-" + line + "\r\n",
		"_\r\n", "#t\r\n", "#f\r\n", ",1.5\r\n", ",-inf\r\n", fmt.Sprintf("(%d999999999999\r\n", z.number()), fmt.Sprintf("!%d\r\n%s\r\n", len(text), text),
		fmt.Sprintf("=%d\r\ntxt:%s\r\n", len(text)+4, text), "~0\r\n", "%0\r\n", ",nan\r\n"}[kind]
}
