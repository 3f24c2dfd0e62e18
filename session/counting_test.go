package session_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ringmaster/command"
	"ringmaster/session"
	"ringmaster/stats"
)

// callTally is what the clients of a random run know of the commands that were answered.
type callTally struct {
	calls  map[string]uint64
	errors uint64 // replies that were
	unseen uint64 // commands of clients that have gone, whose replies nobody has seen
}

// counted takes notice of a reply.
func (a *actor) counted(q question, reply []byte) {
	a.answered++
	t := &a.tally
	if q.name == "" {
		return
	}
	if t.calls == nil {
		t.calls = map[string]uint64{}
	}
	if t.calls[q.name]++; session.IsError(reply) {
		t.errors++
	}
}

// countedUnseen takes notice of replies that had come to their end when the client went, and that it has not seen.
func (a *actor) countedUnseen() {
	a.tally.unseen += uint64(len(a.asked))
	for _, q := range a.asked[:a.session.Slots.Head()-a.answered] {
		a.counted(q, nil)
	}
}

// judgeCounts looks whether each command that was answered is counted once, and each error.
func (c *chaos) judgeCounts() {
	if diff := cmp.Diff(c.tally.calls, c.world.calls()); diff != "" {
		c.tb.Errorf("answered (-) and counted (+): %s", diff)
	}
	errors := uint64(0)
	for _, n := range c.world.errors() {
		errors += n
	}
	if errors < c.tally.errors || errors > c.tally.errors+c.tally.unseen {
		c.tb.Errorf("%d errors are counted, %d were answered, and %d replies were not seen", errors, c.tally.errors, c.tally.unseen)
	}
}

func TestRecordsAreSmall(t *testing.T) {
	if n := session.SlotSize; n > 24 {
		t.Errorf("a reply slot takes %d bytes", n)
	}
	if n := session.Size; n > 288 { // a size class of the allocator; thousands of clients are idle
		t.Errorf("a session has %d bytes", n)
	}
}

// calls are the commands that were counted, by name.
func (w *world) calls() map[string]uint64 {
	got := map[string]uint64{}
	w.view().EachCommand(func(name string, latency *stats.Histogram) { got[name] = latency.Count() })
	return got
}

// errors are the errors that were counted, by command and code.
func (w *world) errors() map[string]uint64 {
	got := map[string]uint64{}
	w.view().EachError(func(name, code string, n uint64) { got[name+" "+code] = n })
	return got
}

func (w *world) view() *stats.View {
	v := &stats.View{Loops: []stats.Loop{*w.stats}}
	for _, spec := range command.All() {
		v.Commands = append(v.Commands, spec.Name)
	}
	return v
}

// counting is a world in which commands are counted.
type counting struct {
	*world
	client *clientEnd
}

func newCounting(t *testing.T, s settings) *counting {
	w := newWorld(t, s)
	return &counting{w, w.connect("a")}
}

func (c *counting) sends(text string) {
	c.tb.Helper()
	b, err := requests(text)
	if err != nil {
		c.tb.Fatal(err)
	}
	c.client.send(b)
	c.settle()
}

func (c *counting) answers(end, text string) {
	c.tb.Helper()
	b, err := replies(text)
	if err != nil {
		c.tb.Fatal(err)
	}
	c.servers[end].answer(b)
	c.settle()
}

// judge compares what was counted with what should have been, and ends the world.
func (c *counting) judge(calls, errors map[string]uint64) {
	c.tb.Helper()
	if diff := cmp.Diff(calls, c.calls()); diff != "" {
		c.tb.Errorf("calls: %s", diff)
	}
	if diff := cmp.Diff(errors, c.errors()); diff != "" {
		c.tb.Errorf("errors: %s", diff)
	}
	for _, s := range c.ends {
		s.in = nil
	}
	c.client.in = nil
	c.end()
}

func TestEveryCallIsCountedOnce(t *testing.T) {
	s := defaults()
	s.passwords = []string{"secret"}
	c := newCounting(t, s)
	c.sends("GET x | AUTH wrong | AUTH secret | SELECT x | SELECT 1 | SELECT | HELLO 9 | PING | PING a b | CLIENT SETNAME \"a b\" | RENAME {A}x {B}x")
	c.sends("GET {A}x | GET {B}x | MGET {A}x {B}x | SCAN 0 | SCAN x")
	for _, end := range []string{"A.db1", "B.db1"} {
		for range c.servers[end].requests() {
			c.answers(end, "-WRONG x")
		}
	}
	c.judge(
		map[string]uint64{"get": 3, "auth": 2, "select": 3, "hello": 1, "ping": 2, "client|setname": 1, "rename": 1, "mget": 1, "scan": 2},
		map[string]uint64{
			"get NOAUTH": 1, "get WRONG": 2, "auth WRONGPASS": 1, "select ERR": 2, "hello NOPROTO": 1, "ping ERR": 1, "client|setname ERR": 1,
			"rename CROSSSLOT": 1, "scan ERR": 1, "scan WRONG": 1,
		})
}

