package session

import (
	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session/texts"
	"ringmaster/shard"
)

// AnyServer asks send to choose a server for a command that any can answer.
const AnyServer = -1

// Pass sends the whole request to one server, whose reply goes to the client as it is.
func (s *Session) Pass(server int, spec *command.Spec, req *parser.Request) {
	s.Send(server, s.Door.keysOf(spec, req.Args), spec, req)
}

// Send is pass for a request of whose keys the pool's part is known.
func (s *Session) Send(server int, keys pool.Keys, spec *command.Spec, req *parser.Request) {
	if server == AnyServer {
		server = s.AnyServer()
	}
	if s.Door.Rules.reads && s.Reads(spec) {
		s.passRead(server, keys, spec, req)
		return
	}
	conn := s.Conn(server)
	if s.Door.Pool.AnyBusy() && s.turnedDown(conn, spec) {
		return
	}
	large := len(req.Raw) >= pool.LargeRequest
	if large && s.waitsForRoom(conn, req) {
		return
	}
	tag := s.Expect(len(req.Raw))
	var f *pool.Failure
	if large || s.Door.Replaying || s.Door.Rules.Of(spec).Carrier != 0 {
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
	request := pool.Request{Raw: req.Raw, Recv: s, Tag: tag, Keys: keys, Carrier: s.Door.Rules.Of(spec).Carrier}
	if request.Carrier == 0 {
		if request.Buf = s.TakeInput(req); request.Buf != nil {
			if f = conn.Enqueue(&request); f == nil {
				s.Input = nil
			}
			return f
		}
	}
	request.Manner = s.Manner(conn)
	return conn.Enqueue(&request)
}

// WaitsAt reports whether what is being sent is kept waiting by the servers.
func (s *Session) WaitsAt(conn *pool.Conn) bool { return s.Door.Replaying && conn.Own() }

// AnyServer is the first server that can answer now.
func (s *Session) AnyServer() int {
	for _, i := range s.Door.Map.Shards() {
		if s.Rings.Pick(i, s.ConnIndex).State() == pool.Ready {
			return i
		}
	}
	return s.Door.Home()
}

// busy is the error with which a server that a script keeps busy would turn down a command now; nil: it would not. What the
// session itself has under way comes first, as on a connection of its own.
func (s *Session) busy(conn *pool.Conn, spec *command.Spec) []byte {
	return s.BusyBehind(conn, spec, 0)
}

// BusyBehind is busy for a command whose own places among the replies owed are own.
func (s *Session) BusyBehind(conn *pool.Conn, spec *command.Spec, own int) []byte {
	if conn == nil || !s.Door.Pool.AnyBusy() || s.Owed() > own || spec.Flags.Has(command.FlagAllowBusy) {
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
	s.Answer(busy)
	return true
}

// OneShard is the server on which all keys of a request live; !ok: they live on several, and it was
// refused. Without keys it is the first, so that what such scripts keep is always in one place.
func (s *Session) OneShard(spec *command.Spec, req *parser.Request) (server int, ok bool) {
	env := s.Door
	if env.Single() {
		return env.Home(), true
	}
	if server, ok = env.ShardOf(spec, req.Args); !ok {
		s.Refuse(texts.CrossSlot)
	}
	return server, ok
}

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

// keysOf is keysIn for the keys of a request, if it has any. A command that was learnt, and of which the server does not say where its
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
	case spec.ID == OtherID && len(args) > 1:
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

// Refuse answers an error of the proxy's own to the command under way.
func (s *Session) Refuse(text string) {
	s.Door.Scratch = parser.AppendError(s.Door.Scratch[:0], text)
	s.Answer(s.Door.Scratch)
}

// Reject refuses a command before it is carried out or queued. If the client has said MULTI, its EXEC will be refused, too. spec is nil for
// a command that does not exist. Loop-only.
func (s *Session) Reject(spec *command.Spec, text string) {
	s.Rejected(spec)
	id := command.NoID
	if spec != nil {
		id = spec.ID
	}
	if id == command.IDExec {
		text = texts.ExecAbort(text)
	}
	s.Door.Scratch = parser.AppendError(s.Door.Scratch[:0], text)
	s.AnswerAs(id, s.Door.Scratch)
}

// AnyLimits are for what a client was allowed to send when it came.
var AnyLimits = parser.AnyLimits()

// ParseAgain parses a request that was kept; !ok: it is none. The request points into raw.
func ParseAgain(raw []byte) (req parser.Request, ok bool) {
	var p parser.RequestParser
	done, err := p.Next(raw, &AnyLimits, &req)
	return req, done && err == nil && len(req.Args) > 0
}
