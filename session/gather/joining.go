package gather

import (
	"slices"

	"ringmaster/command"
	"ringmaster/merge"
	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/session/texts"
)

// Package merge joins the parts of a gather. This file tells it what it must know of the proxy, and joins long parts piece by piece.

// mergeTexts are the errors that a join can end with.
var mergeTexts = &merge.Texts{Odd: texts.OddReply, Short: texts.ShortReply, Cursor: texts.CursorRange}

// join appends the one reply that the parts make.
func (g *Gather) join(dst []byte) []byte {
	if len(g.Parts) == 0 { // it had no keys
		return parser.AppendError(dst, texts.WrongArity(g.Spec.Name))
	}
	r := g.prepare()
	if g.Special != nil {
		if e := r.FirstError(); e != nil {
			return append(dst, e...)
		}
		return g.Special(g, dst)
	}
	if g.Merge == command.MergeRandom && r.FirstError() == nil {
		r.Pick = g.Env.Pool.Random(len(r.Parts))
	}
	return r.Append(dst)
}

// prepare tells package merge how the parts are joined.
func (g *Gather) prepare() *merge.Request {
	r := &g.asked
	r.Spec, r.Merge = g.Spec, g.Merge
	if g.Merge == command.MergeTexts || g.Merge == command.MergeSpecial {
		g.describe()
	}
	return r
}

// describe tells package merge what it needs for commands that describe servers.
func (g *Gather) describe() {
	r := &g.asked
	r.Everywhere, r.Cluster, r.Servers = g.Session.Door.Rules.Everywhere, g.Session.Door.Config.Cluster.Enabled, r.Servers[:0]
	for i := range g.Parts {
		r.Servers = append(r.Servers, g.Env.Map.Server(g.Parts[i].Server).Name)
	}
	if g.Patterns != nil {
		g.countPatterns()
	}
}

// joining joins long parts piece by piece, a job.
type joining struct {
	session.Emission
	g     *Gather
	head  []byte // with which the reply begins
	next  int    // the next key, or the next part
	left  int    // numbers to come
	write func(j *joining, b []byte, p session.Pieces) (reply []byte, done bool)
}

// LongParts is the length of all parts from which they are joined piece by piece, bytes.
const LongParts = session.PieceWork

// joinInPieces begins to join long parts. false: the caller must join them at once, because they are short or hard to join.
func (g *Gather) joinInPieces() bool {
	if g.bytes < LongParts {
		return false
	}
	r := g.prepare()
	j := &joining{Emission: session.Emission{Session: g.Session, Tag: g.tag, Held: g.bytes}, g: g}
	switch {
	case g.Merge == command.MergeInKeyOrder:
		r.OpenArrays()
		j.head, j.write = parser.AppendArray(nil, len(r.Order)), (*joining).keysInOrder
	case g.Merge == command.MergeConcat && r.FirstError() == nil:
		var ok bool
		if j.head, ok = r.OpenConcat(nil); !ok {
			return false // an error, which is short
		}
		j.write = (*joining).partsInOrder
	case g.Merge == command.MergeAnd || g.Merge == command.MergeSum || g.Merge == command.MergeMin:
		n, ok := r.OpenNumbers()
		if !ok || r.FirstError() != nil {
			return false
		}
		j.head, j.left, j.write = parser.AppendArray(nil, n), n, (*joining).numbers
	default:
		return false
	}
	g.bytes = 0
	g.Env.Start(j)
	return true
}

// Piece is job.
func (j *joining) Piece(e *session.Env) (done bool) {
	s := j.Session
	if j.HoldsOff(j) {
		return true
	}
	if s.State == session.Closed {
		e.Stats.Orphans++
	} else {
		b, done := j.write(j, j.head, e.APiece())
		j.Use(len(b) - len(j.head))
		j.head = nil
		if j.Give(b, done); !done {
			return false
		}
	}
	j.g.recycle()
	return true
}

// keysInOrder writes elements in the order of the keys.
func (j *joining) keysInOrder(b []byte, p session.Pieces) (reply []byte, done bool) {
	r := &j.g.asked
	for ; j.next < len(r.Order); j.next++ {
		if p.Over(j.g.Env) {
			return b, false
		}
		before := len(b)
		b = r.AppendNext(b, int(r.Order[j.next]))
		j.g.Env.Spend(session.CopyWork + len(b) - before)
	}
	return b, true
}

// partsInOrder writes one part after the other.
func (j *joining) partsInOrder(b []byte, p session.Pieces) (reply []byte, done bool) {
	env := j.g.Env
	for ; j.next < len(j.g.Parts); j.next++ {
		next, last := j.g.asked.Take(j.next, p.Until-env.Spent)
		b = append(b, next...)
		env.Spend(len(next))
		if !last {
			return b, false
		}
		part := &j.g.Parts[j.next]
		env.Pool.Buffers.Put(part.Buf)
		part.Buf = nil
	}
	return b, true
}

// numbers writes the numbers that the parts' numbers make, one after the other, and an error for each that is no number.
func (j *joining) numbers(b []byte, p session.Pieces) (reply []byte, done bool) {
	for ; j.left > 0; j.left-- {
		if p.Over(j.g.Env) {
			return b, false
		}
		if sum, ok := j.g.asked.FoldNext(); ok {
			b = parser.AppendInt(b, sum)
		} else {
			b = parser.AppendError(b, texts.OddReply)
		}
		j.g.Env.Spend(session.CopyWork * len(j.g.Parts))
	}
	return b, true
}

// countPatterns tells package merge how many patterns are subscribed at each server.
func (g *Gather) countPatterns() {
	r := &g.asked
	r.Patterns = 0
	for _, p := range g.Patterns {
		if p.Clients {
			r.Patterns++
		}
		for i := range r.Parts {
			if slices.Contains(p.Servers, g.Parts[i].Server) {
				r.Parts[i].Patterns++
			}
		}
	}
}

// PatternServers says where a pattern is subscribed, and whether any client has it.
type PatternServers struct {
	Servers []int
	Clients bool
}