func TestWhatHasNoReplyIsCountedToo(t *testing.T) {
	c := newCounting(t, defaults())
	c.sends("CLIENT REPLY SKIP | ECHO x | CLIENT REPLY OFF | CLIENT REPLY SKIP | GET {A}x | CLIENT REPLY x | CLIENT REPLY ON | SUBSCRIBE {A}c | SUBSCRIBE {A}c {A}d | UNSUBSCRIBE")
	c.answers("A", "-WRONG x")
	c.answers("A", `["subscribe", "{A}c", :1] | ["pong", ""]`)
	c.judge(
		map[string]uint64{"client|reply": 5, "echo": 1, "get": 1},
		map[string]uint64{"client|reply ERR": 1, "get WRONG": 1})
}

func TestAReplicasStreamIsCountedAsItsCommands(t *testing.T) {
	s := defaults()
	s.servers, s.session.AdminCommands = []string{"A"}, true
	c := newCounting(t, s)
	c.sends("PSYNC ? -1")
	c.sends("REPLCONF ACK 0")
	c.sends("REPLCONF ACK 1")
	c.judge(map[string]uint64{"psync": 1, "replconf": 2}, map[string]uint64{})
}

func TestWhatIsRefusedOnItsWayIsCountedOnce(t *testing.T) {
	s := defaults()
	s.servers, s.upstream.Resend = []string{"A"}, true
	c := newCounting(t, s)
	c.sends("GET {A}x | MULTI | SET {A}x 1 | EXEC")
	c.answers("A", "-LOADING Redis is loading the dataset in memory")
	c.answers("A", "+OK | []")
	c.pass(50 * time.Millisecond)
	c.answers("A", "-LOADING Redis is loading the dataset in memory")
	c.pass(2 * time.Second)
	c.judge(
		map[string]uint64{"get": 1, "multi": 1, "set": 1, "exec": 1},
		map[string]uint64{"get ERR": 1, "exec ERR": 1})
}

func TestNamesThatAreNoCommandsAreNotCounted(t *testing.T) {
	c := newCounting(t, defaults())
	c.sends("PING | NOSUCH | CLIENT NOSUCH")
	c.answers("A", "[nil]")
	c.sends("*1 x")
	c.judge(map[string]uint64{"ping": 1, "client": 1}, map[string]uint64{"client ERR": 1})
}

// TestCommandsOfATransactionAreCountedWhenTheyAreQueued says which: those that EXEC runs here, too, and those that nothing ever runs.
func TestCommandsOfATransactionAreCountedWhenTheyAreQueued(t *testing.T) {
	s := defaults()
	s.servers = []string{"A"}
	c := newCounting(t, s)
	c.sends("MULTI | CLIENT ID | GET x | SELECT 1 | CLIENT REPLY x | DBSIZE | EXEC | MULTI | CLIENT ID | GET x | DISCARD | MULTI | GET | EXEC | DISCARD")
	c.answers("A", "+OK | []")
	c.answers("A", `+OK | +QUEUED | +QUEUED | +QUEUED | ["x", +OK, -ERR x] | +OK`)
	c.judge(
		map[string]uint64{"multi": 3, "client|id": 2, "client|reply": 1, "get": 3, "select": 1, "dbsize": 1, "exec": 2, "discard": 2},
		map[string]uint64{"get ERR": 1, "exec EXECABORT": 1, "discard ERR": 1})
}

func TestACallTakesAllTheTimeUntilItsReplyEnds(t *testing.T) {
	s := defaults()
	s.session.AdminCommands = true
	c := newCounting(t, s)
	c.sends("GET {A}x | GET {B}x")
	c.answers("B", `"b"`)
	c.pass(100 * time.Millisecond)
	c.answers("A", `"a"`)
	c.sends("CLIENT PAUSE 300 WRITE")
	for _, end := range c.names {
		c.answers(end, "+OK")
	}
	c.sends("SET {A}x 1")
	c.pass(200 * time.Millisecond)
	c.answers("A.own", "+OK")
	for name, want := range map[string]time.Duration{"get": 100 * time.Millisecond, "set": 200 * time.Millisecond} {
		l := &c.stats.Command(command.Lookup([]byte(name)).ID).Latency
		if got := time.Duration(l.Sum) / time.Duration(l.Count()); got != want {
			t.Errorf("%s took %v, and %v were counted", name, want, got)
		}
	}
	c.client.in = nil
	c.end()
}

func TestWhatAClientThatHasGoneDoesNotGetIsNotCounted(t *testing.T) {
	c := newCounting(t, defaults())
	c.sends("PING | GET {A}x | GET {A}y")
	c.answers("A", `"x"`)
	c.client.leave()
	c.answers("A", "-WRONG y")
	c.judge(map[string]uint64{"ping": 1, "get": 1}, map[string]uint64{})
}
