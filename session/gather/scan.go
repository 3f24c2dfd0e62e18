package gather

import (
	"slices"
	"strconv"

	"ringmaster/command"
	"ringmaster/merge"
	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/session/texts"
	"ringmaster/shard"
)

// Scan walks shard after shard. The cursor that the client sees is the shard's own cursor times a base, which is above
// every shard's number, plus that number; 0 is both the start and, from the last shard, the end.
func Scan(s *session.Session, spec *command.Spec, req *parser.Request) {
	env := s.Door
	if env.Single() {
		s.Pass(s.Door.Home(), spec, req)
		return
	}
	cursor, ok := merge.ParseCursor(req.Args[1])
	if !ok {
		s.Refuse(texts.Cursor)
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
			s.AnswerString("*2\r\n$1\r\n0\r\n*0\r\n")
			return
		}
		place.Shard, inner = next, 0
	}
	g := New(s, spec, len(req.Raw))
	g.Asked.Scan = place
	env.Build = parser.AppendArray(env.Build[:0], len(req.Args))
	env.Build = parser.AppendBulk(env.Build, req.Args[0])
	var digits [20]byte
	env.Build = parser.AppendBulk(env.Build, strconv.AppendUint(digits[:0], inner, 10))
	for _, a := range req.Args[2:] {
		env.Build = parser.AppendBulk(env.Build, a)
	}
	g.Delay()
	g.Ask(int(place.Shard), env.Build)
	g.Start()
}
