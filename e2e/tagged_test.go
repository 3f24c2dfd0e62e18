package e2e

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"

	"ringmaster/internal/testkit"
)

// replyPatience is how long a tagging client waits for a reply before it calls it a
// hang: the proxy's timeout is one second, the rest is for a busy machine.
const replyPatience = 10

// tagger is a client whose every value names the client, the key and a sequence number,
// so that a reply meant for somebody else, or for an earlier request, is seen.
type tagger struct {
	id     int
	addr   string
	rand   *rand.Rand
	conn   *testkit.Conn
	keys   []taggedKey
	seq    int
	lossy  *atomic.Bool // set once servers may have lost data: then a key may be gone
	report func(string) // a foreign or stale reply, or a hang
	tally  *tally

	moves   *toggle                                // keys may change their servers, which keep what they have; nil: they don't
	open    func() (*testkit.Conn, error)          // nil: a connection to addr
	clear   func(text string) bool                 // which errors are right; nil: isClear
	mayFail func(err error) bool                   // which refusals to connect are right; nil: none
	more    []func([]byte) ([]byte, []expectation) // further commands, each as often as one of the others
}

// tally counts what happened to all clients.
type tally struct{ replies, errors, closes atomic.Int64 }

// taggedKey knows what a key may hold.
type taggedKey struct {
	name   string
	acked  int          // sequence of the last SET that answered OK; 0 is none
	at     int64        // tagger.moves when that was sent
	unsure map[int]bool // sequences of SETs that answered an error or nothing
}

// expectation is the judgement of one awaited reply.
type expectation struct {
	what string
	ok   func(v testkit.Value) string // empty, or what is wrong
	fail func()                       // runs when the reply is an error or never comes
	// refused judges an error in place of tagger.clear, as ok does.
	refused func(text string) string
}

const keysPerTagger = 8

func newTagger(id int, addr string, lossy *atomic.Bool, count *tally, report func(string)) *tagger {
	t := &tagger{id: id, addr: addr, rand: rand.New(rand.NewPCG(uint64(id), 7)), lossy: lossy, tally: count, report: report}
	for k := range keysPerTagger {
		t.keys = append(t.keys, taggedKey{name: fmt.Sprintf("c%d:k%d", id, k), unsure: map[int]bool{}})
	}
	return t
}

// tag is the value of a key at a sequence: its names, and filler whose length and
// letters follow from them, so that a torn value is seen too.
func (t *tagger) tag(k *taggedKey, seq int) string {
	head := fmt.Sprintf("%s|%d|", k.name, seq)
	return head + strings.Repeat(string(rune('a'+seq%26)), (t.id*31+seq*97)%700)
}

// run sends batches until stop is closed, connecting again when the proxy closed.
func (t *tagger) run(stop <-chan struct{}) {
	defer func() {
		if t.conn != nil {
			t.conn.Close()
		}
	}()
	for {
		select {
		case <-stop:
			return
		default:
		}
		if err := t.batch(); err != nil {
			t.tally.closes.Add(1)
			t.conn = nil
		}
	}
}

// batch pipelines a few commands and judges their replies.
func (t *tagger) batch() error {
	if t.conn == nil {
		c, err := t.connect()
		if err != nil {
			if t.mayFail == nil || !t.mayFail(err) {
				t.report(fmt.Sprintf("client %d cannot connect: %v", t.id, err))
			}
			return err
		}
		c.Patience = replyPatience * second
		t.conn = c
	}
	var wire []byte
	var awaited []expectation
	for range 1 + t.rand.IntN(5) {
		var e []expectation
		wire, e = t.next(wire)
		awaited = append(awaited, e...)
	}
	err := t.conn.SendBytes(wire)
	for i := range awaited {
		if err == nil {
			err = t.judge(&awaited[i])
		} else if awaited[i].fail != nil {
			awaited[i].fail()
		}
	}
	if err != nil {
		if isTimeout(err) {
			t.report(fmt.Sprintf("client %d hangs: %v", t.id, err))
		}
		t.conn.Close()
	}
	return err
}

func (t *tagger) connect() (*testkit.Conn, error) {
	if t.open != nil {
		return t.open()
	}
	return testkit.Connect(t.addr)
}

func (t *tagger) judge(e *expectation) error {
	raw, err := t.conn.Next()
	if err != nil {
		if e.fail != nil {
			e.fail()
		}
		return err
	}
	t.tally.replies.Add(1)
	v, err := testkit.ParseValue(raw)
	if err != nil {
		t.report(fmt.Sprintf("client %d, %s: %v", t.id, e.what, err))
		return err
	}
	if v.Kind == '-' {
		t.tally.errors.Add(1)
		if e.fail != nil {
			e.fail()
		}
		if wrong := t.refused(e, v.Text); wrong != "" {
			t.report(fmt.Sprintf("client %d, %s: %s", t.id, e.what, wrong))
		}
		return nil
	}
	if wrong := e.ok(v); wrong != "" {
		t.report(fmt.Sprintf("client %d, %s: %s", t.id, e.what, wrong))
	}
	return nil
}

