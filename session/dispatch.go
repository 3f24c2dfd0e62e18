package session

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/shard"
)

// anyServer asks dispatch to choose a server for a command that any can answer.
const anyServer = -1

// dispatch looks at one request and sends it on its way.
func (s *Session) dispatch(req *parser.Request) {
	if s.pin == nil || s.pin.tracking.caching == "" {
		s.decide(req)
		return
	}
	s.pin.tracking.renew()
	client := bytes.EqualFold(req.Args[0], []byte("client"))
	s.decide(req)
	if s.pin != nil && !client {
		s.pin.tracking.used(s)
	}
}

// decide finds out what is to become of a request. The checks come in Redis's order: does the
// command exist, has it enough arguments, may this client.
func (s *Session) decide(req *parser.Request) {
	env := s.env
	env.Stats.TurnRequests++
	if env.Rules.realNames != nil && !env.rename(req) {
		s.foreignLine(req.Args)
		s.reject(nil, unknownCommand(req.Args))
		return
	}
	spec := env.memo.Lookup(req.Args[0])
	if spec == nil && s.foreign(req.Args) {
		return
	}
	if !s.authed && (spec == nil || !spec.Flags.Has(command.FlagNoAuth)) && env.valkey(9) {
		s.foreignLine(req.Args)
		s.reject(nil, errNoAuth) // whether or not there is such a command
		return
	}
	if spec == nil {
		var ask bool
		if spec, ask = s.lookupLearned(req.Args); ask && s.authed {
			s.discover(req)
			return
		}
		if spec == nil {
			s.last = command.NoID
			s.reject(nil, unknownCommand(req.Args))
			return
		}
	}
	if spec.HasSubs() && len(req.Args) > 1 {
		sub := spec.Sub(req.Args[1])
		if sub == nil {
			s.last = command.NoID
			s.reject(spec, unknownSubcommand(env.shownName(req.Args[0]), req.Args[1]))
			return
		}
		spec = sub
	}
	s.last = spec.ID
	if !spec.ArityOK(len(req.Args)) {
		s.foreignLine(req.Args)
		s.reject(spec, wrongArity(spec.Name))
		return
	}
	if !s.authed && !spec.Flags.Has(command.FlagNoAuth) {
		s.reject(spec, errNoAuth)
		return
	}
	if spec.ID == command.IDFunctionList {
		if text := forgedReply(req.Args); text != "" {
			s.reject(spec, text)
			return
		}
	}
	if s.limited() && !spec.Traits.Has(command.TraitForSubscribers) {
		s.reject(spec, onlySubscribe(spec.Name))
		return
	}
	if s.tx != nil && s.queue(spec, req) {
		return
	}
	if len(env.busyOn) > 0 && spec.Traits.Has(command.TraitStateless) && env.single() && !s.limited() {
		s.pass(s.env.home(), spec, req) // it is for the server to say whether it answers
		return
	}
	if h := env.Rules.of(spec).handler; h != nil {
		env.asking = s
		h(s, spec, req)
		env.asking = nil
		return
	}
	s.route(spec, req)
}

