package facade

import (
	"strconv"

	"ringmaster/command"
	"ringmaster/merge"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/texts"
	"ringmaster/shard"
)

// slotWalk finds the keys of a hash slot, for CLUSTER COUNTKEYSINSLOT and GETKEYSINSLOT. Plain servers keep no list of
// them, so it walks over all keys of all shards with SCAN, which delays no other client.
type slotWalk struct {
	pool.Unplaced
	session.Emission
	slot   uint16
	limit  int   // the most keys to return; -1: only count
	shards []int // the shards when it began
	server int   // index in shards
	cursor uint64
	buf    []byte              // the reply so far
	keys   map[string]struct{} // those found; SCAN may give a key twice
	found  []string            // the same keys, in the order found
	next   int                 // index in found of the next key to write
	size   int                 // of the keys kept; bytes
}

const (
	walkStep = 1000     // COUNT of each SCAN
	maxWalk  = 32 << 20 // most bytes of keys kept
)

// clusterKeysInSlot answers both commands.
func clusterKeysInSlot(s *session.Session, spec *command.Spec, req *parser.Request) {
	slot, ok := parser.Int(req.Args[2])
	if !ok {
		s.Refuse(texts.NotInteger)
		return
	}
	limit, bad := int64(-1), texts.BadSlot
	if len(req.Args) > 3 {
		if limit, ok = parser.Int(req.Args[3]); !ok {
			s.Refuse(texts.NotInteger)
			return
		}
		bad = texts.BadCount
	}
	if slot < 0 || slot >= shard.Slots || limit < 0 && bad == texts.BadCount {
		s.Refuse(bad)
		return
	}
	w := &slotWalk{
		Emission: s.Emit(len(req.Raw)), slot: uint16(slot),
		limit: int(min(limit, 1<<30)), keys: map[string]struct{}{}, shards: s.Door.Map.Shards(),
	}
	w.ask()
}

// ask sends the next SCAN.
func (w *slotWalk) ask() {
	raw := parser.AppendRequest(nil, "SCAN", strconv.FormatUint(w.cursor, 10), "COUNT", strconv.Itoa(walkStep))
	if f := w.Session.Conn(w.shards[w.server]).Enqueue(&pool.Request{Raw: raw, Recv: w, Manner: pool.Here}); f != nil {
		w.Fail(0, f)
	}
}

// Reply is pool.Receiver.
func (w *slotWalk) Reply(_ uint64, b []byte, p pool.Piece) {
	if w.Session.State == session.Closed {
		if p&pool.Last != 0 {
			w.Session.Door.Stats.Orphans++
		}
		return
	}
	w.buf = append(w.buf, b...)
	if p&pool.Last == 0 {
		return
	}
	if w.buf[0] == '-' {
		w.answer(w.buf)
		return
	}
	if text := w.readScan(); text != "" {
		w.answer(parser.AppendError(nil, text))
		return
	}
	w.buf = w.buf[:0]
	if w.cursor == 0 {
		w.server++
	}
	for w.server < len(w.shards) && w.wasRemoved(w.shards[w.server]) {
		w.server, w.cursor = w.server+1, 0
	}
	if w.server == len(w.shards) || w.full() {
		w.finish()
		return
	}
	w.ask()
}

// wasRemoved reports whether a server was taken off the list, so that its keys no longer count. The keys of a cluster's
// node have moved to another.
func (w *slotWalk) wasRemoved(server int) bool {
	env := w.Session.Door
	return env.Upstream.ListChanges && env.Map.Server(server).Addr == ""
}

// full reports whether enough keys are found.
func (w *slotWalk) full() bool { return w.limit >= 0 && len(w.found) >= w.limit }

// readScan reads the reply of a SCAN and returns the text of an error, or "".
func (w *slotWalk) readScan() string {
	cursor, rest, ok := merge.SplitScan(w.buf)
	if !ok {
		return texts.OddReply
	}
	n, at, ok := parser.ArrayHeader(rest)
	if !ok {
		return texts.OddReply
	}
	for range n {
		size := parser.ElementEnd(rest[at:])
		body := parser.LineEnd(rest[at:])
		if size < body+2 {
			return texts.OddReply
		}
		key := rest[at+body : at+size-2]
		at += size
		if shard.Slot(key) != w.slot || w.full() {
			continue
		}
		if _, known := w.keys[string(key)]; !known {
			w.found = append(w.found, string(key))
			w.keys[w.found[len(w.found)-1]] = struct{}{}
			w.Hold(len(key) + perKey)
			if w.size += len(key) + perKey; w.size > maxWalk {
				return texts.WalkSize
			}
		}
	}
	w.cursor = cursor
	return ""
}

// perKey is about what the map takes for a key besides its bytes; bytes.
const perKey = 48

// finish answers. Keys are written by a job, in pieces.
func (w *slotWalk) finish() {
	if w.limit < 0 {
		w.answer(parser.AppendInt(nil, int64(len(w.found))))
		return
	}
	w.keys = nil
	w.Session.Door.Start(w)
}

// Piece is job. It writes the keys.
func (w *slotWalk) Piece(e *session.Env) (done bool) {
	if w.HoldsOff(w) {
		return true
	}
	var b []byte
	if !w.Begun {
		b = parser.AppendArray(b, len(w.found))
	}
	for p := e.APiece(); w.next < len(w.found) && w.Session.State != session.Closed; w.next++ {
		if p.Over(e) {
			w.Give(b, false)
			return false
		}
		before := len(b)
		b = parser.AppendBulkString(b, w.found[w.next])
		w.Use(len(w.found[w.next]) + perKey)
		e.Spend(session.CopyWork + len(b) - before)
	}
	w.Give(b, true)
	return true
}

// Fail is pool.Receiver.
func (w *slotWalk) Fail(_ uint64, f *pool.Failure) {
	if w.Session.State != session.Closed {
		w.answer(session.AppendFailure(nil, f, w.Session.Door.Env))
	}
}

// answer ends the walk with a whole reply.
func (w *slotWalk) answer(reply []byte) {
	w.Give(reply, true)
}
