package session

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"

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
}

// joinSlowLog joins entries such as [id, time, microseconds, ...].
func (g *gather) joinSlowLog(dst []byte) []byte {
	return g.newest(dst, func(b []byte) (float64, bool) {
		e, ok := elementsOf(b)
		e.next()
		at, ok2 := e.integer()
		return float64(at), ok && ok2
	})
}

// joinACLLog joins entries that say their age. ACL LOG RESET has none.
func (g *gather) joinACLLog(dst []byte) []byte {
	if b := g.parts[0].buf.B; b[0] == '+' {
		return append(dst, b...)
	}
	return g.newest(dst, func(b []byte) (float64, bool) {
		e, _ := elementsOf(b)
		for {
			name, ok := e.text()
			if !ok {
				return 0, false
			}
			value := e.next()
			if bytes.Equal(name, []byte("age-seconds")) {
				age, ok := decimal(value)
				return -age, ok
			}
		}
	})
}

// newest joins logs into one with the newest entry first, of as many as were asked for.
func (g *gather) newest(dst []byte, rank func([]byte) (float64, bool)) []byte {
	var all []entry
	for i := range g.parts {
		e, ok := elementsOf(g.parts[i].buf.B)
		if !ok {
			return parser.AppendError(dst, errOddReply)
		}
		for b := e.next(); b != nil; b = e.next() {
			r, ok := rank(b)
			if !ok {
				return parser.AppendError(dst, errOddReply)
			}
			all = append(all, entry{r, b})
		}
	}
	slices.SortStableFunc(all, func(a, b entry) int { return cmp.Compare(b.rank, a.rank) })
	if g.limit >= 0 && int64(len(all)) > g.limit {
		all = all[:g.limit]
	}
	dst = parser.AppendArray(dst, len(all))
	for _, e := range all {
		dst = append(dst, e.raw...)
	}
	return dst
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
