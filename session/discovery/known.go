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

// A command that the table does not know, such as a module's, is asked of the servers once (COMMAND INFO) and
// then routed like any other.
const (
	// MaxLearned bounds the commands that a loop remembers, and MaxUnknown the names that no server knew. Beyond them it asks
	// each time: names that clients make up can neither fill memory nor hide a command.
	MaxLearned = 1024
	MaxUnknown = 1024
	// MaxQuestions bounds how many names a loop asks for at once. Others wait for their turn.
	MaxQuestions = 64
	// forgetUnknown is how long a name that no server knows is not asked for again, ns: a module may be loaded.
	forgetUnknown = 10e9
	// maxInfoReply bounds what a server may say of one command, bytes, and maxInfoDepth how deep.
	maxInfoReply = 1 << 20
	maxInfoDepth = 16
)

// lessons is what a loop knows of commands that the table lacks.
type lessons struct {
	known   map[string]*learned // by name
	unknown map[string]int64    // names that no server knew: when that was, ns

	told      bool        // that a server does not tell of its commands
	questions int         // under way
	queue     []*learning // wait until fewer are
	// For the request that is dispatched again: the name that was asked for, and what it turned out to be.
	name   string
	answer *learned
}

// lessonsOf is what is known of an upstream's.
func lessonsOf(e *session.Env) *lessons {
	k, _ := e.Lessons.(*lessons)
	if k == nil {
		k = &lessons{}
		e.Lessons = k
	}
	return k
}

// learned is a command that servers know.
type learned struct {
	spec  *command.Spec // nil: there is no such command
	subs  map[string]*command.Spec
	until int64 // when to ask again, ns; 0: never
	// guessed: no server has told of it; clients that may give any command have it passed on.
	guessed bool
}

// LookupLearned finds a command among those learned; ask: it must be asked for first.
func LookupLearned(s *session.Session, args [][]byte) (spec *command.Spec, ask bool) {
	k := lessonsOf(s.Door.Env)
	if len(args[0]) > session.MaxCommandName || !plausible(args[0]) {
		return nil, false
	}
	var buf, sub [session.MaxCommandName]byte
	name := session.Lower(&buf, args[0])
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
		word := session.Lower(&sub, args[1])
		return permit(s.Door, name, word, l, l.subs[string(word)]), false
	}
	return permit(s.Door, name, nil, l, l.spec), false
}

// plausible reports whether a command could be called so.
func plausible(name []byte) bool {
	for _, c := range name {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return len(name) > 0
}

// forbidsCommand reports whether an error is that of a server that lets the proxy not give COMMAND.
func forbidsCommand(reply []byte) bool {
	return bytes.HasPrefix(reply, texts.NoPermissionAt) || bytes.HasPrefix(reply, texts.UnknownAt)
}

// tellNoCommand tells the operator once that commands can't be learnt.
func tellNoCommand(e *session.Env) {
	if k := lessonsOf(e); !k.told {
		k.told = true
		e.Logger().Warn("a server does not let ringmaster use COMMAND INFO, so commands that ringmaster does not know, such as those of modules, are refused as unknown; "+
			"with one server and --admin-commands allow, they are passed on", slog.String("server", e.Map.Server(e.Home()).Name))
	}
}

// guess is what becomes of a command of which the servers tell nothing. With one server, and where clients may give any
// command, the server may say what it is, over a connection of the client's own: it may leave state there.
func guess(e *session.Env, name string) *learned {
	tellNoCommand(e)
	l := &learned{until: e.Pool.Now + forgetUnknown}
	if e.Single() && slices.ContainsFunc(e.Doors, trusts) {
		l.guessed = true
		l.spec = &command.Spec{ID: session.OtherID, Name: name, Arity: -1, Class: command.ClassPinned}
	}
	lessonsOf(e).keep(name, l, e.Pool.Now)
	return l
}

// Remember takes what a server says of a command.
func Remember(e *session.Env, name string, reply []byte) *learned {
	l := &learned{}
	defer func() { lessonsOf(e).keep(name, l, e.Pool.Now) }()
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
	number(l.spec)
	for _, sub := range l.subs {
		number(sub)
	}
	return l
}

// number numbers a spec that was learnt.
func number(spec *command.Spec) {
	if spec != nil && spec.ID == command.NoID { // otherwise it is one of the table's, by another name
		spec.ID = session.OtherID
	}
}

// permit is a command that was learnt as the clients of this door may use it; nil: for them there is none. The operator may deny it
// by the name that clients know or by the server's.
func permit(d *session.Door, name, sub []byte, l *learned, spec *command.Spec) *command.Spec {
	switch {
	case spec == nil || spec.ID != session.OtherID:
		return spec
	case l.guessed && !trusts(d):
		return nil
	case len(d.Rules.Denied) > 0 && Denies(d.Rules, string(name), string(sub), spec):
		return &command.Spec{ID: session.OtherID, Name: spec.Name, Arity: spec.Arity, Flags: spec.Flags, Class: command.ClassRefused, IfAllowed: command.ClassRefused}
	}
	return spec
}

// trusts reports whether clients may give any command.
func trusts(d *session.Door) bool {
	return d.Config.AdminCommands && len(d.Config.DenyCommands) == 0 && !d.Config.DenyScripts
}

// Denies reports whether the operator denies a command that the table lacks.
func Denies(r *session.Rules, name, sub string, spec *command.Spec) bool {
	server, _, isSub := strings.Cut(spec.Name, "|")
	return r.Denied[name] || r.Denied[server] || isSub && (r.Denied[name+"|"+sub] || r.Denied[spec.Name])
}

// keep remembers what a name stands for, as far as there is room.
func (k *lessons) keep(name string, l *learned, now int64) {
	delete(k.known, name)
	delete(k.unknown, name)
	if l.spec != nil {
		if k.known == nil {
			k.known = map[string]*learned{}
		}
		if len(k.known) < MaxLearned {
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

// forgetOld makes room among the names that no server knew; false: there is none.
func (k *lessons) forgetOld(now int64) bool {
	for name, at := range k.unknown {
		if now-at > forgetUnknown {
			delete(k.unknown, name)
		}
	}
	return len(k.unknown) < MaxUnknown
}
