package session

import (
	"strconv"

	"ringmaster/command"
	"ringmaster/merge"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/shard"
)

// slotWalk looks for the keys of a hash slot, for CLUSTER COUNTKEYSINSLOT and GETKEYSINSLOT: plain servers keep no list
// of them, so it walks over all keys of all shards with SCAN, which holds nobody up.
type slotWalk struct {
	pool.Unplaced
	emission
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
func (s *Session) clusterKeysInSlot(spec *command.Spec, req *parser.Request) {
	slot, ok := parser.Int(req.Args[2])
	if !ok {
		s.refuse(errNotInteger)
		return
	}
	limit, bad := int64(-1), errBadSlot
	if len(req.Args) > 3 {
		if limit, ok = parser.Int(req.Args[3]); !ok {
			s.refuse(errNotInteger)
			return
		}
		bad = errBadCount
	}
	if slot < 0 || slot >= shard.Slots || limit < 0 && bad == errBadCount {
		s.refuse(bad)
		return
	}
	w := &slotWalk{
		emission: s.emit(len(req.Raw)), slot: uint16(slot),
		limit: int(min(limit, 1<<30)), keys: map[string]struct{}{}, shards: s.env.Map.Shards(),
	}
	w.ask()
}

// ask sends the next SCAN.
func (w *slotWalk) ask() {
	raw := appendRequest(nil, "SCAN", strconv.FormatUint(w.cursor, 10), "COUNT", itoa(walkStep))
	if f := w.s.conn(w.shards[w.server]).Enqueue(&pool.Request{Raw: raw, Recv: w, Manner: pool.Here}); f != nil {
		w.Fail(0, f)
	}
}

// Reply is pool.Receiver.
func (w *slotWalk) Reply(_ uint64, b []byte, p pool.Piece) {
	if w.s.state == closed {
		if p&pool.Last != 0 {
			w.s.env.Stats.Orphans++
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
	env := w.s.env
	return env.Upstream.ListChanges && env.Map.Server(server).Addr == ""
}

// full reports whether as many keys are found as were asked for.
func (w *slotWalk) full() bool { return w.limit >= 0 && len(w.found) >= w.limit }

// take reads the reply of a SCAN; it gives an error's text, or "".
func (w *slotWalk) take() string {
	cursor, rest, ok := merge.SplitScan(w.buf)
	if !ok {
		return errOddReply
	}
	n, at, ok := parser.ArrayHeader(rest)
	if !ok {
		return errOddReply
	}
	for range n {
		size := parser.ElementEnd(rest[at:])
		body := parser.LineEnd(rest[at:])
		if size < body+2 {
			return errOddReply
		}
		key := rest[at+body : at+size-2]
		at += size
		if shard.Slot(key) != w.slot || w.full() {
			continue
		}
		if _, known := w.keys[string(key)]; !known {
			w.found = append(w.found, string(key))
			w.keys[w.found[len(w.found)-1]] = struct{}{}
			w.hold(len(key) + perKey)
			if w.size += len(key) + perKey; w.size > maxWalk {
				return errWalkSize
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
	w.s.env.start(w)
}

// piece is job: it hands out the keys.
func (w *slotWalk) piece(e *Env) (done bool) {
	if w.holdsOff(w) {
		return true
	}
	var b []byte
	if !w.begun {
		b = parser.AppendArray(b, len(w.found))
	}
	for p := e.aPiece(); w.next < len(w.found) && w.s.state != closed; w.next++ {
		if p.over(e) {
			w.put(b, false)
			return false
		}
		before := len(b)
		b = parser.AppendBulkString(b, w.found[w.next])
		w.use(len(w.found[w.next]) + perKey)
		e.spend(copyWork + len(b) - before)
	}
	w.put(b, true)
	return true
}

// Fail is pool.Receiver.
func (w *slotWalk) Fail(_ uint64, f *pool.Failure) {
	if w.s.state != closed {
		w.end(appendFailure(nil, f, w.s.env.Env))
	}
}

// end answers.
func (w *slotWalk) end(reply []byte) {
	w.put(reply, true)
}
