package merge

import (
	"strconv"
	"strings"
	"testing"

	"ringmaster/command"
	"ringmaster/parser"
)

// request makes a request of the replies of servers A, B, ... to a command. A reply that begins with "down" is an
// error of the proxy's own.
func request(name string, replies ...string) *Request {
	spec := command.Named(name)
	r := &Request{Spec: spec, Merge: spec.Merge, Texts: testTexts, Limit: -1, Everywhere: everywhere}
	for i, said := range replies {
		said, down := strings.CutPrefix(said, "down")
		r.Parts, r.Servers = append(r.Parts, Part{Reply: []byte(said), Failed: down}), append(r.Servers, string(rune('A'+i)))
	}
	return r
}

func TestRepliesOfSeveralServersBecomeOne(t *testing.T) {
	for _, c := range []struct {
		name, command string
		replies       []string
		change        func(*Request)
		want          string
	}{
		{"numbers are added", "dbsize", []string{":2\r\n", ":-5\r\n", ":40\r\n"}, nil, ":37\r\n"},
		{"the least number", "lastsave", []string{":2\r\n", ":5\r\n"}, nil, ":2\r\n"},
		{"a number and a text", "dbsize", []string{":2\r\n", "+x\r\n"}, nil, "-ERR odd\r\n"},
		{"1 where all say 1", "script|exists", []string{"*2\r\n:1\r\n:1\r\n", "*2\r\n:0\r\n:1\r\n"}, nil, "*2\r\n:0\r\n:1\r\n"},
		{"arrays of two lengths", "script|exists", []string{"*1\r\n:1\r\n", "*2\r\n:0\r\n:1\r\n"}, nil, "-ERR odd\r\n"},
		{"an array cut short", "script|exists", []string{"*1\r\n:1\r\n", "*1\r\n+1\r\n"}, nil, "-ERR odd\r\n"},
		{"in the order of the keys", "mget", []string{"*2\r\n+a\r\n+c\r\n", "*1\r\n$-1\r\n"}, func(r *Request) { r.Order = []int32{0, 1, 0} }, "*3\r\n+a\r\n$-1\r\n+c\r\n"},
		{"an error in place of each value", "mget", []string{"*1\r\n+a\r\n", "down-ERR x\r\n"}, func(r *Request) { r.Order = []int32{1, 0, 1} }, "*3\r\n-ERR x\r\n+a\r\n-ERR x\r\n"},
		{"values that are not there", "mget", []string{"*1\r\n+a\r\n"}, func(r *Request) { r.Order = []int32{0, 0} }, "*2\r\n+a\r\n-ERR short\r\n"},
		{"one array after the other", "keys", []string{"*1\r\n+a\r\n", "*-1\r\n", "*2\r\n+b\r\n+c\r\n"}, nil, "*3\r\n+a\r\n+b\r\n+c\r\n"},
		{"one set after the other", "keys", []string{"~1\r\n+a\r\n", "_\r\n", "~1\r\n+b\r\n"}, nil, "~2\r\n+a\r\n+b\r\n"},
		{"an array and a number", "keys", []string{"*1\r\n+a\r\n", ":1\r\n"}, nil, "-ERR odd\r\n"},
		{"one by chance that is not nil", "randomkey", []string{"+a\r\n", "$-1\r\n", "+c\r\n"}, func(r *Request) { r.Pick = 1 }, "+c\r\n"},
		{"nil when all are", "randomkey", []string{"$-1\r\n", "$-1\r\n"}, func(r *Request) { r.Pick = 1 }, "$-1\r\n"},
		{"a server's error before the proxy's", "dbsize", []string{":2\r\n", "down-ERR down\r\n", "-ERR no\r\n"}, nil, "-ERR no\r\n"},
		{"the first that is no error", "script|kill", []string{"-NOTBUSY x\r\n", "+OK\r\n"}, nil, "+OK\r\n"},
		{"an error when all are", "script|kill", []string{"-NOTBUSY x\r\n", "-NOTBUSY y\r\n"}, nil, "-NOTBUSY x\r\n"},
		{"texts under their servers' names", "latency|doctor", []string{"$2\r\na\n\r\n", "down-ERR b\r\n"}, nil, "$17\r\n# A\na\n\n# B\nERR b\n\r\n"},
		{"the next shard of a SCAN", "scan", []string{"*2\r\n$1\r\n0\r\n*1\r\n+a\r\n"}, scanning(0), "*2\r\n$1\r\n2\r\n*1\r\n+a\r\n"},
		{"the same shard of a SCAN", "scan", []string{"*2\r\n$1\r\n7\r\n*0\r\n"}, scanning(2), "*2\r\n$2\r\n23\r\n*0\r\n"},
		{"the end of a SCAN", "scan", []string{"*2\r\n$1\r\n0\r\n*0\r\n"}, scanning(2), "*2\r\n$1\r\n0\r\n*0\r\n"},
		{"a cursor that is too large", "scan", []string{"*2\r\n$20\r\n18446744073709551615\r\n*0\r\n"}, scanning(0), "-ERR cursor\r\n"},
		{"patterns of the proxy's clients and of others", "pubsub|numpat", []string{":3\r\n", ":1\r\n"}, patterns, ":4\r\n"},
		{"replicas of all, as far behind as they are", "role",
			[]string{role(100, "r1", 90), role(1000, "r2", 1000)}, nil,
			"*3\r\n$6\r\nmaster\r\n:1000\r\n*2\r\n*3\r\n$2\r\nr1\r\n$1\r\n1\r\n$3\r\n990\r\n*3\r\n$2\r\nr2\r\n$1\r\n1\r\n$4\r\n1000\r\n"},
		{"a replica is the answer", "role", []string{role(100, "r1", 90), "*1\r\n$5\r\nslave\r\n"}, nil, "*1\r\n$5\r\nslave\r\n"},
		{"a log, the newest first", "slowlog|get", []string{"*1\r\n" + slow(1, 50, 9, "GET"), "*1\r\n" + slow(7, 60, 3, "GET")}, nil,
			"*2\r\n" + slow(7, 60, 3, "GET") + slow(1, 50, 9, "GET")},
		{"as many entries as asked for", "slowlog|get", []string{"*1\r\n" + slow(1, 50, 9, "GET"), "*1\r\n" + slow(7, 60, 3, "GET")}, func(r *Request) { r.Limit = 1 },
			"*1\r\n" + slow(7, 60, 3, "GET")},
		{"what was for all shards is one entry", "slowlog|get", []string{"*1\r\n" + slow(1, 50, 9, "DBSIZE"), "*1\r\n" + slow(7, 50, 12, "DBSIZE")}, nil,
			"*1\r\n" + slow(7, 50, 12, "DBSIZE")},
		{"a log's length", "slowlog|len", []string{"*1\r\n" + slow(1, 50, 9, "DBSIZE"), "*2\r\n" + slow(7, 50, 12, "DBSIZE") + slow(6, 40, 12, "GET")}, nil, ":2\r\n"},
	} {
		r := request(c.command, c.replies...)
		if c.change != nil {
			c.change(r)
		}
		if got := string(r.Append([]byte("before"))); got != "before"+c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// scanning makes a SCAN over shards 0 and 2 that is at one of them.
func scanning(at uint64) func(*Request) {
	return func(r *Request) { r.Scan = ScanPlace{Shard: at, Base: 3, Shards: []int{0, 2}} }
}

// patterns has the proxy's clients subscribe to two patterns, both at the first server and one at the second.
func patterns(r *Request) {
	r.Merge, r.Patterns = command.MergeSpecial, 2
	r.Parts[0].Patterns, r.Parts[1].Patterns = 1, 2
}

func role(offset int, replica string, at int) string {
	digits := strconv.Itoa(at)
	return "*3\r\n$6\r\nmaster\r\n" + string(parser.AppendInt(nil, int64(offset))) +
		"*1\r\n*3\r\n$2\r\n" + replica + "\r\n$1\r\n1\r\n$" + strconv.Itoa(len(digits)) + "\r\n" + digits + "\r\n"
}

func slow(id, at, took int64, word string) string {
	b := parser.AppendArray(nil, 4)
	for _, n := range []int64{id, at, took} {
		b = parser.AppendInt(b, n)
	}
	return string(parser.AppendBulkString(parser.AppendArray(b, 1), word))
}

func TestARequestCanBeUsedAgain(t *testing.T) {
	r := request("memory|stats", "*2\r\n+keys.count\r\n:1\r\n", "down-ERR x\r\n")
	if got := string(r.Append(nil)); !strings.Contains(got, "servers.missing\r\n$1\r\nB\r\n") {
		t.Errorf("%q does not name B", got)
	}
	r.Parts = append(r.Parts[:0], request("memory|stats", "*2\r\n+keys.count\r\n:1\r\n").Parts...)
	if got := string(r.Append(nil)); got != "*2\r\n$10\r\nkeys.count\r\n:1\r\n" {
		t.Errorf("%q", got)
	}
}

// Joining in steps gives the same result as joining at once.
func TestStepsMakeTheSameReply(t *testing.T) {
	mget := func() *Request {
		r := request("mget", "*2\r\n$1\r\na\r\n$-1\r\n", "down-ERR x\r\n", "*1\r\n*1\r\n:1\r\n")
		r.Order = []int32{2, 1, 0, 0, 0}
		return r
	}
	r := mget()
	r.OpenArrays()
	got := parser.AppendArray(nil, len(r.Order))
	for _, i := range r.Order {
		got = r.AppendNext(got, int(i))
	}
	if want := string(mget().Append(nil)); string(got) != want {
		t.Errorf("MGET: %q, want %q", got, want)
	}

	keys := []string{"*2\r\n$1\r\na\r\n$5\r\nlong!\r\n", "*-1\r\n", "*1\r\n$1\r\nb\r\n"}
	r = request("keys", keys...)
	got, ok := r.OpenConcat(nil)
	for i := range r.Parts {
		for last := !ok; !last; {
			var b []byte
			b, last = r.Take(i, 3)
			got = append(got, b...)
		}
	}
	if b, last := r.Take(0, -1); len(b) > 0 || !last {
		t.Errorf("%q comes after the end", b)
	}
	if want := string(request("keys", keys...).Append(nil)); string(got) != want {
		t.Errorf("KEYS: %q, want %q", got, want)
	}

	exist := []string{"*2\r\n:1\r\n:1\r\n", "*2\r\n:1\r\n:0\r\n"}
	r = request("script|exists", exist...)
	n, _ := r.OpenNumbers()
	got = parser.AppendArray(nil, n)
	for range n {
		sum, _ := r.FoldNext()
		got = parser.AppendInt(got, sum)
	}
	if want := string(request("script|exists", exist...).Append(nil)); string(got) != want {
		t.Errorf("SCRIPT EXISTS: %q, want %q", got, want)
	}
	if _, ok := r.FoldNext(); ok {
		t.Error("there are more numbers than there are")
	}
}

func TestEveryCommandForAllShardsHasAMergeAndWords(t *testing.T) {
	for name := range specials {
		if spec := command.Named(name); spec == nil || !Joins(spec) {
			t.Errorf("%s: no such command, or no merge", name)
		}
	}
	for _, spec := range command.All() {
		if Words(spec) == "" || Joins(spec) == strings.HasPrefix(Words(spec), "error") {
			t.Errorf("%s: %q, though it can be joined: %t", spec.Name, Words(spec), Joins(spec))
		}
	}
}

func TestHotMergesAllocateNothing(t *testing.T) {
	dst := make([]byte, 0, 1<<10)
	for name, replies := range map[string][]string{
		"mget": {"*2\r\n$1\r\na\r\n$-1\r\n", "*1\r\n$1\r\nb\r\n"}, "del": {":1\r\n", ":0\r\n"}, "mset": {"+OK\r\n", "+OK\r\n"},
		"scan": {"*2\r\n$1\r\n5\r\n*1\r\n$1\r\na\r\n"}, "script|exists": {"*1\r\n:1\r\n", "*1\r\n:0\r\n"},
	} {
		r := request(name, replies...)
		r.Order, r.Scan = []int32{0, 1, 0}, ScanPlace{Base: 2, Shards: []int{0, 1}}
		if n := testing.AllocsPerRun(100, func() {
			for i := range r.Parts {
				r.Parts[i].off = 0
			}
			dst = r.Append(dst[:0])
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// FuzzAppend: for any RESP replies of the servers nothing panics, and the result is one reply.
func FuzzAppend(f *testing.F) {
	var names []string
	for _, spec := range command.All() {
		if _, special := specials[spec.Name]; special || spec.Class == command.ClassSplit || spec.Class == command.ClassAllShards {
			names = append(names, spec.Name)
		}
	}
	for i, said := range []string{
		":1\r\n:2\r\n", "*1\r\n+a\r\n*0\r\n_\r\n", "%1\r\n+calls\r\n:1\r\n", "$-1\r\n-ERR x\r\n!5\r\nERR x\r\n", role(1, "r1", 2) + role(3, "r2", 4),
		"*1\r\n" + slow(1, 2, 3, "GET"), "$23\r\n# Memory\r\nused_memory:1\r\n\r\n=5\r\ntxt:x\r\n", "*2\r\n$1\r\n0\r\n*0\r\n",
	} {
		f.Add(uint(i), []byte(said))
	}
	f.Fuzz(func(t *testing.T, which uint, said []byte) {
		r := request(names[which%uint(len(names))])
		r.Order, r.Scan = []int32{0, 0}, ScanPlace{Base: 2, Shards: []int{0, 1}}
		for n := parser.ElementEnd(said); n > 0 && len(r.Parts) < 4; n = parser.ElementEnd(said) {
			r.Parts, r.Servers = append(r.Parts, Part{Reply: said[:n]}), append(r.Servers, "A")
			said = said[n:]
		}
		if len(r.Parts) == 0 {
			t.Skip()
		}
		got := r.Append(nil)
		if n := parser.ElementEnd(got); n != len(got) {
			t.Fatalf("%s: %q is joined from %v", r.Spec.Name, got, r.Parts)
		}
	})
}
