package session

import (
	"ringmaster/command"
	"ringmaster/pool"
	"ringmaster/session/texts"
	"ringmaster/shard"
	"ringmaster/stats"
)

// Locate is the server of a key, and what the pool has to know of it.
func (e *Env) Locate(key []byte, spec *command.Spec) (server int, keys pool.Keys) {
	if !e.Map.Slotted() {
		server = e.Map.Lookup(key)
		return server, e.KeysIn(server, spec)
	}
	slot := shard.Slot(key)
	return e.Map.SlotServer(slot), e.KeysIn(int(slot), spec)
}

// KeysIn is what the pool has to know of a command whose keys have one hash slot, or are on one shard where there are no slots.
func (e *Env) KeysIn(slot int, spec *command.Spec) pool.Keys {
	if !e.Pool.Resends() {
		return 0 // it does not look
	}
	if e.Map.Random() {
		slot = min(slot, 0) // any shard may have any key
	}
	return pool.KeysIn(slot, spec.ReadOnly())
}

// keysOf is KeysIn for the keys of a request, if it has any. A command that was learnt, and of which the server does not say where its
// keys are, is taken to begin with one.
func (e *Env) keysOf(spec *command.Spec, args [][]byte) pool.Keys {
	if !e.Pool.Resends() {
		return 0
	}
	keys, err := spec.AppendKeys(e.Keys[:0], args)
	e.Keys = keys
	switch {
	case err == nil && len(keys) > 0:
		return e.KeysIn(SlotOf(args[keys[0]], e.Map), spec)
	case spec.ID == command.OtherID && len(args) > 1:
		return e.KeysIn(SlotOf(args[1], e.Map), spec)
	}
	return 0
}

// ShardOf is the server on which all keys of a request live; !ok: they live on several.
func (e *Env) ShardOf(spec *command.Spec, args [][]byte) (server int, ok bool) {
	keys, err := spec.AppendKeys(e.Keys[:0], args)
	e.Keys = keys
	if err != nil || len(keys) == 0 {
		return e.Home(), true // Redis says what is wrong with it
	}
	for _, k := range keys[1:] {
		if !e.Map.Together(args[keys[0]], args[k]) {
			return 0, false
		}
	}
	return e.Map.Lookup(args[keys[0]]), true
}

// RefusesPatterns says why a request can't be sent whose patterns stand for keys that may be on any shard; "": it can.
func (e *Env) RefusesPatterns(spec *command.Spec, args [][]byte) string {
	if e.Single() {
		return ""
	}
	e.Keys = spec.AppendPatterns(e.Keys[:0], args)
	for _, i := range e.Keys {
		if !e.Map.TogetherWithAll(args[1], args[i]) {
			return texts.SortDenied(args[i-1])
		}
	}
	return ""
}

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

// What a server refuses since the keys are elsewhere, or since it can't answer now, is sent again: by package pool, or if it is more than
// one request on a shared connection, by who has sent it (piece.go, apart.go, blocked.go).

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

// HidesKeys reports whether a command that was learnt has keys of which the server does not say where they are.
func (e *Env) HidesKeys(spec *command.Spec) bool {
	return spec.ID == command.OtherID && spec.Find == command.FindNone && spec.Flags.Has(command.FlagMovableKeys) && !e.Single()
}

// ClassOf is how a command is routed here.
func (d *Door) ClassOf(spec *command.Spec) command.Class {
	if spec.ID != command.OtherID {
		return d.Rules.For(spec).class
	}
	if spec.Class == command.ClassRefused && d.Config.AdminCommands {
		return spec.IfAllowed
	}
	return spec.Class
}
