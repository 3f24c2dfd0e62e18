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

// Scan carries out SCAN. It walks shard after shard. The client's cursor is the shard's own cursor times a base, plus the shard's number.
// The base is greater than every shard's number. 0 is the start, and after the last shard the end. Borrows req until return. Loop-only.
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
		base = shard.MaxNodes // cursors stay valid when the list of servers changes
	case env.Upstream.ListChanges:
		base = shard.MaxNumbers
	}
	place, inner := merge.ScanPlace{Shard: cursor % base, Base: base, Shards: shards}, cursor/base
	if !slices.Contains(place.Shards, int(place.Shard)) {
		// The shard has gone, or the scan starts.
		next := uint64(place.After(place.Shard))
		if cursor != 0 && next <= place.Shard {
			s.AnswerString("*2\r\n$1\r\n0\r\n*0\r\n")
			return
		}
		place.Shard, inner = next, 0
	}
	g := New(s, spec, len(req.Raw))
	g.asked.Scan = place
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
