package e2e

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"ringmaster/internal/testkit"
)

// bystander is a client whose every value, count and length is its own, so that each reply can be judged byte for byte.
type bystander struct {
	run      *attackRun
	id       int
	rand     *rand.Rand
	conns    []*testkit.Conn // used in turn; nil after it was closed
	values   []ownValue
	counters []ownCount
	lists    []ownCount
	seq      int

	replies, errors int
	took            [phases][]time.Duration // of single commands
}

// ownValue is a key and what it may hold.
type ownValue struct {
	key    string
	may    []string        // the value that was acknowledged last, "" for none, and those of SETs that are not answered yet
	unsure map[string]bool // those of SETs that failed, which may still run
}

// ownCount is a counter, or a list that only grows. It holds between base+acked and base+acked+unsure.
type ownCount struct {
	key                       string
	base, acked, unsure, last int
	pushed                    map[string]bool // of a list: whether the push of this element was acknowledged
}

// awaited is what a reply must be.
type awaited struct {
	what string
	ok   func(raw string) bool
	fail func() // it was an error, or none came
}

const (
	bystanders    = 8
	keysOfOneKind = 3
	connsOfOne    = 2
)

func newBystander(run *attackRun, id int) *bystander {
	b := &bystander{run: run, id: id, rand: rand.New(rand.NewPCG(run.seed, uint64(id))), conns: make([]*testkit.Conn, connsOfOne)}
	for k := range keysOfOneKind {
		b.values = append(b.values, ownValue{key: fmt.Sprintf("by%d:value:%d", id, k), may: []string{""}, unsure: map[string]bool{}})
		b.counters = append(b.counters, ownCount{key: fmt.Sprintf("by%d:count:%d", id, k), base: (id*keysOfOneKind + k + 1) * 10_000_000})
		b.lists = append(b.lists, ownCount{key: fmt.Sprintf("by%d:list:%d", id, k), base: (id*keysOfOneKind + k) * 7, pushed: map[string]bool{}})
	}
	return b
}

// prepare gives counters and lists their beginnings.
func (b *bystander) prepare(c *testkit.Conn) {
	for i := range b.counters {
		n := &b.counters[i]
		c.Do("SET", n.key, strconv.Itoa(n.base))
		n.last = n.base
		l := &b.lists[i]
		for range l.base {
			c.Do("LPUSH", l.key, "first")
		}
		l.last = l.base
	}
}

// loop sends commands until stop is closed, and connects again after a close.
func (b *bystander) loop(stop <-chan struct{}) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			for _, c := range b.conns {
				if c != nil {
					c.Close()
				}
			}
			return
		default:
		}
		at := n % len(b.conns)
		if b.conns[at] == nil {
			b.conns[at] = b.connect(at)
		}
		if c := b.conns[at]; c != nil && !b.batch(c) {
			c.Close()
			b.conns[at] = nil
		}
	}
}

// connect opens a connection; every second one uses RESP3.
func (b *bystander) connect(at int) *testkit.Conn {
	c, err := testkit.Connect(b.run.front.proxy.Addr)
	if err == nil && at%2 == 1 {
		err = speaks3(c)
	}
	if err != nil {
		b.errors++
		b.run.note("bystander cannot connect: %v", err)
		return nil
	}
	return c
}

// batch sends some commands and judges their replies; false: the connection is of no use any more.
func (b *bystander) batch(c *testkit.Conn) bool {
	depth := []int{1, 1, 1, 1, 2, 7}[b.rand.IntN(6)]
	var wire []byte
	var waits []awaited
	for range depth {
		var w awaited
		wire, w = b.command(wire)
		waits = append(waits, w)
	}
	phase := b.run.phase.Load()
	began := time.Now()
	err := c.SendBytes(wire)
	for i, w := range waits {
		var raw []byte
		if err == nil {
			raw, err = c.Next()
		}
		b.judge(w, string(raw), err)
		if err != nil {
			for _, w := range waits[i+1:] {
				b.judge(w, "", err)
			}
			return false
		}
	}
	if depth == 1 && phase == b.run.phase.Load() {
		b.took[phase] = append(b.took[phase], time.Since(began))
	}
	return true
}

func (b *bystander) judge(w awaited, raw string, err error) {
	b.replies++
	switch {
	case err != nil:
		b.errors++
		w.fail()
		b.run.note("bystander's connection: %v", err)
		if isTimeout(err) {
			b.run.fault("bystander %d, %s: no reply", b.id, w.what)
		}
	case strings.Contains(raw, attackMark):
		w.fail()
		b.run.foreign("bystander %d, %s: %.200q", b.id, w.what, raw)
	case proxysWord(raw):
		b.errors++
		w.fail()
		b.run.note("bystander's error: %.100s", raw)
	case !w.ok(raw):
		w.fail()
		b.run.foreign("bystander %d, %s: %.200q", b.id, w.what, raw)
	}
}

