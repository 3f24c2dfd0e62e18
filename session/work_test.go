package session_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/session/gather"
)

// serve answers what the servers have received, until they receive no more.
func (w *world) serve() {
	w.tb.Helper()
	for served := true; served; {
		w.settle()
		served = false
		for _, s := range w.ends {
			if !s.closed && len(s.in) > 0 {
				served = true
				s.answer(s.replies())
			}
		}
	}
}

// replies is what a server says to what it has received.
func (s *serverEnd) replies() (b []byte) {
	for _, args := range s.requests() {
		switch verb := strings.ToLower(args[0]); {
		case verb == "multi":
			s.multi = [][]string{args}
			b = append(b, "+OK\r\n"...)
		case verb == "exec":
			b = parser.AppendArray(b, len(s.multi)-1)
			for range s.multi[1:] {
				b = append(b, "+OK\r\n"...)
			}
			s.multi = nil
		case s.multi != nil:
			s.multi = append(s.multi, args)
			b = append(b, "+QUEUED\r\n"...)
		case strings.HasSuffix(verb, "subscribe"):
			b = append(b, fmt.Sprintf(">3\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n:1\r\n", len(verb), verb, len(args[1]), args[1])...)
		case verb == "mget":
			b = parser.AppendArray(b, len(args)-1)
			for _, key := range args[1:] {
				b = parser.AppendBulkString(b, key)
			}
		case verb == "keys":
			b = parser.AppendArray(b, 3*many)
			for i := range 3 * many {
				b = parser.AppendBulkString(b, fmt.Sprintf("key:%010d", i))
			}
		case verb == "pubsub":
			b = parser.AppendArray(b, 2*(len(args)-2))
			for _, name := range args[2:] {
				b = parser.AppendInt(parser.AppendBulkString(b, name), 1)
			}
		case verb == "script":
			b = parser.AppendArray(b, len(args)-2)
			for range args[2:] {
				b = append(b, ":1\r\n"...)
			}
		case verb == "del":
			b = parser.AppendInt(b, int64(len(args)-1))
		case verb == "ping":
			b = append(b, "+PONG\r\n"...)
		case verb == "set":
			b = append(b, "+OK\r\n"...)
		default:
			s.w.tb.Fatalf("a server was told %.100q", args)
		}
	}
	return b
}

// many is the number of words, names or commands that a client sends to make the loop work.
const many = 20_000

// longCommands are what a client can make long, by the number of clients or of words.
var longCommands = []struct {
	name            string
	before, request []byte // what the client sends
	counts          string // that its answer has so often
	times           int    // 0: as there are clients
	turns           int    // that it takes at least
}{
	{name: "CLIENT LIST", request: said("CLIENT LIST"), counts: "id=", turns: 4},
	{name: "CLIENT LIST, often", request: bytes.Repeat(said("CLIENT LIST TYPE normal"), 5), counts: "id=", times: 5 * crowded, turns: 20},
	{name: "CLIENT LIST ID", request: numbered(many, "CLIENT LIST ID", "%d"), counts: "id=", times: crowded, turns: 8},
	{name: "CLIENT LIST ID of one client", request: parser.AppendRequest(nil, append([]string{"CLIENT", "LIST", "ID"}, slices.Repeat([]string{"1"}, many)...)...), counts: "id=1 ", times: many, turns: 8},
	{name: "CLIENT KILL", request: said("CLIENT KILL TYPE normal"), counts: fmt.Sprintf(":%d\r\n", crowded-1), times: 1, turns: 50},
	{name: "CLIENT INFO, often", request: bytes.Repeat(said("CLIENT INFO"), many), counts: "id=1 ", times: many, turns: 8},
	{name: "CLUSTER SLOTS, often", request: bytes.Repeat(said("CLUSTER SLOTS"), many), counts: ":16383\r\n", times: many, turns: 3},
	{name: "an error, often", request: bytes.Repeat(said("CLIENT REPLY what"), many), counts: "-ERR", times: many, turns: 2},
	{name: "EXEC of what the proxy answers", request: inMulti(bytes.Repeat(said("CLIENT INFO"), many)), counts: "id=1 ", times: many, turns: 8},
	{name: "EXEC of what both answer", request: inMulti(bytes.Repeat(append(said("CLIENT INFO"), said("SET {A}1 x")...), many)), counts: "id=1 ", times: many, turns: 8},
	{name: "SUBSCRIBE", request: numbered(many, "SUBSCRIBE", "{A}%d"), counts: "$9\r\nsubscribe", times: many, turns: 40},
	{name: "UNSUBSCRIBE", before: numbered(many, "SUBSCRIBE", "{A}%d"), request: said("UNSUBSCRIBE"), counts: "unsubscribe", times: many, turns: 40},
	{name: "UNSUBSCRIBE in a transaction", before: append(said("HELLO 3"), numbered(many, "SUBSCRIBE", "{A}%d")...), request: inMulti(said("UNSUBSCRIBE")),
		counts: "unsubscribe", times: many, turns: 20},
	{name: "MGET", request: numbered(many, "MGET", "{A}%d", "{B}%d", "{C}%d"), counts: "{", times: 3 * many, turns: 20},
	{name: "MGET of one shard", request: numbered(many, "MGET", "{A}%d"), counts: "{", times: many, turns: 3},
	{name: "DEL", request: numbered(many, "DEL", "{A}%d", "{B}%d", "{C}%d"), counts: fmt.Sprintf(":%d\r\n", 3*many), times: 1, turns: 10},
	{name: "RESET", before: numbered(many, "SUBSCRIBE", "{A}%d"), request: said("RESET"), counts: "+RESET", times: 1, turns: 20},
	{name: "PUBSUB NUMSUB", request: numbered(many, "PUBSUB NUMSUB", "channel-%d"), counts: ":3\r\n", times: many, turns: 4},
	{name: "SCRIPT EXISTS", request: numbered(3*many, "SCRIPT EXISTS", "%040d"), counts: ":1\r\n", times: 3 * many, turns: 6},
	{name: "SUBSCRIBE in a transaction", request: inMulti(numbered(many, "SUBSCRIBE", "{A}%d")), counts: "$9\r\nsubscribe", times: many, turns: 20},
	{name: "CLIENT LIST in a transaction", request: inMulti(bytes.Repeat(said("CLIENT LIST"), 3)), counts: "id=", times: 3 * crowded, turns: 10},
	{name: "KEYS", request: said("KEYS *"), counts: "key:", times: 9 * many, turns: 3},
}

