package session

import (
	"math"
	"slices"
	"strconv"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/shard"
)

// scanPlace is where a SCAN over several shards stands.
type scanPlace struct {
	shard, base uint64
	shards      []int
}

// scan walks shard after shard. The cursor that the client sees is the shard's own cursor times a base, which is above
// every shard's number, plus that number; 0 is both the start and, from the last shard, the end.
func (s *Session) scan(spec *command.Spec, req *parser.Request) {
	env := s.env
	if env.single() {
		s.pass(s.env.home(), spec, req)
		return
	}
	cursor, ok := parseCursor(req.Args[1])
	if !ok {
		s.refuse(spec, errCursor)
		return
	}
	shards := env.Map.Shards()
	base := uint64(shards[len(shards)-1] + 1)
	if env.Map.Slotted() {
		base = shard.MaxNodes // a cursor outlives changes
	}
	place, inner := scanPlace{shard: cursor % base, base: base, shards: shards}, cursor/base
	if !slices.Contains(place.shards, int(place.shard)) {
		// It is gone, or this is the start.
		next := uint64(place.after(place.shard))
		if cursor != 0 && next <= place.shard {
			s.succeedWith(spec, "*2\r\n$1\r\n0\r\n*0\r\n")
			return
		}
		place.shard, inner = next, 0
	}
	g := s.gather(spec, len(req.Raw))
	g.scan = place
	env.build = parser.AppendArray(env.build[:0], len(req.Args))
	env.build = parser.AppendBulk(env.build, req.Args[0])
	var digits [20]byte
	env.build = parser.AppendBulk(env.build, strconv.AppendUint(digits[:0], inner, 10))
	for _, a := range req.Args[2:] {
		env.build = parser.AppendBulk(env.build, a)
	}
	g.hold()
	g.ask(int(g.scan.shard), env.build)
	g.release()
}

// parseCursor reads a cursor as Redis does: decimal digits that fit 64 bits.
func parseCursor(b []byte) (uint64, bool) {
	if len(b) == 0 || len(b) > 20 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b), 10, 64)
	return n, err == nil
}

// joinScan replaces the shard's cursor by the client's.
func (g *gather) joinScan(dst []byte) []byte {
	b := g.parts[0].buf.B
	cursor, rest, ok := splitScan(b)
	if !ok {
		return parser.AppendError(dst, errOddReply)
	}
	next, ok := g.scan.next(cursor)
	if !ok {
		return parser.AppendError(dst, errCursorRange)
	}
	dst = parser.AppendArray(dst, 2)
	var digits [20]byte
	dst = parser.AppendBulk(dst, strconv.AppendUint(digits[:0], next, 10))
	return append(dst, rest...)
}

// next is the client's cursor for the shard's.
func (p scanPlace) next(cursor uint64) (uint64, bool) {
	if cursor == 0 {
		next := p.after(p.shard)
		if uint64(next) <= p.shard {
			return 0, true
		}
		return uint64(next), true
	}
	if cursor > (math.MaxUint64-p.shard)/p.base {
		return 0, false
	}
	return cursor*p.base + p.shard, true
}

// after is the number of the shard behind n, the first one's behind the last.
func (p scanPlace) after(n uint64) int {
	for _, s := range p.shards {
		if uint64(s) > n {
			return s
		}
	}
	return p.shards[0]
}

// splitScan reads "*2\r\n$n\r\n<cursor>\r\n" and gives what follows.
func splitScan(b []byte) (cursor uint64, rest []byte, ok bool) {
	n, start, ok := arrayHeader(b)
	if !ok || n != 2 {
		return 0, nil, false
	}
	b = b[start:]
	end := element(b)
	body := parser.LineEnd(b)
	if b[0] != '$' || end < body+2 {
		return 0, nil, false
	}
	cursor, ok = parseCursor(b[body : end-2])
	return cursor, b[end:], ok
}
