package merge

import (
	"bytes"
	"math"
	"slices"

	"ringmaster/command"
	"ringmaster/parser"
)

// entry is an entry of a log. A newer one has a higher rank.
type entry struct {
	rank float64
	raw  []byte
	once []byte // the words of a request for all shards, which makes one joined entry; nil: it was for this shard only
	took int64
}

// joinSlowLog joins entries such as [id, time, microseconds, words, ...].
func (r *Request) joinSlowLog(dst []byte) []byte {
	return r.newest(dst, r.slowEntry)
}

func (r *Request) slowEntry(b []byte) (entry, bool) {
	e, ok := parser.ElementsOf(b)
	e.Next()
	at, ok2 := e.Integer()
	took, _ := e.Integer()
	l := entry{rank: float64(at), took: took}
	if words := e.Next(); r.forAllShards(words) {
		l.once = words
	}
	return l, ok && ok2
}

// joinSlowLogLen counts the entries of the joined log or, if that would be too much work, of the servers' logs.
func (r *Request) joinSlowLogLen(dst []byte) []byte {
	if r.longest() <= maxTakenApart {
		if logs, ok := r.logs(r.slowEntry); ok {
			return parser.AppendInt(dst, int64(len(joinLogs(logs))))
		}
		return r.odd(dst)
	}
	n := 0
	for i := range r.Parts {
		e, _ := parser.ElementsOf(r.Parts[i].Reply)
		n += e.Left()
	}
	return parser.AppendInt(dst, int64(n))
}

// forAllShards reports whether a request, an array of its words, goes to every shard.
func (r *Request) forAllShards(words []byte) bool {
	w, _ := parser.ElementsOf(words)
	name, _ := w.Text()
	spec := command.Lookup(name)
	if spec != nil && spec.HasSubs() {
		name, _ = w.Text()
		spec = spec.Sub(name)
	}
	return r.everywhere(spec)
}

// everywhere reports whether a command goes to all shards; nil: the command is not known.
func (r *Request) everywhere(spec *command.Spec) bool {
	return spec != nil && int(spec.ID) < len(r.Everywhere) && r.Everywhere[spec.ID]
}

// joinACLLog joins entries, which have their age. ACL LOG RESET has no entries.
func (r *Request) joinACLLog(dst []byte) []byte {
	if b := r.Parts[0].Reply; b[0] == '+' {
		return append(dst, b...)
	}
	return r.newest(dst, func(b []byte) (entry, bool) {
		e, _ := parser.ElementsOf(b)
		for {
			name, ok := e.Text()
			if !ok {
				return entry{}, false
			}
			value := e.Next()
			if bytes.Equal(name, []byte("age-seconds")) {
				age, ok := parser.Decimal(value)
				return entry{rank: -age}, ok
			}
		}
	})
}

// newest joins logs into one, newest entry first, with as many entries as were asked for.
func (r *Request) newest(dst []byte, read func([]byte) (entry, bool)) []byte {
	logs, ok := r.logs(read)
	if !ok {
		return r.odd(dst)
	}
	all := joinLogs(logs)
	if r.Limit >= 0 && int64(len(all)) > r.Limit {
		all = all[:r.Limit]
	}
	dst = parser.AppendArray(dst, len(all))
	for _, e := range all {
		dst = append(dst, e.raw...)
	}
	return dst
}

// logs returns the servers' logs, split into entries.
func (r *Request) logs(read func([]byte) (entry, bool)) (logs [][]entry, ok bool) {
	logs = make([][]entry, len(r.Parts))
	for i := range r.Parts {
		e, ok := parser.ElementsOf(r.Parts[i].Reply)
		if !ok {
			return nil, false
		}
		for b := e.Next(); b != nil; b = e.Next() {
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

// joinLogs joins logs that have the newest entry first. A request for all shards becomes one entry, that of the shard
// where it took the longest. Such a request also orders the entries of the same second: they are newer or older than
// it.
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

// newestOf returns the log whose first entry is the newest of all; -1: all logs are empty.
func newestOf(logs [][]entry) int {
	n := -1
	for i, l := range logs {
		if len(l) > 0 && (n < 0 || l[0].rank > logs[n][0].rank) {
			n = i
		}
	}
	for range logs {
		// Entries that another log has before the same request are newer.
		before := slices.IndexFunc(logs, func(l []entry) bool { return n >= 0 && same(l, &logs[n][0]) > 0 })
		if before < 0 || before == n {
			break
		}
		n = before
	}
	return n
}

// lookAhead bounds how many entries same compares.
const lookAhead = 64

// same returns the place in a log of the same request for all shards; -1: it is not there.
func same(log []entry, e *entry) int {
	if e.once == nil {
		return -1
	}
	return slices.IndexFunc(log[:min(len(log), lookAhead)], func(o entry) bool {
		return bytes.Equal(o.once, e.once) && math.Abs(o.rank-e.rank) <= 1
	})
}