// crowded is the number of clients.
const crowded = 4000

// said is a request, its words separated by spaces.
func said(words string) []byte { return parser.AppendRequest(nil, strings.Fields(words)...) }

// numbered is a request with n times the patterns' words behind its first ones.
func numbered(n int, first string, patterns ...string) []byte {
	words := strings.Fields(first)
	for i := range n {
		for _, p := range patterns {
			words = append(words, fmt.Sprintf(p, i))
		}
	}
	return parser.AppendRequest(nil, words...)
}

func inMulti(commands []byte) []byte {
	return append(append(said("MULTI"), commands...), said("EXEC")...)
}

// What a client can make long is made in pieces: no turn sees much more than turnWork, and nothing is missing in the end.
func TestWhatTakesLongIsDoneInPieces(t *testing.T) {
	for _, c := range longCommands {
		t.Run(c.name, func(t *testing.T) {
			w := crowdedWorld(t)
			a := w.clients["a"]
			a.send(c.before)
			w.serve()
			a.in = nil
			w.env.Spent = 0
			w.turns, w.busiest = 0, 0
			a.send(c.request)
			w.serve()
			times := c.times
			if times == 0 {
				times = crowded
			}
			if got := bytes.Count(a.in, []byte(c.counts)); got != times {
				t.Errorf("the answer has %q %d times, not %d: %.300q", c.counts, got, times, a.in)
			}
			if w.turns < c.turns || w.busiest > session.TurnWork+session.PieceWork {
				t.Errorf("%d turns, of which one has seen %d units of work", w.turns, w.busiest)
			}
			// In Redis, too, each name is an element of EXEC's reply that its length does not count.
			if whole, n := wholeReplies(a.in); whole != len(a.in) && !strings.HasSuffix(c.name, "SUBSCRIBE in a transaction") {
				t.Errorf("behind %d replies the client got %.100q", n, a.in[whole:])
			}
			w.end()
		})
	}
}

func crowdedWorld(tb testing.TB) *world {
	s := defaults()
	s.session.QueryBufferLimit, s.session.OutputLimit, s.session.SubscriberOutputLimit = 64<<20, 1<<30, 1<<30
	s.upstream.MaxPending, s.upstream.MaxPendingBytes = 1<<20, 64<<20
	s.session.MaxInFlightBytes = 64 << 20
	s.session.Cluster.Enabled = true
	w := newWorld(tb, s)
	w.connect("a")
	for i := range crowded - 1 {
		w.connect(fmt.Sprint("b", i))
	}
	return w
}

// wholeReplies is how many bytes of b are whole replies, and how many replies.
func wholeReplies(b []byte) (size, n int) {
	for size < len(b) {
		var scan parser.ReplyScanner
		used, st := scan.Scan(b[size:])
		if st != parser.Done {
			break
		}
		size, n = size+used, n+1
	}
	return size, n
}

