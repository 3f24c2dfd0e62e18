package session

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/pool"
	"ringmaster/shard"
	"ringmaster/stats"
)

// What a server refuses since the keys are elsewhere, or since it can't answer now, is sent again: by package pool, or if it is more than
// one request on a shared connection, by who has sent it (piece.go, apart.go, blocked.go).

// SlotOf is the hash slot of a key, or where there are none its shard, whose keys a command may have together; below 0: key is
// nil.
func SlotOf(key []byte, m *shard.Map) int {
	switch {
	case key == nil:
		return -1
	case m.Slotted():
		return int(shard.Slot(key))
	case m.Random():
		return 0
	}
	return m.Lookup(key)
}

// CountRedirect counts what is sent again because of what a server said.
func (e *Env) CountRedirect(from int, b []byte) {
	why := stats.RedirectRetry
	if pool.NamesNode(b) {
		why = stats.RedirectUnknown
	}
	if _, asking, known := e.Pool.Target(from, b); known {
		if why = stats.RedirectMoved; asking {
			why = stats.RedirectAsk
		}
	}
	e.Stats.Redirects[why]++
}

// WaitsBehind has a command for all shards wait until what its client has sent before is answered, where that may still go from
// one server to another and would come behind the command there; false: it need not.
func (s *Session) WaitsBehind(spec *command.Spec, raw []byte) bool {
	if s.Owed() == 0 || !s.Door.Pool.Resends() || !spec.ReadOnly() && !spec.Flags.Has(command.FlagWrite) {
		return false
	}
	raw = bytes.Clone(raw)
	s.Begin(&Errand{Send: func(s *Session) { s.Door.Route(s, spec, raw) }, Done: func(*Session) {}})
	return true
}

// sendDeferred sends again what waits for it.
func (e *Env) sendDeferred() {
	if len(e.Later) == 0 {
		return
	}
	waiting := e.Later
	e.Later = nil
	for _, again := range waiting {
		again(e)
	}
}
