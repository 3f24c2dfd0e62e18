package session

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/stats"
)

// NewLoop makes what the sessions of a loop share. There is nobody to talk to before NewEnv.
func NewLoop(clock *pool.Loop, st *stats.Loop) *Loop {
	l := newLoop(clock, st)
	l.Dispatch, l.Route, l.Features = (*Session).dispatch, (*Session).routeAgain, features()
	return l
}

// dispatch looks at one request and sends it on its way.
func (s *Session) dispatch(req *parser.Request) {
	t := trackingOf(s.pin)
	if t == nil || t.caching == "" {
		s.decide(req)
		return
	}
	t.renew()
	client := bytes.EqualFold(req.Args[0], []byte("client"))
	s.decide(req)
	if t = trackingOf(s.pin); t != nil && !client {
		t.used(s)
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

// routeAgain is route for a request that has waited.
func (s *Session) routeAgain(spec *command.Spec, raw []byte) {
	req, ok := parseAgain(raw)
	if !ok {
		s.refuse(errSyntax)
		return
	}
	s.route(spec, &req)
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

// sameShard passes a request whose keys must all live on one shard.
func (s *Session) sameShard(spec *command.Spec, req *parser.Request) {
	if server, ok := s.oneShard(spec, req); ok {
		if spec.Traits.Has(command.TraitRunsScripts) {
			s.env.Pool.ExpectScript(server)
		}
		s.pass(server, spec, req)
	}
}
