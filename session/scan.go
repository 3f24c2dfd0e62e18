package session

import (
	"bytes"
	"math"
	"strconv"

	"ringmaster/command"
	"ringmaster/parser"
)

// scanPlace is where a SCAN over several shards stands.
type scanPlace struct{ shard, shards uint64 }

// scan walks shard after shard. The cursor that the client sees is the shard's own cursor times the
// number of shards, plus the shard's number; 0 is both the start and, from the last shard, the end.
func (s *Session) scan(spec *command.Spec, req *parser.Request) {
	env := s.env
	if env.single() {
		s.pass(0, spec, req)
		return
	}
	cursor, ok := parseCursor(req.Args[1])
	if !ok {
		s.refuse(spec, errCursor)
		return
	}
	shards := uint64(env.Map.Len())
	g := s.gather(spec, len(req.Raw))
	g.scan = scanPlace{shard: cursor % shards, shards: shards}
	env.build = parser.AppendArray(env.build[:0], len(req.Args))
	env.build = parser.AppendBulk(env.build, req.Args[0])
	var digits [20]byte
	env.build = parser.AppendBulk(env.build, strconv.AppendUint(digits[:0], cursor/shards, 10))
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
		if p.shard+1 == p.shards {
			return 0, true
		}
		return p.shard + 1, true
	}
	if cursor > (math.MaxUint64-p.shard)/p.shards {
		return 0, false
	}
	return cursor*p.shards + p.shard, true
}

// splitScan reads "*2\r\n$n\r\n<cursor>\r\n" and gives what follows.
func splitScan(b []byte) (cursor uint64, rest []byte, ok bool) {
	n, start, ok := arrayHeader(b)
	if !ok || n != 2 {
		return 0, nil, false
	}
	b = b[start:]
	end := element(b)
	body := bytes.IndexByte(b, '\n') + 1
	if b[0] != '$' || end < body+2 {
		return 0, nil, false
	}
	cursor, ok = parseCursor(b[body : end-2])
	return cursor, b[end:], ok
}
