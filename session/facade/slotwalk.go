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

// slotWalk looks for the keys of a hash slot, for CLUSTER COUNTKEYSINSLOT and GETKEYSINSLOT: plain servers keep no list
// of them, so it walks over all keys of all shards with SCAN, which holds nobody up.
type slotWalk struct {
	pool.Unplaced
	session.Emission
	slot   uint16
	limit  int   // of keys; -1: they are counted
	shards []int // as they were when it began
	server int   // of those
	cursor uint64
	buf    []byte              // the reply so far
	keys   map[string]struct{} // SCAN may give a key twice
	found  []string            // those keys
	next   int                 // of found, to be handed out
	size   int                 // of keys, bytes
}

const (
	walkStep = 1000     // keys of a SCAN, about
	maxWalk  = 32 << 20 // bytes of keys kept
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
		w.end(w.buf)
		return
	}
	if text := w.take(); text != "" {
		w.end(parser.AppendError(nil, text))
		return
	}
	w.buf = w.buf[:0]
	if w.cursor == 0 {
		w.server++
	}
	for w.server < len(w.shards) && w.hasLeft(w.shards[w.server]) {
		w.server, w.cursor = w.server+1, 0
	}
	if w.server == len(w.shards) || w.full() {
		w.finish()
		return
	}
	w.ask()
}

// hasLeft reports whether a server was taken off the list: its keys do not count any more. Those of a cluster's node are elsewhere.
func (w *slotWalk) hasLeft(server int) bool {
	env := w.Session.Door
	return env.Upstream.ListChanges && env.Map.Server(server).Addr == ""
}

// full reports whether as many keys are found as were asked for.
func (w *slotWalk) full() bool { return w.limit >= 0 && len(w.found) >= w.limit }

// take reads the reply of a SCAN; it gives an error's text, or "".
func (w *slotWalk) take() string {
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

// perKey is about what a key takes in the map beside its bytes.
const perKey = 48

// finish answers; very many keys in pieces.
func (w *slotWalk) finish() {
	if w.limit < 0 {
		w.end(parser.AppendInt(nil, int64(len(w.found))))
		return
	}
	w.keys = nil
	w.Session.Door.Start(w)
}

// Piece is job: it hands out the keys.
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
		w.end(session.AppendFailure(nil, f, w.Session.Door.Env))
	}
}

// end answers.
func (w *slotWalk) end(reply []byte) {
	w.Give(reply, true)
}
