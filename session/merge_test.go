package session

import (
	"math/rand/v2"
	"testing"

	"github.com/valyala/bytebufferpool"

	"ringmaster/command"
	"ringmaster/parser"
)

// Whatever the servers answer, as long as it is RESP, the joined reply is one whole reply.
func TestJoinedRepliesAreWhole(t *testing.T) {
	w := newWorld(t, defaults())
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200_000 / max(1, len(specialMerges)) {
		for name := range specialMerges {
			joinsWhole(t, w, rng, specOf(name), command.MergeSpecial)
		}
		for m := command.MergeSum; m < command.MergeSpecial; m++ {
			joinsWhole(t, w, rng, specOf("dbsize"), m)
		}
	}
}

func joinsWhole(t *testing.T, w *world, rng *rand.Rand, spec *command.Spec, m command.Merge) {
	t.Helper()
	g := &gather{env: w.env, spec: spec, merge: m, limit: int64(rng.IntN(4) - 1), scan: scanPlace{base: 2, shards: []int{0, 1}}}
	var said []string
	like := randomReply(rng, spec, 3)
	for i := range 3 {
		b := like
		if i > 0 && rng.IntN(3) == 0 {
			b = randomReply(rng, spec, 3)
		}
		g.parts = append(g.parts, part{buf: &bytebufferpool.ByteBuffer{B: b}})
		said = append(said, string(b))
	}
	got := g.join(nil)
	var s parser.ReplyScanner
	if n, st := s.Scan(got); st != parser.Done || n != len(got) {
		t.Fatalf("%s, %v of %q: %q", spec.Name, m, said, got)
	}
}

var vocabulary = map[string][]string{
	"acl|log":           {"age-seconds", "count"},
	"latency|histogram": {"calls", "histogram_usec", "get"},
	"memory|stats":      {"keys.count", "total.allocated", "keys.bytes-per-key", "peak.percentage", "peak.allocated", "db.0"},
	"function|stats":    {"running_script", "engines", "LUA"},
	"role":              {"master", "slave", "1", "127.0.0.1"},
	"info":              {"# Memory\r\nused_memory:1\r\n", "# Keyspace\r\ndb0:keys=1\r\n"},
}

// randomReply makes a reply of any shape, with the words that a command's replies have.
func randomReply(rng *rand.Rand, spec *command.Spec, depth int) []byte {
	names := append([]string{"", "x", "17"}, vocabulary[spec.Name]...)
	text := names[rng.IntN(len(names))]
	kind := rng.IntN(16)
	if depth == 0 {
		kind = rng.IntN(10)
	}
	switch kind {
	case 0, 1, 2:
		return parser.AppendInt(nil, int64(rng.Uint64()>>rng.IntN(64)))
	case 3, 4, 5:
		return parser.AppendBulkString(nil, text)
	case 6:
		return []byte([]string{"+OK\r\n", ",1.5\r\n", ",nan\r\n", "#t\r\n", "(12\r\n", "=7\r\ntxt:abc\r\n"}[rng.IntN(6)])
	case 7:
		return []byte([]string{"_\r\n", "$-1\r\n", "*-1\r\n"}[rng.IntN(3)])
	case 8:
		return []byte([]string{"-ERR x\r\n", "!5\r\nERR x\r\n"}[rng.IntN(2)])
	case 9:
		return parser.AppendBulkString(nil, text)
	}
	n := rng.IntN(5)
	var b []byte
	switch kind {
	case 10:
		b = parser.AppendMap(nil, n)
		n *= 2
	case 11:
		b = []byte{'~', byte('0' + n), '\r', '\n'}
	case 12:
		b = append([]byte("|1\r\n+a\r\n+b\r\n"), parser.AppendArray(nil, n)...)
	default:
		b = parser.AppendArray(nil, n)
	}
	for range n {
		b = append(b, randomReply(rng, spec, depth-1)...)
	}
	return b
}
