package session

import (
	"bytes"
	"math"
	"slices"
	"strconv"

	"ringmaster/command"
	"ringmaster/parser"
)

// defaultEntries is how many entries SLOWLOG GET and ACL LOG give when no number is asked for.
const defaultEntries = 10

// entryLimit is the number of entries that a request for a log asks for; below 0: all.
func entryLimit(args [][]byte) int64 {
	if len(args) < 3 {
		return defaultEntries
	}
	if n, ok := parser.Int(args[2]); ok {
		return n
	}
	return -1
}

// entry is one of a log; rank is higher the newer it is.
type entry struct {
	rank float64
	raw  []byte
	once []byte // the words of a request for all shards, which is to be one entry; nil: it was for this shard
	took int64
}

// joinSlowLog joins entries such as [id, time, microseconds, words, ...].
func (g *gather) joinSlowLog(dst []byte) []byte {
	return g.newest(dst, g.slowEntry)
}

func (g *gather) slowEntry(b []byte) (entry, bool) {
	e, ok := elementsOf(b)
	e.next()
	at, ok2 := e.integer()
	took, _ := e.integer()
	l := entry{rank: float64(at), took: took}
	if words := e.next(); g.env.forAllShards(words) {
		l.once = words
	}
	return l, ok && ok2
}

// wholeSlowLog is what the servers are asked for SLOWLOG LEN.
var wholeSlowLog = appendRequest(nil, "SLOWLOG", "GET", "-1")

// joinSlowLogLen counts what the joined log has; where that would be too much work, what the servers' logs have.
func (g *gather) joinSlowLogLen(dst []byte) []byte {
	if g.longest() <= maxTakenApart {
		if logs, ok := g.logs(g.slowEntry); ok {
			return parser.AppendInt(dst, int64(len(joinLogs(logs))))
		}
		return parser.AppendError(dst, errOddReply)
	}
	n := 0
	for i := range g.parts {
		e, _ := elementsOf(g.parts[i].buf.B)
		n += e.left
	}
	return parser.AppendInt(dst, int64(n))
}

// forAllShards reports whether a request, an array of its words, goes to every shard.
func (e *Env) forAllShards(words []byte) bool {
	w, _ := elementsOf(words)
	name, _ := w.text()
	spec := command.Lookup(name)
	if spec != nil && spec.HasSubs() {
		name, _ = w.text()
		spec = spec.Sub(name)
	}
	return spec != nil && e.classOf(spec) == command.ClassAllShards
}

// joinACLLog joins entries that say their age. ACL LOG RESET has none.
func (g *gather) joinACLLog(dst []byte) []byte {
	if b := g.parts[0].buf.B; b[0] == '+' {
		return append(dst, b...)
	}
	return g.newest(dst, func(b []byte) (entry, bool) {
		e, _ := elementsOf(b)
		for {
			name, ok := e.text()
			if !ok {
				return entry{}, false
			}
			value := e.next()
			if bytes.Equal(name, []byte("age-seconds")) {
				age, ok := decimal(value)
				return entry{rank: -age}, ok
			}
		}
	})
}

// newest joins logs into one with the newest entry first, of as many as were asked for.
func (g *gather) newest(dst []byte, read func([]byte) (entry, bool)) []byte {
	logs, ok := g.logs(read)
	if !ok {
		return parser.AppendError(dst, errOddReply)
	}
	all := joinLogs(logs)
	if g.limit >= 0 && int64(len(all)) > g.limit {
		all = all[:g.limit]
	}
	dst = parser.AppendArray(dst, len(all))
	for _, e := range all {
		dst = append(dst, e.raw...)
	}
	return dst
}

// logs are the servers' logs, taken apart.
func (g *gather) logs(read func([]byte) (entry, bool)) (logs [][]entry, ok bool) {
	logs = make([][]entry, len(g.parts))
	for i := range g.parts {
		e, ok := elementsOf(g.parts[i].buf.B)
		if !ok {
			return nil, false
		}
		for b := e.next(); b != nil; b = e.next() {
			l, ok := read(b)
			if !ok {
				return nil, false
			}
			l.raw = b
			logs[i] = append(logs[i], l)
		}
	}
	return logs, true
}

// joinLogs puts logs that have the newest entry first into one. A request for all shards is one entry, of the shard where it took
// the longest, and tells of entries of the same second on which side of it they belong.
func joinLogs(logs [][]entry) (all []entry) {
	for n := newestOf(logs); n >= 0; n = newestOf(logs) {
		e := logs[n][0]
		logs[n] = logs[n][1:]
		slowest := e
		for i := range logs {
			if i != n && same(logs[i], &e) == 0 {
				if logs[i][0].took > slowest.took {
					slowest = logs[i][0]
				}
				logs[i] = logs[i][1:]
			}
		}
		all = append(all, slowest)
	}
	return all
}

// newestOf is the log whose first entry is the newest of all; -1: there are no more.
func newestOf(logs [][]entry) int {
	n := -1
	for i, l := range logs {
		if len(l) > 0 && (n < 0 || l[0].rank > logs[n][0].rank) {
			n = i
		}
	}
	for range logs {
		// What another log has before the same request is newer.
		before := slices.IndexFunc(logs, func(l []entry) bool { return n >= 0 && same(l, &logs[n][0]) > 0 })
		if before < 0 || before == n {
			break
		}
		n = before
	}
	return n
}

// lookAhead bounds how many entries same looks at.
const lookAhead = 64

// same is where a log has the same request for all shards; -1: nowhere.
func same(log []entry, e *entry) int {
	if e.once == nil {
		return -1
	}
	return slices.IndexFunc(log[:min(len(log), lookAhead)], func(o entry) bool {
		return bytes.Equal(o.once, e.once) && math.Abs(o.rank-e.rank) <= 1
	})
}

// decimal reads a number with a fraction: of RESP3, or the string that stands for it in RESP2.
func decimal(b []byte) (float64, bool) {
	var text []byte
	switch {
	case len(b) > 3 && (b[0] == ',' || b[0] == ':'):
		text = b[1 : len(b)-2]
	default:
		var ok bool
		if text, ok = stringOf(b); !ok {
			return 0, false
		}
	}
	n, err := strconv.ParseFloat(string(text), 64)
	return n, err == nil
}
