package merge

import (
	"ringmaster/command"
	"ringmaster/parser"
)

// numbers folds integers, or arrays of integers of one length, with f.
func (r *Request) numbers(dst []byte, f func(a, b int64) int64) []byte {
	first := r.Parts[0].Reply
	if first[0] != ':' {
		return r.numberArrays(dst, f)
	}
	sum, ok := parser.Integer(first)
	for i := 1; i < len(r.Parts) && ok; i++ {
		var n int64
		n, ok = parser.Integer(r.Parts[i].Reply)
		sum = f(sum, n)
	}
	if !ok {
		return r.odd(dst)
	}
	return parser.AppendInt(dst, sum)
}

func (r *Request) numberArrays(dst []byte, f func(a, b int64) int64) []byte {
	length, ok := r.OpenNumbers()
	if !ok {
		return r.odd(dst)
	}
	start := len(dst)
	dst = parser.AppendArray(dst, length)
	for range length {
		sum, ok := r.foldNext(f)
		if !ok {
			return r.odd(dst[:start])
		}
		dst = parser.AppendInt(dst, sum)
	}
	return dst
}

// OpenNumbers moves every part to the first element of its array, and returns their common length; false: the lengths
// differ, or a part is no array. FoldNext returns one number after the other.
func (r *Request) OpenNumbers() (length int, ok bool) {
	for i := range r.Parts {
		n, start, ok := parser.ArrayHeader(r.Parts[i].Reply)
		if !ok || (i > 0 && n != length) {
			return 0, false
		}
		length, r.Parts[i].off = n, start
	}
	return length, true
}

// FoldNext joins the next numbers of all parts, as Merge says; false: one is not a number. Only after OpenNumbers.
func (r *Request) FoldNext() (sum int64, ok bool) { return r.foldNext(foldOf(r.Merge)) }

func (r *Request) foldNext(f func(a, b int64) int64) (sum int64, ok bool) {
	for i := range r.Parts {
		p := &r.Parts[i]
		n := parser.ElementEnd(p.Reply[p.off:])
		v, ok := parser.Integer(p.Reply[p.off : p.off+n])
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

// foldOf returns how a merge joins two numbers.
func foldOf(m command.Merge) func(a, b int64) int64 {
	switch m {
	case command.MergeMin:
		return least
	case command.MergeAnd:
		return func(a, b int64) int64 { return a & b }
	}
	return plus
}

func plus(a, b int64) int64 { return a + b }

func most(a, b int64) int64 { return max(a, b) }

func least(a, b int64) int64 { return min(a, b) }

// joinNumPat counts the patterns: those of the proxy's clients, plus the most that others have at one server. Some of
// the clients' patterns are subscribed at every server, some at one only.
func (r *Request) joinNumPat(dst []byte) []byte {
	others := int64(0)
	for i := range r.Parts {
		n, ok := parser.Integer(r.Parts[i].Reply)
		if !ok {
			return r.odd(dst)
		}
		others = max(others, n-int64(r.Parts[i].Patterns))
	}
	return parser.AppendInt(dst, int64(r.Patterns)+others)
}