// refused says what is wrong with an error, or nothing.
func (t *tagger) refused(e *expectation, text string) string {
	clear := isClear
	if t.clear != nil {
		clear = t.clear
	}
	switch {
	case e.refused != nil:
		return e.refused(text)
	case !clear(text):
		return fmt.Sprintf("unclear error %q", text)
	}
	return ""
}

// isClear reports whether an error says what happened: the proxy's own words about a server,
// or a server's word that it is not ready.
func isClear(text string) bool {
	return strings.HasPrefix(text, "ERR ") && strings.Contains(text, "server") || strings.HasPrefix(text, "LOADING")
}

// next appends a random command and says what its replies must be.
func (t *tagger) next(wire []byte) ([]byte, []expectation) {
	if n := t.rand.IntN(6 + len(t.more)); n >= 6 {
		return t.more[n-6](wire)
	}
	wire, e := t.command(wire)
	return wire, []expectation{e}
}

// command appends a random command and says what its reply must be.
func (t *tagger) command(wire []byte) ([]byte, expectation) {
	k := &t.keys[t.rand.IntN(len(t.keys))]
	switch t.rand.IntN(6) {
	case 0, 1:
		return t.set(wire, k)
	case 2:
		return t.eval(wire, k)
	case 3:
		return t.mget(wire)
	}
	return testkit.AppendRequest(wire, "GET", k.name), expectation{what: "GET " + k.name, ok: func(v testkit.Value) string {
		return t.mayHold(k, v)
	}}
}

func (t *tagger) set(wire []byte, k *taggedKey) ([]byte, expectation) {
	t.seq++
	seq, at := t.seq, t.moves.now()
	k.unsure[seq] = true // until it is answered
	return testkit.AppendRequest(wire, "SET", k.name, t.tag(k, seq)), expectation{
		what: fmt.Sprintf("SET %s %d", k.name, seq),
		ok: func(v testkit.Value) string {
			if v.Kind != '+' || v.Text != "OK" {
				return fmt.Sprintf("answered %.100s", v)
			}
			delete(k.unsure, seq)
			k.acked, k.at = seq, at
			return ""
		},
	}
}

// eval has a reply that no other request has.
func (t *tagger) eval(wire []byte, k *taggedKey) ([]byte, expectation) {
	t.seq++
	want := t.tag(k, t.seq)
	return testkit.AppendRequest(wire, "EVAL", "return ARGV[1]", "1", k.name, want), expectation{
		what: "EVAL " + k.name,
		ok: func(v testkit.Value) string {
			if v.Text != want {
				return fmt.Sprintf("foreign reply %.100s, want %.60q", v, want)
			}
			return ""
		},
	}
}

func (t *tagger) mget(wire []byte) ([]byte, expectation) {
	args := []string{"MGET"}
	var keys []*taggedKey
	for range 1 + t.rand.IntN(len(t.keys)) {
		k := &t.keys[t.rand.IntN(len(t.keys))]
		keys, args = append(keys, k), append(args, k.name)
	}
	return testkit.AppendRequest(wire, args...), expectation{what: "MGET", ok: func(v testkit.Value) string {
		if v.Kind != '*' || len(v.Elems) != len(keys) {
			return fmt.Sprintf("%d keys answered %.100s", len(keys), v)
		}
		for i, e := range v.Elems {
			if e.Kind == '-' && isClear(e.Text) {
				continue
			}
			if wrong := t.mayHold(keys[i], e); wrong != "" {
				return fmt.Sprintf("value %d: %s", i, wrong)
			}
		}
		return ""
	}}
}

// mayHold says what is wrong with v as the value of k, or nothing.
func (t *tagger) mayHold(k *taggedKey, v testkit.Value) string {
	moved := !t.moves.stayed(k.at)
	if v.Null {
		if k.acked > 0 && !t.lossy.Load() && !moved {
			return fmt.Sprintf("%s is gone, though no server lost data", k.name)
		}
		return ""
	}
	parts := strings.SplitN(v.Text, "|", 3)
	if len(parts) < 3 || parts[0] != k.name {
		return fmt.Sprintf("foreign reply %.100s for %s", v, k.name)
	}
	seq, err := strconv.Atoi(parts[1])
	if err != nil || v.Text != t.tag(k, seq) {
		return fmt.Sprintf("torn value %.100s for %s", v, k.name)
	}
	if moved && seq > 0 && seq <= t.seq {
		return "" // what the server had the last time
	}
	if seq != k.acked && !k.unsure[seq] {
		return fmt.Sprintf("stale reply %d for %s, the last SET was %d", seq, k.name, k.acked)
	}
	return ""
}

// toggle is something that changes while clients look at it. nil never changes.
type toggle struct{ n atomic.Int64 } // odd: it is changing

// change brackets a change.
func (g *toggle) change(do func()) {
	g.n.Add(1)
	do()
	g.n.Add(1)
}

// now is for a later stayed.
func (g *toggle) now() int64 {
	if g == nil {
		return 0
	}
	return g.n.Load()
}

// stayed reports whether nothing has changed since now was before, nor was changing then.
func (g *toggle) stayed(before int64) bool { return before%2 == 0 && g.now() == before }
