package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"ringmaster/internal/testkit"
)

// weather is what clients have to expect.
type weather struct {
	strict  atomic.Bool    // an error is a fault
	crashes atomic.Int64   // of primaries: what was acknowledged may be lost with one
	clear   *regexp.Regexp // what errors may say; nil: anything
	// What has been done so far, and how much of it was answered with an error.
	done, errors atomic.Int64
}

// goesOn waits until clients have done some more.
func (w *weather) goesOn(t *testing.T) {
	t.Helper()
	before := w.done.Load()
	testkit.Until(t, "clients to go on", func() bool { return w.done.Load() > before+500 })
}

// mixed is a client that knows what it has written: counters, values over several slots, a transaction, a blocking pop.
type mixed struct {
	id   int
	addr string
	*weather
	report func(string, ...any)
}

func (m *mixed) run(stop <-chan struct{}) {
	var c *testkit.Conn
	defer func() {
		if c != nil {
			c.Close()
		}
	}()
	hot, cold := fmt.Sprintf("{hot%d}", m.id%4), fmt.Sprintf("c%d:", m.id)
	counter, tx := cold+"n", fmt.Sprintf("%s:%d", hot, m.id)
	n, txn, unsure := 0, 0, false
	for i := 0; ; i++ {
		crashes := m.crashes.Load()
		select {
		case <-stop:
			return
		default:
		}
		if c == nil {
			var err error
			if c, err = testkit.Connect(m.addr); err != nil {
				m.report("client %d cannot connect: %v", m.id, err)
				return
			}
			c.Patience = replyPatience * second
		}
		do := func(args ...string) string {
			if c == nil {
				return ""
			}
			strict := m.strict.Load()
			reply, err := c.Call(args...)
			m.done.Add(1)
			if err != nil || strings.HasPrefix(reply, "-") || strings.Contains(reply, "\r\n-") {
				m.errors.Add(1)
				unsure = true
				if strict && m.strict.Load() || m.clear != nil && !m.clear.MatchString(reply) {
					m.report("client %d, %.60q: %.200q, %v", m.id, args, reply, err)
				}
				if err != nil {
					if isTimeout(err) {
						m.report("client %d hangs at %.60q", m.id, args)
					}
					c.Close()
					c = nil
				}
				return ""
			}
			return reply
		}
		expect := func(what, got, want string) {
			if got != "" && got != want && !unsure && m.crashes.Load() == crashes {
				m.report("client %d: %s is %.200q, want %.200q", m.id, what, got, want)
			}
		}
		if got := do("INCR", counter); got != "" {
			n++
			expect("the counter", got, fmt.Sprintf(":%d\r\n", n))
		}
		value := fmt.Sprintf("%d-%d", m.id, i)
		keys := []string{cold + "a", cold + "b", hot + cold}
		if do("MSET", keys[0], value, keys[1], value+"x", keys[2], value+"y") != "" {
			expect("MGET", do("MGET", keys[2], keys[0], keys[1]), testkit.Request(value+"y", value, value+"x"))
		}
		if do("MULTI") != "" && do("INCR", tx) != "" && do("SET", tx+"v", value) != "" {
			if got := do("EXEC"); got != "" {
				txn++
				expect("EXEC", got, fmt.Sprintf("*2\r\n:%d\r\n+OK\r\n", txn))
			}
		} else if c != nil {
			c.Close()
			c = nil
		}
		if i%8 == 0 {
			do("RPUSH", hot+cold+"q", value)
			expect("BLPOP", do("BLPOP", hot+cold+"q", "5"), testkit.Request(hot+cold+"q", value))
		}
		if i%4 == 0 && c != nil {
			m.pipeline(c, hot+cold+"p", i)
		}
		if unsure || m.crashes.Load() != crashes { // what was under way may have run or not
			do("DEL", counter, tx, hot+cold+"q")
			n, txn = 0, 0
			unsure = c == nil
			if got := do("GET", counter) + do("GET", tx); got != "$-1\r\n$-1\r\n" {
				unsure = true
			}
		}
	}
}

// pipeline writes and reads a key in one write of the client: each read must give what was written just before.
func (m *mixed) pipeline(c *testkit.Conn, key string, round int) {
	const pairs = 10
	var raw []byte
	for n := range pairs {
		raw = testkit.AppendRequest(raw, "SET", key, fmt.Sprint(round, n))
		raw = testkit.AppendRequest(raw, "GET", key)
	}
	strict, crashes := m.strict.Load(), m.crashes.Load()
	if c.SendBytes(raw) != nil {
		return // the next command finds out
	}
	failed := false
	for n := range 2 * pairs {
		reply, err := c.Next()
		if err != nil {
			return
		}
		m.done.Add(1)
		if reply[0] == '-' {
			failed = true
			m.errors.Add(1)
			if strict && m.strict.Load() || m.clear != nil && !m.clear.Match(reply) {
				m.report("client %d, request %d of a pipeline: %q", m.id, n, reply)
			}
			continue
		}
		value := fmt.Sprint(round, n/2)
		if want := fmt.Sprintf("$%d\r\n%s\r\n", len(value), value); n%2 == 1 && string(reply) != want && !failed && m.crashes.Load() == crashes {
			m.report("client %d, request %d of a pipeline: %q, want %q", m.id, n, reply, want)
		}
	}
}

// startMixed runs clients until the returned function is called, which gives how much was done and how many errors there were.
func startMixed(t *testing.T, addr string, clients int, w *weather) (stop func() (done, errors int64)) {
	t.Helper()
	var faults atomic.Int64
	ended := make(chan struct{})
	var wg sync.WaitGroup
	for id := range clients {
		m := &mixed{id: id, addr: addr, weather: w, report: func(format string, args ...any) {
			if faults.Add(1) <= 20 {
				t.Errorf(format, args...)
			}
		}}
		wg.Add(1)
		go func() {
			defer wg.Done()
			m.run(ended)
		}()
	}
	return func() (int64, int64) {
		close(ended)
		wg.Wait()
		return w.done.Load(), w.errors.Load()
	}
}
