package session

import (
	"slices"
	"strconv"

	"ringmaster/command"
	"ringmaster/merge"
	"ringmaster/parser"
	"ringmaster/shard"
)

// scan walks shard after shard. The cursor that the client sees is the shard's own cursor times a base, which is above
// every shard's number, plus that number; 0 is both the start and, from the last shard, the end.
func (s *Session) scan(spec *command.Spec, req *parser.Request) {
	env := s.env
	if env.single() {
		s.pass(s.env.home(), spec, req)
		return
	}
	cursor, ok := merge.ParseCursor(req.Args[1])
	if !ok {
		s.refuse(errCursor)
		return
	}
	shards := env.Map.Shards()
	base := uint64(shards[len(shards)-1] + 1)
	switch {
	case env.Map.Slotted():
		base = shard.MaxNodes // a cursor outlives changes
	case env.Upstream.ListChanges:
		base = shard.MaxNumbers
	}
	place, inner := merge.ScanPlace{Shard: cursor % base, Base: base, Shards: shards}, cursor/base
	if !slices.Contains(place.Shards, int(place.Shard)) {
		// It is gone, or this is the start.
		next := uint64(place.After(place.Shard))
		if cursor != 0 && next <= place.Shard {
			s.answerString("*2\r\n$1\r\n0\r\n*0\r\n")
			return
		}
		place.Shard, inner = next, 0
	}
	g := s.gather(spec, len(req.Raw))
	g.asked.Scan = place
	env.build = parser.AppendArray(env.build[:0], len(req.Args))
	env.build = parser.AppendBulk(env.build, req.Args[0])
	var digits [20]byte
	env.build = parser.AppendBulk(env.build, strconv.AppendUint(digits[:0], inner, 10))
	for _, a := range req.Args[2:] {
		env.build = parser.AppendBulk(env.build, a)
	}
	g.hold()
	g.ask(int(place.Shard), env.build)
	g.release()
}
