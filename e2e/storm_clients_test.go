package e2e

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"ringmaster/internal/testkit"
)

// stormPatience is what a client waits for a reply: more than any timeout of the proxy in the storm.
const stormPatience = 40 * second

// caller runs a client's steps until the storm is over, each while the gate is open.
func (r *stormRun) caller(step func() error) {
	r.clients.Go(func() {
		for r.going() {
			r.gate.RLock()
			err := step()
			r.gate.RUnlock()
			if err != nil {
				return // the step has reported it
			}
		}
	})
}

// going reports whether the storm goes on.
func (r *stormRun) going() bool {
	select {
	case <-r.stop:
		return false
	default:
		return true
	}
}

// connect opens a connection that waits long enough; every other is one of RESP3.
func (r *stormRun) connect(id int, addr string) (*testkit.Conn, error) {
	c, err := testkit.Connect(addr)
	if err != nil {
		return nil, err
	}
	c.Patience = stormPatience
	if id%2 == 0 {
		return c, nil
	}
	if hello, err := c.Call("HELLO", "3"); err != nil || !strings.HasPrefix(hello, "%") {
		c.Close()
		return nil, fmt.Errorf("HELLO 3: %q, %v", hello, err)
	}
	return c, nil
}

// tagger is a client of a listener. Its errors are all wrong.
func (r *stormRun) tagger(addr string, moves, denies *toggle) *tagger {
	r.ids++
	id := r.ids
	t := newTagger(id, addr, &r.lossy, &r.tally, r.report)
	t.moves = moves
	t.clear = func(string) bool { return false }
	t.open = func() (*testkit.Conn, error) { return r.connect(id, addr) }
	t.more = append(t.more, t.transaction, func(wire []byte) ([]byte, []expectation) { return t.strlen(wire, denies) })
	return t
}

// stays is a tagger whose connection must never end.
func (r *stormRun) stays(addr string, moves, denies *toggle) {
	t := r.tagger(addr, moves, denies)
	r.caller(func() error {
		err := t.batch()
		if err == nil {
			err = r.apart(t)
		}
		if err != nil {
			r.report(fmt.Sprintf("client %d of %s, whose listener stays, is closed: %v", t.id, addr, err))
		}
		return err
	})
}

// visits is a tagger of a listener that goes when the toggle changes.
func (r *stormRun) visits(addr string, moves, denies, leaves *toggle) {
	t := r.tagger(addr, moves, denies)
	born := leaves.now()
	const gone = "ERR the proxy no longer listens on this address"
	t.clear = func(text string) bool { return !leaves.stayed(born) && strings.HasPrefix(text, gone) }
	t.mayFail = func(error) bool { return !leaves.stayed(born) } // who waits to be accepted when a socket closes is reset by the system
	r.caller(func() error {
		err := t.batch()
		if err != nil && leaves.stayed(born) {
			r.report(fmt.Sprintf("client %d of %s, which has not gone, is closed: %v", t.id, addr, err))
		}
		return err
	})
}

// transaction has two keys of one place in MULTI and EXEC. It runs whole, wherever it runs.
func (t *tagger) transaction(wire []byte) ([]byte, []expectation) {
	p, q := t.pair()
	t.seq++
	v, w := t.tag(p, t.seq), t.tag(q, t.seq)
	for _, args := range [][]string{{"MULTI"}, {"SET", p.name, v}, {"SET", q.name, w}, {"MGET", p.name, q.name}, {"EXEC"}} {
		wire = testkit.AppendRequest(wire, args...)
	}
	queued := expectation{what: "a command in MULTI", ok: says("QUEUED")}
	return wire, []expectation{{what: "MULTI", ok: says("OK")}, queued, queued, queued, {what: "EXEC", ok: func(got testkit.Value) string {
		return executed(got, v, w)
	}}}
}

// pair is two keys that always have one place. No other command has them.
func (t *tagger) pair() (p, q *taggedKey) {
	return &taggedKey{name: fmt.Sprintf("{c%d}p", t.id)}, &taggedKey{name: fmt.Sprintf("{c%d}q", t.id)}
}