// A client that goes, or is killed, while its long command is under way leaves nothing behind.
func TestAClientMayGoWhileItsLongCommandIsUnderWay(t *testing.T) {
	for _, c := range longCommands {
		for _, how := range []string{"goes", "is killed", "is asked to finish"} {
			t.Run(c.name+", "+how, func(t *testing.T) {
				w := crowdedWorld(t)
				a := w.clients["a"]
				a.send(c.before)
				w.serve()
				a.in = nil
				a.send(c.request)
				for range 2 {
					w.env.Work()
					w.env.Resume()
					w.pool.Flush()
					w.env.Flush()
				}
				switch how {
				case "goes":
					a.leave()
				case "is killed":
					w.connect("killer").send(said("CLIENT KILL ID 1"))
				default:
					a.session.Drain()
				}
				w.serve()
				if !a.closed && how != "is asked to finish" {
					t.Error("it is still there")
				}
				if whole, n := wholeReplies(a.in); how == "is asked to finish" && whole != len(a.in) && !strings.HasSuffix(c.name, "SUBSCRIBE in a transaction") {
					t.Errorf("behind %d replies the client got %.100q", n, a.in[whole:])
				}
				if w.env.HasWork() {
					t.Error("there is work left")
				}
				w.end()
			})
		}
	}
}

// A client that does not read has no more made of a reply than it may leave unread; when it reads, the rest follows, and all is there.
// Requests are another matter: one that sends many may be about to read.
func TestWhatTakesLongWaitsForItsReader(t *testing.T) {
	for _, c := range longCommands {
		t.Run(c.name, func(t *testing.T) {
			w := crowdedWorld(t)
			a := w.clients["a"]
			a.send(c.before)
			w.serve()
			a.in, a.full = nil, true
			a.send(c.request)
			most, size := 0, 0
			for {
				w.serve()
				w.pass(10 * time.Millisecond)
				n := len(a.stuck)
				if w.env.Stats.ClientPauses == 0 { // without a pause it may be stuck in writing
					most = max(most, n)
				}
				if size == 0 && n > 0 && (c.name == "KEYS" || c.name == "CLIENT LIST") {
					size = w.env.UnreadOutput()
				}
				if a.session.Owed() == 0 && !a.session.Waits() && !w.env.HasWork() && n == 0 {
					break
				}
				a.readSome(min(n, 300_000))
			}
			times := c.times
			if times == 0 {
				times = crowded
			}
			if got := bytes.Count(a.in, []byte(c.counts)); got != times {
				t.Errorf("the answer has %q %d times, not %d: %.300q", c.counts, got, times, a.in)
			}
			if !strings.HasSuffix(c.name, ", often") && most > session.SlowReader+2*session.PieceWork {
				t.Errorf("%d bytes were made that nobody had read", most)
			}
			if size > 0 && size < len(a.in)*9/10 {
				t.Errorf("%d bytes are counted of which a reply of %d is made", size, len(a.in))
			}
			if n := w.env.UnreadOutput(); n != 0 {
				t.Errorf("%d bytes are counted in the end", n)
			}
			w.end()
		})
	}
}

// One whose input waits, too, may be stuck in writing, and reads nothing before it has written all: it gets more.
func TestALongReplyGoesOnWhileItsClientMayBeStuckInWriting(t *testing.T) {
	w := crowdedWorld(t)
	a := w.clients["a"]
	a.full = true
	a.send(said("KEYS *"))
	w.serve()
	w.pass(10 * time.Millisecond)
	if n := len(a.stuck); n > session.SlowReader+2*session.PieceWork {
		t.Fatalf("%d bytes were made that nobody had read", n)
	}
	a.send(said("SET {A}1 x")) // the last that goes out while so much is unread
	a.send(said("SET {A}1 " + strings.Repeat("x", 2*session.PauseAt)))
	for range 100 {
		w.pass(10 * time.Millisecond)
	}
	if whole, n := wholeReplies(a.stuck); n != 1 || whole < 9*many*20 || !a.paused {
		t.Errorf("%d bytes of %d replies were made, paused: %t", len(a.stuck), n, a.paused)
	}
	a.leave()
	w.serve()
	w.end()
}

// Before its turn nothing is made of a long reply: its parts would stand in memory twice.
func TestALongReplyIsMadeAtItsTurn(t *testing.T) {
	w := crowdedWorld(t)
	a := w.clients["a"]
	a.send(append(said("GET {A}1"), said("MGET {B}1 {C}1")...))
	w.settle()
	var first *serverEnd
	for _, s := range w.ends {
		for _, args := range s.requests() {
			if args[0] == "GET" {
				first = s
				continue
			}
			s.answer(parser.AppendBulkString(parser.AppendArray(nil, 1), strings.Repeat("x", 2*gather.LongParts)))
		}
	}
	w.settle()
	if n := a.session.KeptOfLatest(); n > 0 {
		t.Errorf("%d bytes are made before their turn", n)
	}
	first.answer([]byte("$-1\r\n"))
	w.serve()
	if whole, n := wholeReplies(a.in); n != 2 || whole != len(a.in) || whole < 4*gather.LongParts {
		t.Errorf("%d replies came, %d bytes of %d", n, whole, len(a.in))
	}
	w.end()
}
