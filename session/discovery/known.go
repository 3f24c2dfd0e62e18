package discovery

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"

	"ringmaster/command"
	"ringmaster/session"
	"ringmaster/session/texts"
)

const (
	// MaxKnown bounds the commands that a loop remembers of an upstream, and MaxUnknown the names that no server knew. Beyond them it asks
	// each time. So names that clients make up can't fill memory, and can't hide a command.
	MaxKnown   = 1024
	MaxUnknown = 1024
	// MaxQuestions bounds how many names a loop asks an upstream for at once. Other clients wait for their turn.
	MaxQuestions = 64
	// forgetUnknown is the time after which a name that no server knew is asked for again, ns. A module may have been loaded since.
	forgetUnknown = 10e9
	// maxInfoReply bounds a server's description of a command, bytes, and maxInfoDepth how deep it may be nested.
	maxInfoReply = 1 << 20
	maxInfoDepth = 16
)

// knowledge is what a loop knows of an upstream's commands that the table lacks.
type knowledge struct {
	known   map[string]*discovered // by name
	unknown map[string]int64       // names that no server knew: when it was asked, ns

	warned    bool        // the log says that a server forbids COMMAND INFO
	questions int         // under way
	queue     []*question // wait for their turn
	// For the request that is dispatched again: the name that was asked for, and what was found.
	name   string
	answer *discovered
}

// knowledgeOf returns what the loop knows of an upstream's commands.
func knowledgeOf(e *session.Env) *knowledge {
	k, _ := e.Lessons.(*knowledge)
	if k == nil {
		k = &knowledge{}
		e.Lessons = k
	}
	return k
}

// discovered is a command that servers know.
type discovered struct {
	spec    *command.Spec // nil: there is no such command
	subs    map[string]*command.Spec
	until   int64 // when to ask again, ns; 0: never
	guessed bool  // no server describes it; it is passed on for clients that may give any command
}

// LookUp finds the command of a request with the words args among those that were discovered; nil: the client can't use such a command. ask: a
// server must be asked first (Discover). Borrows args until return. Loop-only.
func LookUp(s *session.Session, args [][]byte) (spec *command.Spec, ask bool) {
	k := knowledgeOf(s.Door.Env)
	if len(args[0]) > command.MaxWord || !couldBeCommand(args[0]) {
		return nil, false
	}
	var buf, sub [command.MaxWord]byte
	name := command.Lower(&buf, args[0])
	l := k.known[string(name)] // looking up allocates nothing
	if k.answer != nil && string(name) == k.name {
		l = k.answer
	}
	now := s.Door.Pool.Now
	switch {
	case l == nil:
		at, asked := k.unknown[string(name)]
		return nil, !asked || now-at > forgetUnknown
	case l.until > 0 && now > l.until:
		return nil, true
	case l.subs != nil && len(args) > 1:
		word := command.Lower(&sub, args[1])
		return asAllowed(s.Door, name, word, l, l.subs[string(word)]), false
	}
	return asAllowed(s.Door, name, nil, l, l.spec), false
}

// couldBeCommand reports whether a command could have this name.
func couldBeCommand(name []byte) bool {
	for _, c := range name {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return len(name) > 0
}

// forbidsCommand reports whether an error says that the proxy may not use COMMAND.
func forbidsCommand(reply []byte) bool {
	return bytes.HasPrefix(reply, texts.NoPermissionAt) || bytes.HasPrefix(reply, texts.UnknownAt)
}

// warnNoCommandInfo tells the operator once that commands can't be discovered.
func warnNoCommandInfo(e *session.Env) {
	if k := knowledgeOf(e); !k.warned {
		k.warned = true
		e.Logger().Warn("a server does not let ringmaster use COMMAND INFO, so commands that ringmaster does not know, such as those of modules, are refused as unknown; "+
			"with one server and --admin-commands allow, they are passed on", slog.String("server", e.Map.Server(e.Home()).Name))
	}
}

// guess says what to do with a command that the servers do not describe. It is passed on if there is one server and clients may give any
// command. It goes over the client's own connection, because it may leave state there.
func guess(e *session.Env, name string) *discovered {
	warnNoCommandInfo(e)
	l := &discovered{until: e.Pool.Now + forgetUnknown}
	if e.Single() && slices.ContainsFunc(e.Doors, allowsAnyCommand) {
		l.guessed = true
		l.spec = &command.Spec{ID: command.OtherID, Name: name, Arity: -1, Class: command.ClassPinned}
	}
	knowledgeOf(e).add(name, l, e.Pool.Now)
	return l
}

// Remember takes a server's reply to COMMAND INFO for a name, and remembers what it says. Borrows reply until return. Loop-only.
func Remember(e *session.Env, name string, reply []byte) *discovered {
	l := &discovered{}
	defer func() { knowledgeOf(e).add(name, l, e.Pool.Now) }()
	value, ok := decode(reply, maxInfoDepth)
	if !ok {
		return l
	}
	infos, err := command.ParseInfo(value)
	if err != nil {
		return l
	}
	known, err := command.Learn(infos)
	if err != nil {
		return l
	}
	l.spec, l.subs = known.Spec, known.Subs
	giveID(l.spec)
	for _, sub := range l.subs {
		giveID(sub)
	}
	return l
}

// giveID gives a command that the table lacks its ID.
func giveID(spec *command.Spec) {
	if spec != nil && spec.ID == command.NoID { // otherwise it is one of the table's, by another name
		spec.ID = command.OtherID
	}
}

// asAllowed returns a discovered command as the clients of this door may use it; nil: for them it does not exist. The operator may deny it by
// the name that clients know or by the server's.
func asAllowed(d *session.Door, name, sub []byte, l *discovered, spec *command.Spec) *command.Spec {
	switch {
	case spec == nil || spec.ID != command.OtherID:
		return spec
	case l.guessed && !allowsAnyCommand(d):
		return nil
	case len(d.Rules.Denied) > 0 && Denies(d.Rules, string(name), string(sub), spec):
		return &command.Spec{ID: command.OtherID, Name: spec.Name, Arity: spec.Arity, Flags: spec.Flags, Class: command.ClassRefused, IfAllowed: command.ClassRefused}
	}
	return spec
}

// allowsAnyCommand reports whether the clients of a door may give any command.
func allowsAnyCommand(d *session.Door) bool {
	return d.Config.AdminCommands && len(d.Config.DenyCommands) == 0 && !d.Config.DenyScripts
}

// Denies reports whether the operator denies a command that the table lacks. name and sub are what the client calls it. Loop-only.
func Denies(r *session.Rules, name, sub string, spec *command.Spec) bool {
	server, _, isSub := strings.Cut(spec.Name, "|")
	return r.Denied[name] || r.Denied[server] || isSub && (r.Denied[name+"|"+sub] || r.Denied[spec.Name])
}

// add remembers what a name stands for, if there is room.
func (k *knowledge) add(name string, l *discovered, now int64) {
	delete(k.known, name)
	delete(k.unknown, name)
	if l.spec != nil {
		if k.known == nil {
			k.known = map[string]*discovered{}
		}
		if len(k.known) < MaxKnown {
			k.known[name] = l
		}
		return
	}
	if k.unknown == nil {
		k.unknown = map[string]int64{}
	}
	if len(k.unknown) < MaxUnknown || k.forgetOld(now) {
		k.unknown[name] = now
	}
}

// forgetOld makes room among the names that no server knew. false: there is none.
func (k *knowledge) forgetOld(now int64) bool {
	for name, at := range k.unknown {
		if now-at > forgetUnknown {
			delete(k.unknown, name)
		}
	}
	return len(k.unknown) < MaxUnknown
}