// executed judges the reply to EXEC of a transaction that sets a pair and reads it.
func executed(got testkit.Value, v, w string) string {
	if got.Kind != '*' || len(got.Elems) != 3 || len(got.Elems[2].Elems) != 2 || got.Elems[2].Elems[0].Text != v || got.Elems[2].Elems[1].Text != w {
		return fmt.Sprintf("foreign or torn: %.300s, want %.60q and %.60q", got, v, w)
	}
	return ""
}

// says judges a reply that is a plain text.
func says(want string) func(v testkit.Value) string {
	return func(v testkit.Value) string {
		if v.Text != want {
			return fmt.Sprintf("answered %.100s, want %s", v, want)
		}
		return ""
	}
}

// strlen is the command that is denied after each second toggle; nil: never.
func (t *tagger) strlen(wire []byte, denies *toggle) ([]byte, []expectation) {
	before := denies.now()
	e := expectation{what: "STRLEN", ok: func(v testkit.Value) string {
		if v.Kind != ':' || v.Text != "0" || denies.stayed(before) && isSet(before) {
			return fmt.Sprintf("answered %.100s; denied: %v", v, isSet(before))
		}
		return ""
	}, refused: func(text string) string {
		if !strings.HasPrefix(text, "NOPERM ") || denies.stayed(before) && !isSet(before) {
			return fmt.Sprintf("answered %q; denied: %v", text, isSet(before))
		}
		return ""
	}}
	return testkit.AppendRequest(wire, "STRLEN", fmt.Sprintf("c%d:none", t.id)), []expectation{e}
}

// isSet is what a toggle says that changes between no and yes.
func isSet(now int64) bool { return now/2%2 == 1 }

// apart is now and then a transaction whose commands come one by one, and may have a key watched.
func (r *stormRun) apart(t *tagger) error {
	if t.rand.IntN(8) > 0 || t.conn == nil {
		return nil
	}
	p, q := t.pair()
	t.seq++
	v, w := t.tag(p, t.seq), t.tag(q, t.seq)
	steps := [][]string{{"MULTI"}, {"SET", p.name, v}, {"SET", q.name, w}, {"MGET", p.name, q.name}}
	watches, before := t.rand.IntN(2) == 0, t.moves.now()
	if watches {
		steps = append([][]string{{"WATCH", p.name, q.name}}, steps...)
	}
	for _, args := range steps {
		raw, err := t.conn.Call(args...)
		if err != nil {
			return err
		}
		if raw != "+OK\r\n" && raw != "+QUEUED\r\n" {
			r.report(fmt.Sprintf("client %d: %q: %q", t.id, args, raw))
		}
	}
	raw, err := t.conn.Call("EXEC")
	if err != nil {
		return err
	}
	got, err := testkit.ParseValue([]byte(raw))
	if err != nil {
		return err
	}
	if watches && got.Null && !t.moves.stayed(before) {
		return nil // the keys may have moved
	}
	if wrong := executed(got, v, w); wrong != "" {
		r.report(fmt.Sprintf("client %d: EXEC: %s", t.id, wrong))
	}
	return nil
}

// logsIn connects again and again. Whether the password is asked for must be as the file says.
func (r *stormRun) logsIn() {
	r.caller(func() error {
		c, err := testkit.Connect(r.world.front)
		if err != nil {
			r.report(fmt.Sprintf("a client that would log in can't connect: %v", err))
			return err
		}
		defer c.Close()
		c.Patience = stormPatience
		before := r.protects.now()
		ping, err := c.Call("PING")
		auth, err2 := c.Call("AUTH", "mine")
		again, err3 := c.Call("PING")
		if err != nil || err2 != nil || err3 != nil {
			r.report(fmt.Sprintf("a client that logs in is closed: %v, %v, %v", err, err2, err3))
			return nil
		}
		want := [3]string{"+PONG\r\n", "-ERR AUTH <password> called without any password", "+PONG\r\n"}
		if isSet(before) {
			want = [3]string{"-NOAUTH ", "+OK\r\n", "+PONG\r\n"}
		}
		for i, got := range []string{ping, auth, again} {
			if r.protects.stayed(before) && !strings.HasPrefix(got, want[i]) {
				r.report(fmt.Sprintf("a client that logs in: step %d is %q, want %s", i, got, want[i]))
			}
		}
		return nil
	})
}

