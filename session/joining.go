package session

import (
	"slices"

	"ringmaster/command"
	"ringmaster/merge"
	"ringmaster/parser"
)

// Package merge joins the parts of a gather. What is here tells it what it has to know, and joins long parts in pieces.

// mergeTexts are the errors that a joining may end with.
var mergeTexts = &merge.Texts{Odd: errOddReply, Short: errShortReply, Cursor: errCursorRange}

// join appends the one reply that the parts make together.
func (g *gather) join(dst []byte) []byte {
	if len(g.parts) == 0 { // it had no keys
		return parser.AppendError(dst, wrongArity(g.spec.Name))
	}
	r := g.prepare()
	if g.special != nil {
		if e := r.FirstError(); e != nil {
			return append(dst, e...)
		}
		return g.special(g, dst)
	}
	if g.merge == command.MergeRandom && r.FirstError() == nil {
		r.Pick = g.env.Pool.Random(len(r.Parts))
	}
	return r.Append(dst)
}

// prepare tells package merge how the parts are joined.
func (g *gather) prepare() *merge.Request {
	r := &g.asked
	r.Spec, r.Merge = g.spec, g.merge
	if g.merge == command.MergeTexts || g.merge == command.MergeSpecial {
		g.describe()
	}
	return r
}

// describe tells package merge what it needs for commands that describe servers.
func (g *gather) describe() {
	r := &g.asked
	r.Everywhere, r.Cluster, r.Servers = g.s.env.Rules.everywhere, g.s.env.Config.Cluster.Enabled, r.Servers[:0]
	for i := range g.parts {
		r.Servers = append(r.Servers, g.env.Map.Server(g.parts[i].server).Name)
	}
	if g.patterns != nil {
		g.countPatterns()
	}
}

// joining joins very long parts in pieces, a job.
type joining struct {
	emission
	g     *gather
	head  []byte // that the reply begins with
	next  int    // of the keys, or the part
	left  int    // numbers to come
	write func(j *joining, b []byte, p pieces) (reply []byte, done bool)
}

// LongParts is the length of all parts from which they are joined in pieces, bytes.
const LongParts = pieceWork

// joinInPieces begins to join long parts; false: they are joined at once, for they are short, or this is no simple join.
func (g *gather) joinInPieces() bool {
	if g.held < LongParts {
		return false
	}
	r := g.prepare()
	j := &joining{emission: emission{s: g.s, tag: g.tag, held: g.held}, g: g}
	switch {
	case g.merge == command.MergeInKeyOrder:
		r.OpenArrays()
		j.head, j.write = parser.AppendArray(nil, len(r.Order)), (*joining).keysInOrder
	case g.merge == command.MergeConcat && r.FirstError() == nil:
		var ok bool
		if j.head, ok = r.OpenConcat(nil); !ok {
			return false // an error, which is short
		}
		j.write = (*joining).partsInOrder
	case g.merge == command.MergeAnd || g.merge == command.MergeSum || g.merge == command.MergeMin:
		n, ok := r.OpenNumbers()
		if !ok || r.FirstError() != nil {
			return false
		}
		j.head, j.left, j.write = parser.AppendArray(nil, n), n, (*joining).numbers
	default:
		return false
	}
	g.held = 0
	g.env.start(j)
	return true
}

func (j *joining) piece(e *Env) (done bool) {
	s := j.s
	if j.holdsOff(j) {
		return true
	}
	if s.state == closed {
		e.Stats.Orphans++
	} else {
		b, done := j.write(j, j.head, e.aPiece())
		j.use(len(b) - len(j.head))
		j.head = nil
		if j.put(b, done); !done {
			return false
		}
	}
	j.g.recycle()
	return true
}

// keysInOrder writes elements in the order of the keys.
func (j *joining) keysInOrder(b []byte, p pieces) (reply []byte, done bool) {
	r := &j.g.asked
	for ; j.next < len(r.Order); j.next++ {
		if p.over(j.g.env) {
			return b, false
		}
		before := len(b)
		b = r.AppendNext(b, int(r.Order[j.next]))
		j.g.env.spend(copyWork + len(b) - before)
	}
	return b, true
}

// partsInOrder writes one part after the other.
func (j *joining) partsInOrder(b []byte, p pieces) (reply []byte, done bool) {
	env := j.g.env
	for ; j.next < len(j.g.parts); j.next++ {
		next, last := j.g.asked.Take(j.next, p.until-env.spent)
		b = append(b, next...)
		env.spend(len(next))
		if !last {
			return b, false
		}
		part := &j.g.parts[j.next]
		env.Pool.Buffers.Put(part.buf)
		part.buf = nil
	}
	return b, true
}

// numbers writes what the parts' numbers make, one after the other. One that is none is an error in its place.
func (j *joining) numbers(b []byte, p pieces) (reply []byte, done bool) {
	for ; j.left > 0; j.left-- {
		if p.over(j.g.env) {
			return b, false
		}
		if sum, ok := j.g.asked.FoldNext(); ok {
			b = parser.AppendInt(b, sum)
		} else {
			b = parser.AppendError(b, errOddReply)
		}
		j.g.env.spend(copyWork * len(j.g.parts))
	}
	return b, true
}

// countPatterns tells package merge where they are subscribed.
func (g *gather) countPatterns() {
	r := &g.asked
	r.Patterns = len(g.patterns)
	for i := range r.Parts {
		for _, at := range g.patterns {
			if slices.Contains(at, g.parts[i].server) {
				r.Parts[i].Patterns++
			}
		}
	}
}
