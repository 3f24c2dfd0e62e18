package session

import (
	"ringmaster/command"
	"ringmaster/parser"
)

// join appends the one reply that the parts make together. An error of any part is the reply, except
// where the merge has a place for it, or can do without the part (missing.go).
func (g *gather) join(dst []byte) []byte {
	if len(g.parts) == 0 { // it had no keys
		return parser.AppendError(dst, wrongArity(g.spec.Name))
	}
	switch g.merge {
	case command.MergeInKeyOrder:
		return g.inKeyOrder(dst)
	case command.MergeOneOK:
		for i := range g.parts {
			if b := g.parts[i].buf.B; b[0] != '-' {
				return append(dst, b...)
			}
		}
		return append(dst, g.parts[0].buf.B...)
	case command.MergeTexts:
		return g.texts(dst)
	}
	if e := g.firstError(); e != nil && !g.leaveOut() {
		return append(dst, e...)
	}
	switch g.merge {
	case command.MergeSum, command.MergeMin, command.MergeAnd:
		return g.numbers(dst, foldOf(g.merge))
	case command.MergeConcat:
		return g.concat(dst)
	case command.MergeRandom:
		return g.random(dst)
	case command.MergeSpecial:
		if hiders[g.spec.Name] != nil {
			return g.joinHidden(dst)
		}
		if m, ok := specialMerges[g.spec.Name]; ok {
			if g.spec.Traits.Has(command.TraitTakenApart) && g.longest() > maxTakenApart {
				return parser.AppendError(dst, errOddReply)
			}
			return m.join(g, dst)
		}
	}
	return g.first(dst)
}

// first is the reply of the first shard.
func (g *gather) first(dst []byte) []byte { return append(dst, g.parts[0].buf.B...) }

// specialMerge is a merge that belongs to one command, with its words for the documentation.
type specialMerge struct {
	join  func(*gather, []byte) []byte
	words string
}

// maxTakenApart bounds the length of the replies that are taken apart, bytes.
const maxTakenApart = 16 << 20

// longest is the length of the longest part.
func (g *gather) longest() (n int) {
	for i := range g.parts {
		n = max(n, len(g.parts[i].buf.B))
	}
	return n
}

var specialMerges = map[string]specialMerge{
	"scan":                {(*gather).joinScan, "shard after shard"},
	"info":                {(*gather).joinInfo, "figures added, the largest or computed anew, by their meaning"},
	"pubsub|numpat":       {(*gather).joinNumPat, "those of the proxy's clients, and the most others that a shard has"},
	"client|trackinginfo": {(*gather).joinTrackingInfo, "the first's, or one's that has found the redirection broken"},
	"client|getredir":     {(*gather).joinGetRedir, "the first's"},
	"slowlog|get":         {(*gather).joinSlowLog, "the newest first, as many as asked for; what was for all shards is one entry"},
	"slowlog|len":         {(*gather).joinSlowLogLen, "as many as `SLOWLOG GET -1` gives"},
	"commandlog|get":      {(*gather).joinSlowLog, "the newest first, as many as asked for"},
	"acl|log":             {(*gather).joinACLLog, "the newest first, as many as asked for"},
	"latency|latest":      {(*gather).joinLatest, "of each event the latest and the longest of all"},
	"latency|history":     {(*gather).joinHistory, "in the order of time"},
	"latency|histogram":   {(*gather).joinHistogram, "the buckets added, but of what is for all shards"},
	"memory|stats":        {(*gather).joinMemory, "figures added, ratios computed anew"},
	"role":                {(*gather).joinRole, "a primary with the replicas of all; a server that is none is the answer itself"},
	"function|stats":      {(*gather).joinFunctionStats, "the script that runs on any; libraries are the same on all"},
	"debug":               {(*gather).joinDebug, "one answer where all say the same, else texts under the servers' names; `DEBUG OBJECT` and other commands of a key to its shard"},
}

// firstError is the first part that is an error: the server's own before one of ours, for it says more.
func (g *gather) firstError() []byte {
	var found []byte
	for i := range g.parts {
		p := &g.parts[i]
		if b := p.buf.B; isError(b) {
			if !p.failed {
				return b
			}
			if found == nil {
				found = b
			}
		}
	}
	return found
}

// inKeyOrder puts the elements of the parts' arrays in the order of the keys asked for.
func (g *gather) inKeyOrder(dst []byte) []byte {
	g.openArrays()
	dst = parser.AppendArray(dst, len(g.order))
	for _, i := range g.order {
		p := &g.parts[i]
		if n := element(p.buf.B[p.off:]); n > 0 && p.buf.B[0] == '*' {
			dst = append(dst, p.buf.B[p.off:p.off+n]...)
			p.off += n
			continue
		}
		dst = g.appendNext(dst, p)
	}
	return dst
}

// element is the length of the element at the start of b; 0: there is none.
func element(b []byte) int {
	if len(b) > 0 && b[0] == '$' {
		return bulk(b)
	}
	var s parser.ReplyScanner
	n, st := s.Scan(b)
	if st != parser.Done {
		return 0
	}
	return n
}