// readsConstants reads keys of the upstream with a replica, which nobody writes.
func (r *stormRun) readsConstants() {
	r.ids++
	id, addr := r.ids, r.world.reads
	conn, err := r.connect(id, addr)
	if err != nil {
		r.report(fmt.Sprintf("a reader can't connect: %v", err))
		return
	}
	rnd := rand.New(rand.NewPCG(uint64(id), 8))
	r.caller(func() error {
		n := rnd.IntN(stormConstants)
		got, err := conn.Call("GET", fmt.Sprintf("constant:%d", n))
		if want := fmt.Sprintf("value %d", n); err != nil || got != fmt.Sprintf("$%d\r\n%s\r\n", len(want), want) {
			r.report(fmt.Sprintf("a reader of %d: %q, %v", n, got, err))
		}
		r.tally.replies.Add(1)
		return err
	})
}

const stormConstants = 20

// queue is a list that one client fills and another empties, waiting in BLPOP.
type queue struct {
	key            string
	pushed, popped map[int]bool
}

// queues has two clients more.
func (r *stormRun) queues() {
	r.ids++
	q := &queue{key: fmt.Sprintf("queue:%d", r.ids), pushed: map[int]bool{}, popped: map[int]bool{}}
	r.lists = append(r.lists, q)
	push, err := r.connect(r.ids, r.world.front)
	pop, err2 := r.connect(r.ids+1, r.world.side)
	if err != nil || err2 != nil {
		r.report(fmt.Sprintf("%s: %v, %v", q.key, err, err2))
		return
	}
	n := 0
	put := func(word string) error {
		got, err := push.Call("RPUSH", q.key, word)
		if err != nil || !strings.HasPrefix(got, ":") {
			r.report(fmt.Sprintf("%s: RPUSH: %q, %v", q.key, got, err))
			return fmt.Errorf("no list: %q, %v", got, err)
		}
		r.tally.replies.Add(1)
		return nil
	}
	r.clients.Go(func() {
		for r.going() {
			r.gate.RLock()
			err := q.fill(r, push, put, &n)
			r.gate.RUnlock()
			if err != nil {
				return
			}
		}
		_ = put("end") // nothing changes any more, so that it is found
	})
	r.clients.Go(func() {
		for q.empty(r, pop) {
		}
		pop.Close()
	})
}

// fill pushes one element more, unless there are enough.
func (q *queue) fill(r *stormRun, c *testkit.Conn, put func(string) error, n *int) error {
	long, err := c.Call("LLEN", q.key)
	if err != nil || !strings.HasPrefix(long, ":") {
		r.report(fmt.Sprintf("%s: LLEN: %q, %v", q.key, long, err))
		return fmt.Errorf("%q, %v", long, err)
	}
	if len(long) > len(":9\r\n") {
		return nil
	}
	*n++
	q.pushed[*n] = true
	return put(q.key + "|" + strconv.Itoa(*n))
}

// empty pops one element; false: that was the last.
func (q *queue) empty(r *stormRun, c *testkit.Conn) bool {
	raw, err := c.Call("BLPOP", q.key, "0")
	v, wrong := testkit.ParseValue([]byte(raw))
	if err != nil || wrong != nil || len(v.Elems) != 2 || v.Elems[0].Text != q.key {
		r.report(fmt.Sprintf("%s: BLPOP: %q, %v", q.key, raw, err))
		return false
	}
	r.tally.replies.Add(1)
	return v.Elems[1].Text != "end" && q.note(r, v.Elems[1].Text)
}

// note notes an element that was taken out.
func (q *queue) note(r *stormRun, word string) bool {
	key, number, _ := strings.Cut(word, "|")
	n, err := strconv.Atoi(number)
	if key != q.key || err != nil || q.popped[n] {
		r.report(fmt.Sprintf("%s: element %q is foreign, or came twice", q.key, word))
		return false
	}
	q.popped[n] = true
	return true
}
