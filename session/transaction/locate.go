package transaction

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/session/pubsub"
	"ringmaster/session/texts"
)

// A transaction runs at one server. It is the server of the first queued command that has a key, and the other commands must fit it.

// targetServer is the server to which the transaction would go now.
func targetServer(s *session.Session) int {
	switch p, tx := s.Pin, of(s); {
	case tx.server != session.AnyServer:
		return tx.server
	case s.Door.Single():
		return s.Door.Home()
	case p != nil && p.Conn != nil && (p.Watches || p.Dirty):
		return p.Server
	}
	return s.AnyServer()
}

// locateCommand finds the server of a command that is about to be queued; at commands are queued before it. It returns why the command
// can't be queued; "": it can.
func locateCommand(s *session.Session, spec *command.Spec, args [][]byte, raw []byte, at int) (text string) {
	env := s.Door
	switch env.ClassOf(spec) {
	case command.ClassAllShards:
		if queueForAllShards(s, spec, args, raw, at) {
			return ""
		}
		return texts.NotInTransaction(spec.Name)
	case command.ClassScan, command.ClassPinned:
		return texts.NotInTransaction(spec.Name)
	}
	if env.HidesKeys(spec) {
		return texts.KeysUnknown(spec.Name)
	}
	if text := env.RefusesPatterns(spec, args); text != "" {
		return text
	}
	if spec.Traits.Has(command.TraitPublishes) {
		switch {
		case !env.Map.Slotted():
			return locateAt(s, pubsub.ChannelServer(env.Env, pubsub.Channel, args[1]), nil)
		case spec.ID == command.IDSpublish:
			return locateKey(s, args[1])
		}
		return ""
	}
	keys, err := spec.AppendKeys(env.Keys[:0], args)
	env.Keys = keys
	if err != nil {
		return "" // the server says what is wrong with it
	}
	for i, k := range keys {
		key := args[k]
		if i > 0 && !env.Map.Together(key, args[keys[0]]) {
			return texts.CrossSlot
		}
		if text := locateKey(s, key); text != "" {
			return text
		}
	}
	return ""
}

// locateKey notes that the transaction has a key. It returns why the transaction can't have it; "": it can. A node of a Redis Cluster
// queues a command for another of its own hash slots and refuses EXEC; it refuses at once a command for another node.
func locateKey(s *session.Session, key []byte) (text string) {
	tx, m := of(s), s.Door.Map
	if m.Slotted() && tx.key != nil && !m.Together(key, tx.key) && m.Lookup(key) == m.Lookup(tx.key) {
		tx.crossed = true
		return ""
	}
	return locateAt(s, m.Lookup(key), key)
}

// locateAt notes that the transaction is for server, where key is; nil: a channel is there. It returns why the transaction can't be for
// server; "": it can. It can't be if it is for another server already, or if the session watches keys at another.
func locateAt(s *session.Session, server int, key []byte) (text string) {
	tx, m := of(s), s.Door.Map
	if p := s.Pin; p != nil && p.Watches && p.Server != server && !m.Random() && !watchOutdated(p) && !inWatchedSlot(p, key) {
		return texts.CrossSlot
	}
	at := tx.server
	if tx.key != nil {
		at = m.Lookup(tx.key) // it may have moved
	}
	switch {
	case tx.server == session.AnyServer:
		tx.server = server
	case at != server && !m.Random():
		return texts.CrossSlot
	}
	if tx.key == nil {
		tx.key = bytes.Clone(key)
	}
	return ""
}

// relocate finds the server of all queued commands by the present map, unless they were located by it. It returns why they can't be sent
// to one server; "": they can.
func relocate(s *session.Session) (text string) {
	tx, env := of(s), s.Door
	if tx.version == env.Version {
		return ""
	}
	tx.version = env.Version
	if env.Map.Slotted() {
		return "" // keys of several slots were refused; exec finds the server of the slot
	}
	tx.server, tx.key = session.AnyServer, nil
	for _, c := range tx.allShards {
		tx.size -= len(c.raw) + localOverhead
	}
	tx.allShards = nil
	if env.Single() {
		return ""
	}
	var p parser.RequestParser
	var req parser.Request
	limits, rest := parser.AnyLimits(), tx.buf.B
	for i := range tx.n + 1 {
		if done, err := p.Next(rest, &limits, &req); !done || err != nil {
			return texts.Syntax
		}
		rest = rest[req.Size:]
		if i == 0 {
			continue // MULTI
		}
		if text := locateCommand(s, tx.specs[i-1], req.Args, req.Raw, i-1); text != "" {
			return text
		}
	}
	return ""
}

// relocateForExec finds the server of the transaction by the present map, unless it was located by it. false: the keys are at several
// servers, and EXEC was refused.
func relocateForExec(s *session.Session) bool {
	tx := of(s)
	if tx.version == s.Door.Version {
		return true
	}
	if text := relocate(s); text != "" {
		endTransaction(s)
		if text != texts.CrossSlot {
			text = texts.ExecAbort(text)
		}
		s.Refuse(text)
		return false
	}
	if tx.key != nil && !s.Door.Map.Random() {
		tx.server = s.Door.Map.Lookup(tx.key)
	}
	tx.server = targetServer(s)
	return true
}
