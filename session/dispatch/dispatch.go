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

// NewLoop returns what the sessions of a loop share. It has no upstream before session.NewEnv. Loop-only.
func NewLoop(clock *pool.Loop, st *stats.Loop) *session.Loop {
	l := session.NewLoop(clock, st)
	l.Dispatch, l.Route, l.Features = dispatch, routeAgain, features()
	return l
}

// dispatch carries out one request. It is session.Loop.Dispatch. Borrows req until return.
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

// decide carries out a request, or hands it to what does. The checks come in Redis's order: does the command exist, has it enough
// arguments, may this client give it.
func decide(s *session.Session, req *parser.Request) {
	env := s.Door
	env.Stats.TurnRequests++
	if env.Rules.RealNames != nil && !env.Rename(req) {
		reportHTTP(s, req.Args)
		s.Reject(nil, texts.UnknownCommand(req.Args, s.Door.ServerIs(8, 6) && !s.Door.Valkey(8)))
		return
	}
	spec := env.Memo.Lookup(req.Args[0])
	if spec == nil || !s.LoggedIn {
		if spec = lookUp(s, spec, req); spec == nil {
			return
		}
	}
	if spec.HasSubs() && len(req.Args) > 1 {
		sub := spec.Sub(req.Args[1])
		if sub == nil {
			s.LastID = command.NoID
			s.Reject(spec, texts.UnknownSubcommand(env.ShownName(req.Args[0]), req.Args[1]))
			return
		}
		spec = sub
	}
	s.LastID = spec.ID
	if text := refuses(s, spec, req); text != "" {
		s.Reject(spec, text)
		return
	}
	if s.Transaction != nil && transaction.Queue(s, spec, req) {
		return
	}
	if len(env.BusyOn) > 0 && spec.Traits.Has(command.TraitStateless) && env.Single() && !pubsub.IsLimited(s) {
		s.Pass(s.Door.Home(), spec, req) // a busy server decides whether it answers
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

// lookUp goes on with a command that is not in the table (spec is nil), or whose client has not logged in. It returns what the command is;
// nil: the request is answered, or waits until a server has said what the command is.
func lookUp(s *session.Session, spec *command.Spec, req *parser.Request) *command.Spec {
	if spec == nil && closesForeign(s, req.Args) {
		return nil
	}
	if !s.LoggedIn && (spec == nil || !spec.Flags.Has(command.FlagNoAuth)) && s.Door.Valkey(9) {
		reportHTTP(s, req.Args)
		s.Reject(nil, texts.NoAuth) // whether or not there is such a command
		return nil
	}
	if spec != nil {
		return spec
	}
	spec, ask := discovery.LookUp(s, req.Args)
	switch {
	case ask && s.LoggedIn:
		discovery.Discover(s, req)
		return nil
	case spec == nil:
		s.LastID = command.NoID
		s.Reject(nil, texts.UnknownCommand(req.Args, s.Door.ServerIs(8, 6) && !s.Door.Valkey(8)))
	}
	return spec
}

// refuses says why a command can't be given so, or not by this client; "": it can.
func refuses(s *session.Session, spec *command.Spec, req *parser.Request) (text string) {
	if !spec.ArityOK(len(req.Args)) {
		reportHTTP(s, req.Args)
		return texts.WrongArity(spec.Name)
	}
	if !s.LoggedIn && !spec.Flags.Has(command.FlagNoAuth) {
		return texts.NoAuth
	}
	if spec.ID == command.IDFunctionList {
		if text := texts.ForgedReply(req.Args); text != "" {
			return text
		}
	}
	if pubsub.IsLimited(s) && !spec.Traits.Has(command.TraitForSubscribers) {
		return texts.OnlySubscribe(spec.Name)
	}
	return ""
}

// route hands a request to what its class names, or sends it to the server of its keys.
func route(s *session.Session, spec *command.Spec, req *parser.Request) {
	if d := s.Door; d.Rules.For(spec).Plain && d.Pause.Until == 0 && !d.Single() {
		server, keys := d.Locate(req.Args[spec.FirstKey], spec)
		s.SendPlain(server, keys, spec, req)
		return
	}
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
		sameShard(s, spec, req)
	case command.ClassSplit:
		gather.Split(s, spec, req)
	case command.ClassAnyShard:
		anyShard(s, spec, req)
	case command.ClassAllShards:
		if !guard.RefusesLockout(s, spec, req) {
			allServers(s, spec, req)
		}
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

// routeAgain is route for a request that has waited. It is session.Loop.Route. Borrows raw until return.
func routeAgain(s *session.Session, spec *command.Spec, raw []byte) {
	req, ok := parser.Reparse(raw)
	if !ok {
		s.Refuse(texts.Syntax)
		return
	}
	route(s, spec, &req)
}

// noted are the commands for all shards that the proxy takes note of, by command.Spec.ID.
var noted = map[uint16]func(s *session.Session, args [][]byte){
	command.IDConfigSet:     transaction.NoteLimit,
	command.IDClientPause:   blocking.NotePause,
	command.IDClientUnpause: func(s *session.Session, _ [][]byte) { blocking.NoteUnpause(s) },
}

// allServers sends a command for all shards.
func allServers(s *session.Session, spec *command.Spec, req *parser.Request) {
	if note := noted[spec.ID]; note != nil {
		note(s, req.Args)
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

// anyShard sends a request that any server can answer to one.
func anyShard(s *session.Session, spec *command.Spec, req *parser.Request) {
	switch {
	case guard.Hides(s.Door, spec):
		guard.PassHiding(s, spec, req)
	case s.Door.HidesKeys(spec):
		s.Refuse(texts.KeysUnknown(spec.Name))
	default:
		s.Pass(session.AnyServer, spec, req)
	}
}

// sameShard sends a request to the one shard that must have all its keys.
func sameShard(s *session.Session, spec *command.Spec, req *parser.Request) {
	if spec.Blocks(req.Args) { // XREAD with BLOCK
		blocking.Block(s, spec, req)
		return
	}
	if text := s.Door.RefusesPatterns(spec, req.Args); text != "" {
		s.Refuse(text)
		return
	}
	if server, ok := s.OneShard(spec, req); ok {
		if spec.Traits.Has(command.TraitRunsScripts) {
			s.Door.Pool.ExpectScript(server)
		}
		s.Pass(server, spec, req)
	}
}
