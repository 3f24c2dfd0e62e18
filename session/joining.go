package session

import (
	"ringmaster/command"
	"ringmaster/parser"
)

// joining joins very long parts in pieces, a job.
type joining struct {
	emission
	g     *gather
	head  []byte // that the reply begins with
	next  int    // of g.order, or the part
	left  int    // numbers to come
	write func(j *joining, b []byte, p pieces) (reply []byte, done bool)
}

// longParts is the length of all parts from which they are joined in pieces, bytes.
const longParts = pieceWork

// joinInPieces begins to join long parts; false: they are joined at once, for they are short, or this is no simple join.
func (g *gather) joinInPieces() bool {
	if g.held < longParts {
		return false
	}
	j := &joining{emission: emission{s: g.s, tag: g.tag, held: g.held}, g: g}
	switch {
	case g.merge == command.MergeInKeyOrder:
		g.openArrays()
		j.head, j.write = parser.AppendArray(nil, len(g.order)), (*joining).keysInOrder
	case g.merge == command.MergeConcat && g.firstError() == nil:
		var ok bool
		if j.head, ok = g.concatHead(nil); !ok {
			return false // an error, which is short
		}
		j.write = (*joining).partsInOrder
	case g.merge == command.MergeAnd || g.merge == command.MergeSum || g.merge == command.MergeMin:
		n, ok := g.arrays()
		if !ok || g.firstError() != nil {
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
	e.Stats.Call(j.g.spec.ID, e.Pool.Now-j.g.at)
	j.g.recycle()
	return true
}

// keysInOrder writes elements in the order of the keys.
func (j *joining) keysInOrder(b []byte, p pieces) (reply []byte, done bool) {
	for ; j.next < len(j.g.order); j.next++ {
		if p.over(j.g.env) {
			return b, false
		}
		before := len(b)
		b = j.g.appendNext(b, &j.g.parts[j.g.order[j.next]])
		j.g.env.spend(copyWork + len(b) - before)
	}
	return b, true
}

// partsInOrder writes one part after the other.
func (j *joining) partsInOrder(b []byte, p pieces) (reply []byte, done bool) {
	for ; j.next < len(j.g.parts); j.next++ {
		part := &j.g.parts[j.next]
		n := min(len(part.buf.B)-part.off, max(0, p.until-j.g.env.spent))
		b = append(b, part.buf.B[part.off:part.off+n]...)
		j.g.env.spend(n)
		if part.off += n; part.off < len(part.buf.B) {
			return b, false
		}
		j.g.env.Pool.Buffers.Put(part.buf)
		part.buf = nil
	}
	return b, true
}

// numbers writes what the parts' numbers make, one after the other. One that is none is an error in its place.
func (j *joining) numbers(b []byte, p pieces) (reply []byte, done bool) {
	f := foldOf(j.g.merge)
	for ; j.left > 0; j.left-- {
		if p.over(j.g.env) {
			return b, false
		}
		if sum, ok := j.g.foldNext(f); ok {
			b = parser.AppendInt(b, sum)
		} else {
			b = parser.AppendError(b, errOddReply)
		}
		j.g.env.spend(copyWork * len(j.g.parts))
	}
	return b, true
}

// openArrays moves every part that is an array behind its header.
func (g *gather) openArrays() {
	for i := range g.parts {
		if p := &g.parts[i]; p.buf.B[0] == '*' {
			p.off = parser.LineEnd(p.buf.B)
		}
	}
}

// appendNext appends a part's next element. A part that failed has its error in place of each of its values.
func (g *gather) appendNext(dst []byte, p *part) []byte {
	if p.buf.B[0] != '*' {
		return append(dst, p.buf.B...)
	}
	n := element(p.buf.B[p.off:])
	if n == 0 {
		return parser.AppendError(dst, errShortReply)
	}
	dst = append(dst, p.buf.B[p.off:p.off+n]...)
	p.off += n
	return dst
}
