package merge

import (
	"math/rand/v2"
	"testing"

	"ringmaster/command"
	"ringmaster/parser"
)

// testTexts are the errors of a joining in these tests.
var testTexts = &Texts{Odd: "ERR odd", Short: "ERR short", Cursor: "ERR cursor"}

// everywhere are the commands for all shards, without any settings.
var everywhere = func() []bool {
	set := make([]bool, len(command.All()))
	for _, spec := range command.All() {
		set[spec.ID] = spec.Class == command.ClassAllShards
	}
	return set
}()

// For any RESP replies of the servers, the joined reply is one whole reply.
func TestJoinedRepliesAreWhole(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200_000 / max(1, len(specials)) {
		for name := range specials {
			joinsWhole(t, rng, command.Named(name), command.MergeSpecial)
		}
		for m := command.MergeSum; m < command.MergeSpecial; m++ {
			joinsWhole(t, rng, command.Named("dbsize"), m)
		}
	}
}

func joinsWhole(t *testing.T, rng *rand.Rand, spec *command.Spec, m command.Merge) {
	t.Helper()
	r := &Request{
		Spec: spec, Merge: m, Texts: testTexts, Limit: int64(rng.IntN(4) - 1), Scan: ScanPlace{Base: 2, Shards: []int{0, 1}},
		Pick: rng.IntN(3), Clients: 7, Patterns: 1, Cluster: rng.IntN(2) == 0, Everywhere: everywhere,
	}
	var said []string
	like := randomReply(rng, spec, 3)
	for i := range 3 {
		b := like
		if i > 0 && rng.IntN(3) == 0 {
			b = randomReply(rng, spec, 3)
		}
		r.Parts, r.Servers = append(r.Parts, Part{Reply: b}), append(r.Servers, "A")
		said = append(said, string(b))
	}
	got := r.Append(nil)
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
