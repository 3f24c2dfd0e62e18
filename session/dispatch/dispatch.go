package dispatch

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/blocking"
	"ringmaster/session/discovery"
	"ringmaster/session/gather"
	"ringmaster/session/guard"
	"ringmaster/session/pubsub"
	"ringmaster/session/texts"
	"ringmaster/session/tracking"
	"ringmaster/session/transaction"
	"ringmaster/stats"
)

// NewLoop makes what the sessions of a loop share. There is nobody to talk to before NewEnv.
func NewLoop(clock *pool.Loop, st *stats.Loop) *session.Loop {
	l := session.NewLoop(clock, st)
	l.Dispatch, l.Route, l.Features = dispatch, routeAgain, features()
	return l
}

// dispatch looks at one request and sends it on its way.
func dispatch(s *session.Session, req *parser.Request) {
	t := tracking.StateOf(s.Pin)
	if t == nil || t.Caching == "" {
		decide(s, req)
		return
	}
	t.ClearSpentCaching()
	client := bytes.EqualFold(req.Args[0], []byte("client"))
	decide(s, req)
	if t = tracking.StateOf(s.Pin); t != nil && !client {
		t.ClearCaching(s)
	}
}

// decide finds out what is to become of a request. The checks come in Redis's order: does the
// command exist, has it enough arguments, may this client.
func decide(s *session.Session, req *parser.Request) {
	env := s.Door
	env.Stats.TurnRequests++
	if env.Rules.RealNames != nil && !env.Rename(req) {
		s.ForeignLine(req.Args)
		transaction.Reject(s, nil, texts.UnknownCommand(req.Args))
		return
	}
	spec := env.Memo.Lookup(req.Args[0])
	if spec == nil && s.Foreign(req.Args) {
		return
	}
	if !s.LoggedIn && (spec == nil || !spec.Flags.Has(command.FlagNoAuth)) && env.Valkey(9) {
		s.ForeignLine(req.Args)
		transaction.Reject(s, nil, texts.NoAuth) // whether or not there is such a command
		return
	}
	if spec == nil {
		var ask bool
		if spec, ask = discovery.LookupLearned(s, req.Args); ask && s.LoggedIn {
			discovery.Discover(s, req)
			return
		}
		if spec == nil {
			s.LastID = command.NoID
			transaction.Reject(s, nil, texts.UnknownCommand(req.Args))
			return
		}
	}
	if spec.HasSubs() && len(req.Args) > 1 {
		sub := spec.Sub(req.Args[1])
		if sub == nil {
			s.LastID = command.NoID
			transaction.Reject(s, spec, texts.UnknownSubcommand(env.ShownName(req.Args[0]), req.Args[1]))
			return
		}
		spec = sub
	}
	s.LastID = spec.ID
	if !spec.ArityOK(len(req.Args)) {
		s.ForeignLine(req.Args)
		transaction.Reject(s, spec, texts.WrongArity(spec.Name))
		return
	}
	if !s.LoggedIn && !spec.Flags.Has(command.FlagNoAuth) {
		transaction.Reject(s, spec, texts.NoAuth)
		return
	}
	if spec.ID == command.IDFunctionList {
		if text := texts.ForgedReply(req.Args); text != "" {
			transaction.Reject(s, spec, text)
			return
		}
	}
	if pubsub.IsLimited(s) && !spec.Traits.Has(command.TraitForSubscribers) {
		transaction.Reject(s, spec, texts.OnlySubscribe(spec.Name))
		return
	}
	if s.Transaction != nil && transaction.Queue(s, spec, req) {
		return
	}
	if len(env.BusyOn) > 0 && spec.Traits.Has(command.TraitStateless) && env.Single() && !pubsub.IsLimited(s) {
		s.Pass(s.Door.Home(), spec, req) // it is for the server to say whether it answers
		return
	}
	if h := env.Rules.For(spec).Handler; h != nil {
		env.Asking = s
		h(s, spec, req)
		env.Asking = nil
		return
	}
	route(s, spec, req)
}