// bulk is the length of the bulk string at the start of b, most often a value: it is worth a shorter way.
func bulk(b []byte) int {
	n := 0
	for i, c := range b[1:] {
		if c == '\r' {
			if end := i + 3 + n + 2; end <= len(b) {
				return end
			}
			return 0
		}
		if c == '-' {
			return min(len("$-1\r\n"), len(b))
		}
		n = n*10 + int(c-'0')
	}
	return 0
}

// numbers folds integers, or arrays of integers of one length, with f.
func (g *gather) numbers(dst []byte, f func(a, b int64) int64) []byte {
	first := g.parts[0].buf.B
	if first[0] == ':' {
		sum, ok := integer(first)
		for i := 1; i < len(g.parts) && ok; i++ {
			var n int64
			n, ok = integer(g.parts[i].buf.B)
			sum = f(sum, n)
		}
		if !ok {
			return parser.AppendError(dst, errOddReply)
		}
		return parser.AppendInt(dst, sum)
	}
	return g.numberArrays(dst, f)
}

func (g *gather) numberArrays(dst []byte, f func(a, b int64) int64) []byte {
	length, ok := g.arrays()
	if !ok {
		return parser.AppendError(dst, errOddReply)
	}
	start := len(dst)
	dst = parser.AppendArray(dst, length)
	for range length {
		sum, ok := g.foldNext(f)
		if !ok {
			return parser.AppendError(dst[:start], errOddReply)
		}
		dst = parser.AppendInt(dst, sum)
	}
	return dst
}

// foldNext folds the next numbers of all parts.
func (g *gather) foldNext(f func(a, b int64) int64) (sum int64, ok bool) {
	for i := range g.parts {
		p := &g.parts[i]
		n := element(p.buf.B[p.off:])
		v, ok := integer(p.buf.B[p.off : p.off+n])
		if !ok {
			return 0, false
		}
		p.off += n
		if i == 0 {
			sum = v
		} else {
			sum = f(sum, v)
		}
	}
	return sum, true
}

// foldOf is what a merge makes of two numbers.
func foldOf(m command.Merge) func(a, b int64) int64 {
	switch m {
	case command.MergeMin:
		return func(a, b int64) int64 { return min(a, b) }
	case command.MergeAnd:
		return func(a, b int64) int64 { return a & b }
	}
	return plus
}

// arrays moves every part behind its array header; length is that of all, when they are alike.
func (g *gather) arrays() (length int, ok bool) {
	for i := range g.parts {
		n, start, ok := arrayHeader(g.parts[i].buf.B)
		if !ok || (i > 0 && n != length) {
			return 0, false
		}
		length, g.parts[i].off = n, start
	}
	return length, true
}

// arrayHeader reads "*n\r\n" (or a set's or push's header); start is where the first element is.
func arrayHeader(b []byte) (n, start int, ok bool) {
	start = parser.LineEnd(b)
	if start < 4 || (b[0] != '*' && b[0] != '~') {
		return 0, 0, false
	}
	v, ok := parser.Int(b[1 : start-2])
	return int(v), start, ok && v >= 0
}

// integer reads ":n\r\n".
func integer(b []byte) (int64, bool) {
	if len(b) < 4 || b[0] != ':' {
		return 0, false
	}
	return parser.Int(b[1 : len(b)-2])
}

// concat puts the elements of all arrays one after the other.
func (g *gather) concat(dst []byte) []byte {
	dst, ok := g.concatHead(dst)
	if !ok {
		return dst
	}
	for i := range g.parts {
		p := &g.parts[i]
		dst = append(dst, p.buf.B[p.off:]...)
	}
	return dst
}

// concatHead appends the header of all arrays together and moves every part behind its own; !ok: an error is the reply. A nil
// array has no elements.
func (g *gather) concatHead(dst []byte) (reply []byte, ok bool) {
	total := 0
	for i := range g.parts {
		p := &g.parts[i]
		n, start, ok := arrayHeader(p.buf.B)
		if !ok {
			if p.buf.B[0] == '_' || p.buf.B[0] == '*' || p.buf.B[0] == '$' {
				p.off = len(p.buf.B)
				continue
			}
			return parser.AppendError(dst, errOddReply), false
		}
		total += n
		p.off = start
	}
	begin := len(dst)
	dst = parser.AppendArray(dst, total)
	if g.parts[0].buf.B[0] == '~' {
		dst[begin] = '~'
	}
	return dst, true
}

// random is one of the replies that are not nil; nil when all are.
func (g *gather) random(dst []byte) []byte {
	start := g.env.Pool.Random(len(g.parts))
	for i := range g.parts {
		b := g.parts[(start+i)%len(g.parts)].buf.B
		if !isNull(b) {
			return append(dst, b...)
		}
	}
	return append(dst, g.parts[0].buf.B...)
}

func isNull(b []byte) bool {
	return b[0] == '_' || (len(b) > 2 && (b[0] == '$' || b[0] == '*') && b[1] == '-')
}