func (b *bystander) command(wire []byte) ([]byte, awaited) {
	k := b.rand.IntN(keysOfOneKind)
	switch b.rand.IntN(8) {
	case 0, 1:
		return b.set(wire, &b.values[k])
	case 2:
		return b.incr(wire, &b.counters[k])
	case 3:
		return b.push(wire, &b.lists[k])
	case 4:
		b.seq++
		text := fmt.Sprintf("by%d:echo:%d", b.id, b.seq)
		return testkit.AppendRequest(wire, "EVAL", "return ARGV[1]", "1", b.values[k].key, text), awaited{
			what: "EVAL", fail: func() {}, ok: func(raw string) bool {
				return raw == bulk(text) || strings.HasPrefix(raw, "-NOPERM User ") // SERVER_ARGS may deny scripts
			}}
	}
	v := &b.values[k]
	return testkit.AppendRequest(wire, "GET", v.key), awaited{what: "GET " + v.key, fail: func() {}, ok: func(raw string) bool {
		return slices.ContainsFunc(v.may, holds(raw)) || slices.ContainsFunc(slices.Collect(maps.Keys(v.unsure)), holds(raw))
	}}
}

// holds reports whether the reply raw to GET says value.
func holds(raw string) func(value string) bool {
	return func(value string) bool {
		return raw == bulk(value) || value == "" && (raw == "$-1\r\n" || raw == "_\r\n")
	}
}

func (b *bystander) set(wire []byte, v *ownValue) ([]byte, awaited) {
	b.seq++
	value := fmt.Sprintf("%s:%d:%s", v.key, b.seq, strings.Repeat("v", b.seq%97))
	v.may = append(v.may, value)
	return testkit.AppendRequest(wire, "SET", v.key, value), awaited{what: "SET " + v.key,
		fail: func() { v.unsure[value] = true },
		ok: func(raw string) bool {
			// A later SET of the same pipeline may have added its own value.
			v.may = v.may[slices.Index(v.may, value):]
			return raw == "+OK\r\n"
		}}
}

func (b *bystander) incr(wire []byte, n *ownCount) ([]byte, awaited) {
	n.unsure++
	return testkit.AppendRequest(wire, "INCR", n.key), awaited{what: "INCR " + n.key, fail: func() {}, ok: n.grown}
}

func (b *bystander) push(wire []byte, l *ownCount) ([]byte, awaited) {
	b.seq++
	l.unsure++
	element := fmt.Sprintf("%s:%d", l.key, b.seq)
	l.pushed[element] = false
	return testkit.AppendRequest(wire, "LPUSH", l.key, element), awaited{what: "LPUSH " + l.key, fail: func() {}, ok: func(raw string) bool {
		l.pushed[element] = l.grown(raw)
		return l.pushed[element]
	}}
}

// grown judges the reply of a command that adds one, and that was counted as unsure until now.
func (n *ownCount) grown(raw string) bool {
	value, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(raw, ":"), "\r\n"))
	if err != nil || raw[0] != ':' || value <= n.last || value > n.base+n.acked+n.unsure {
		return false
	}
	n.acked, n.unsure, n.last = n.acked+1, n.unsure-1, value
	return true
}

// check compares what the servers hold with what was acknowledged; ask asks the server that has the key.
func (b *bystander) check(ask func(key string, args ...string) testkit.Value) {
	for _, n := range b.counters {
		got, err := strconv.Atoi(ask(n.key, "GET", n.key).Text)
		if err != nil || got < n.base+n.acked || got > n.base+n.acked+n.unsure {
			b.run.twice("%s is %d: %d INCRs were acknowledged and %d not, from %d", n.key, got, n.acked, n.unsure, n.base)
		}
	}
	for _, l := range b.lists {
		seen := map[string]int{}
		for _, e := range ask(l.key, "LRANGE", l.key, "0", "-1").Elems {
			seen[e.Text]++
		}
		if seen["first"] != l.base {
			b.run.twice("%s has %d of its first elements, want %d", l.key, seen["first"], l.base)
		}
		delete(seen, "first")
		for element, acked := range l.pushed {
			if n := seen[element]; n > 1 || acked && n == 0 {
				b.run.twice("%s has %q %d times, acknowledged: %v", l.key, element, n, acked)
			}
			delete(seen, element)
		}
		for element := range seen {
			b.run.twice("%s has %q, which nobody pushed", l.key, element)
		}
	}
}