// route sends a request to the servers that its class and keys name.
func route(s *session.Session, spec *command.Spec, req *parser.Request) {
	class := s.Door.ClassOf(spec)
	if s.Door.Pause.Until > 0 && blocking.KeptWaiting(s, spec, class) {
		blocking.Postpone(s, spec, req.Raw)
		return
	}
	if carrier := s.Door.Rules.For(spec).Carrier; carrier != 0 && s.GoesApart(spec, class, carrier, req) {
		return
	}
	switch class {
	case command.ClassSingle:
		if s.Door.Single() {
			s.Send(s.Door.Home(), s.Door.KeysIn(s.Door.Home(), spec), spec, req)
			return
		}
		server, keys := s.Door.Locate(req.Args[spec.FirstKeyPos(req.Args)], spec)
		s.Send(server, keys, spec, req)
	case command.ClassSameShard:
		if spec.Blocks(req.Args) { // XREAD with BLOCK
			blocking.Block(s, spec, req)
			return
		}
		if text := s.Door.RefusesPatterns(spec, req.Args); text != "" {
			s.Refuse(text)
			return
		}
		sameShard(s, spec, req)
	case command.ClassSplit:
		gather.Split(s, spec, req)
	case command.ClassAnyShard:
		switch {
		case guard.Hides(s.Door, spec):
			guard.PassHiding(s, spec, req)
			return
		case s.Door.HidesKeys(spec):
			s.Refuse(texts.KeysUnknown(spec.Name))
			return
		}
		s.Pass(session.AnyServer, spec, req)
	case command.ClassAllShards:
		if guard.RefusesLockout(s, spec, req) {
			return
		}
		allServers(s, spec, req)
	case command.ClassScan:
		if !s.WaitsBehind(spec, req.Raw) {
			gather.Scan(s, spec, req)
		}
	case command.ClassNamedShard:
		gather.NamedShard(s, spec, req)
	case command.ClassTransaction:
		transaction.Handle(s, spec, req)
	case command.ClassBlocking:
		if s.Door.HidesKeys(spec) {
			s.Refuse(texts.KeysUnknown(spec.Name))
			return
		}
		blocking.Block(s, spec, req)
	case command.ClassPinned:
		tracking.Handle(s, spec, req)
	case command.ClassPubSub:
		pubsub.Handle(s, spec, req)
	case command.ClassRefused:
		s.Refuse(texts.NoPermission(spec.Name))
	default:
		s.Refuse(texts.Unsupported(spec.Name))
	}
}

// routeAgain is route for a request that has waited.
func routeAgain(s *session.Session, spec *command.Spec, raw []byte) {
	req, ok := parser.Reparse(raw)
	if !ok {
		s.Refuse(texts.Syntax)
		return
	}
	route(s, spec, &req)
}

// allServers sends a command for all shards, and does here what it asks for.
func allServers(s *session.Session, spec *command.Spec, req *parser.Request) {
	switch spec.ID {
	case command.IDConfigSet:
		transaction.NoteLimit(s, req.Args)
	case command.IDClientPause:
		blocking.NotePause(s, req.Args)
	case command.IDClientUnpause:
		blocking.NoteUnpause(s)
	}
	switch {
	case spec.Traits.Has(command.TraitEndsWaits), spec.ID == command.IDShutdown && s.Door.Pool.AnyBusy():
		gather.KillScript(s, spec, req)
	case spec.ID == command.IDFunctionStats: // must not queue behind the script that it reports on
		gather.AskOfScript(s, spec, req)
	default:
		gather.AllShards(s, spec, req)
	}
}

// sameShard passes a request whose keys must all live on one shard.
func sameShard(s *session.Session, spec *command.Spec, req *parser.Request) {
	if server, ok := s.OneShard(spec, req); ok {
		if spec.Traits.Has(command.TraitRunsScripts) {
			s.Door.Pool.ExpectScript(server)
		}
		s.Pass(server, spec, req)
	}
}