// route sends a request to the servers that its class and keys name.
func (s *Session) route(spec *command.Spec, req *parser.Request) {
	class := s.env.classOf(spec)
	if s.env.pause.until > 0 && s.keptWaiting(spec, class) {
		s.postpone(spec, req.Raw)
		return
	}
	if carrier := s.env.Rules.of(spec).carrier; carrier != 0 && s.goesApart(spec, class, carrier, req) {
		return
	}
	switch class {
	case command.ClassSingle:
		if s.env.single() {
			s.send(s.env.home(), s.env.keysIn(s.env.home(), spec), spec, req)
			return
		}
		server, keys := s.env.locate(req.Args[spec.FirstKeyPos(req.Args)], spec)
		s.send(server, keys, spec, req)
	case command.ClassSameShard:
		if spec.Blocks(req.Args) { // XREAD with BLOCK
			s.block(spec, req)
			return
		}
		if text := s.env.refusesPatterns(spec, req.Args); text != "" {
			s.refuse(text)
			return
		}
		s.sameShard(spec, req)
	case command.ClassSplit:
		s.split(spec, req)
	case command.ClassAnyShard:
		switch {
		case s.env.hides(spec):
			s.passHiding(spec, req)
			return
		case s.env.hidesKeys(spec):
			s.refuse(keysUnknown(spec.Name))
			return
		}
		s.pass(anyServer, spec, req)
	case command.ClassAllShards:
		if s.refusesLockout(spec, req) {
			return
		}
		s.allServers(spec, req)
	case command.ClassScan:
		if !s.waitsBehind(spec, req.Raw) {
			s.scan(spec, req)
		}
	case command.ClassNamedShard:
		s.namedShard(spec, req)
	case command.ClassTransaction:
		s.transact(spec, req)
	case command.ClassBlocking:
		if s.env.hidesKeys(spec) {
			s.refuse(keysUnknown(spec.Name))
			return
		}
		s.block(spec, req)
	case command.ClassPinned:
		s.pinned(spec, req)
	case command.ClassPubSub:
		s.pubSub(spec, req)
	case command.ClassRefused:
		s.refuse(noPermission(spec.Name))
	default:
		s.refuse(unsupported(spec.Name))
	}
}

// allServers sends a command for all shards, and does here what it asks for.
func (s *Session) allServers(spec *command.Spec, req *parser.Request) {
	switch spec.ID {
	case command.IDConfigSet:
		s.noteLimit(req.Args)
	case command.IDClientPause:
		s.notePause(req.Args)
	case command.IDClientUnpause:
		s.noteUnpause()
	}
	switch {
	case spec.Traits.Has(command.TraitEndsWaits), spec.ID == command.IDShutdown && s.env.Pool.AnyBusy():
		s.killScript(spec, req)
	case spec.ID == command.IDFunctionStats: // must not queue behind the script that it reports on
		s.askOfScript(spec, req)
	default:
		s.allShards(spec, req)
	}
}

// routeAgain is route for a request that has waited.
func (s *Session) routeAgain(spec *command.Spec, raw []byte) {
	req, ok := parseAgain(raw)
	if !ok {
		s.refuse(errSyntax)
		return
	}
	s.route(spec, &req)
}

// anyLimits are for what a client was allowed to send when it came.
var anyLimits = parser.AnyLimits()

// parseAgain parses a request that was kept; !ok: it is none. The request points into raw.
func parseAgain(raw []byte) (req parser.Request, ok bool) {
	var p parser.RequestParser
	done, err := p.Next(raw, &anyLimits, &req)
	return req, done && err == nil && len(req.Args) > 0
}

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

// sameShard passes a request whose keys must all live on one shard.
func (s *Session) sameShard(spec *command.Spec, req *parser.Request) {
	if server, ok := s.oneShard(spec, req); ok {
		if spec.Traits.Has(command.TraitRunsScripts) {
			s.env.Pool.ExpectScript(server)
		}
		s.pass(server, spec, req)
	}
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

// reject refuses a command before it is looked into, which aborts the transaction that it was to be part
// of. spec may be nil.
func (s *Session) reject(spec *command.Spec, text string) {
	if spec != nil && spec.ID == command.IDExec {
		s.endTransaction()
		text = execAbort(text)
	} else if s.tx != nil {
		s.tx.aborted = true
	}
	cmd := command.NoID
	if spec != nil {
		cmd = spec.ID
	}
	s.env.scratch = parser.AppendError(s.env.scratch[:0], text)
	s.answerAs(cmd, s.env.scratch)
}

// refuse answers an error of the proxy's own to the command under way.
func (s *Session) refuse(text string) {
	s.env.scratch = parser.AppendError(s.env.scratch[:0], text)
	s.answer(s.env.scratch)
}
