package session

import (
	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/shard"
)

// anyServer asks send to choose a server for a command that any can answer.
const anyServer = -1

// pass sends the whole request to one server, whose reply goes to the client as it is.
func (s *Session) pass(server int, spec *command.Spec, req *parser.Request) {
	s.send(server, s.env.keysOf(spec, req.Args), spec, req)
}

// send is pass for a request of whose keys the pool's part is known.
func (s *Session) send(server int, keys pool.Keys, spec *command.Spec, req *parser.Request) {
	if server == anyServer {
		server = s.anyServer()
	}
	if s.env.Rules.reads && s.reads(spec) {
		s.passRead(server, keys, spec, req)
		return
	}
	conn := s.conn(server)
	if s.env.Pool.AnyBusy() && s.turnedDown(conn, spec) {
		return
	}
	large := len(req.Raw) >= pool.LargeRequest
	if large && s.waitsForRoom(conn, req) {
		return
	}
	tag := s.expect(len(req.Raw))
	var f *pool.Failure
	if large || s.env.replaying || s.env.Rules.of(spec).carrier != 0 {
		f = s.passOdd(conn, keys, spec, req, tag)
	} else {
		f = conn.Enqueue(&pool.Request{Raw: req.Raw, Recv: s, Tag: tag, Keys: keys})
	}
	if f != nil {
		s.Fail(tag, f)
	}
}

// passOdd is pass for a request that is large, a carrier, or postponed.
func (s *Session) passOdd(conn *pool.Conn, keys pool.Keys, spec *command.Spec, req *parser.Request, tag uint64) (f *pool.Failure) {
	request := pool.Request{Raw: req.Raw, Recv: s, Tag: tag, Keys: keys, Carrier: s.env.Rules.of(spec).carrier}
	if request.Carrier == 0 {
		if request.Buf = s.takeInput(req); request.Buf != nil {
			if f = conn.Enqueue(&request); f == nil {
				s.in = nil
			}
			return f
		}
	}
	request.Manner = s.manner(conn)
	return conn.Enqueue(&request)
}

// waitsAt reports whether what is being sent is kept waiting by the servers.
func (s *Session) waitsAt(conn *pool.Conn) bool { return s.env.replaying && conn.Own() }

// anyServer is the first server that can answer now.
func (s *Session) anyServer() int {
	for _, i := range s.env.Map.Shards() {
		if s.rings.Pick(i, s.seat).State() == pool.Ready {
			return i
		}
	}
	return s.env.home()
}

// busy is the error with which a server that a script keeps busy would turn down a command now; nil: it would not. What the
// session itself has under way comes first, as on a connection of its own.
func (s *Session) busy(conn *pool.Conn, spec *command.Spec) []byte {
	return s.busyBehind(conn, spec, 0)
}

// busyBehind is busy for a command whose own places among the replies owed are own.
func (s *Session) busyBehind(conn *pool.Conn, spec *command.Spec, own int) []byte {
	if conn == nil || !s.env.Pool.AnyBusy() || s.Owed() > own || spec.Flags.Has(command.FlagAllowBusy) {
		return nil
	}
	return conn.Busy()
}

// turnedDown answers for a server that a script keeps busy; false: the command can be sent.
func (s *Session) turnedDown(conn *pool.Conn, spec *command.Spec) bool {
	busy := s.busy(conn, spec)
	if busy == nil {
		return false
	}
	s.answer(busy)
	return true
}

// oneShard is the server on which all keys of a request live; !ok: they live on several, and it was
// refused. Without keys it is the first, so that what such scripts keep is always in one place.
func (s *Session) oneShard(spec *command.Spec, req *parser.Request) (server int, ok bool) {
	env := s.env
	if env.single() {
		return env.home(), true
	}
	if server, ok = env.shardOf(spec, req.Args); !ok {
		s.refuse(errCrossSlot)
	}
	return server, ok
}

// locate is the server of a key, and what the pool has to know of it.
func (e *Env) locate(key []byte, spec *command.Spec) (server int, keys pool.Keys) {
	if !e.Map.Slotted() {
		server = e.Map.Lookup(key)
		return server, e.keysIn(server, spec)
	}
	slot := shard.Slot(key)
	return e.Map.SlotServer(slot), e.keysIn(int(slot), spec)
}

// keysIn is what the pool has to know of a command whose keys have one hash slot, or are on one shard where there are no slots.
func (e *Env) keysIn(slot int, spec *command.Spec) pool.Keys {
	if !e.Pool.Resends() {
		return 0 // it does not look
	}
	if e.Map.Random() {
		slot = min(slot, 0) // any shard may have any key
	}
	return pool.KeysIn(slot, spec.ReadOnly())
}

// keysOf is keysIn for the keys of a request, if it has any. A command that was learnt, and of which the server does not say where its
// keys are, is taken to begin with one.
func (e *Env) keysOf(spec *command.Spec, args [][]byte) pool.Keys {
	if !e.Pool.Resends() {
		return 0
	}
	keys, err := spec.AppendKeys(e.keys[:0], args)
	e.keys = keys
	switch {
	case err == nil && len(keys) > 0:
		return e.keysIn(slotOf(args[keys[0]], e.Map), spec)
	case spec.ID == otherID && len(args) > 1:
		return e.keysIn(slotOf(args[1], e.Map), spec)
	}
	return 0
}

// shardOf is the server on which all keys of a request live; !ok: they live on several.
func (e *Env) shardOf(spec *command.Spec, args [][]byte) (server int, ok bool) {
	keys, err := spec.AppendKeys(e.keys[:0], args)
	e.keys = keys
	if err != nil || len(keys) == 0 {
		return e.home(), true // Redis says what is wrong with it
	}
	for _, k := range keys[1:] {
		if !e.Map.Together(args[keys[0]], args[k]) {
			return 0, false
		}
	}
	return e.Map.Lookup(args[keys[0]]), true
}

// refusesPatterns says why a request can't be sent whose patterns stand for keys that may be on any shard; "": it can.
func (e *Env) refusesPatterns(spec *command.Spec, args [][]byte) string {
	if e.single() {
		return ""
	}
	e.keys = spec.AppendPatterns(e.keys[:0], args)
	for _, i := range e.keys {
		if !e.Map.TogetherWithAll(args[1], args[i]) {
			return sortDenied(args[i-1])
		}
	}
	return ""
}

// refuse answers an error of the proxy's own to the command under way.
func (s *Session) refuse(text string) {
	s.env.scratch = parser.AppendError(s.env.scratch[:0], text)
	s.answer(s.env.scratch)
}

// anyLimits are for what a client was allowed to send when it came.
var anyLimits = parser.AnyLimits()

// parseAgain parses a request that was kept; !ok: it is none. The request points into raw.
func parseAgain(raw []byte) (req parser.Request, ok bool) {
	var p parser.RequestParser
	done, err := p.Next(raw, &anyLimits, &req)
	return req, done && err == nil && len(req.Args) > 0
}
