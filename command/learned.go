package command

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Learned is a command under a name that the table does not know.
type Learned struct {
	// Spec is the table's own if the server has renamed one of the table's commands (rename-command). Otherwise it is
	// made from the server's answer, and its ID is NoID.
	Spec *Spec
	// Subs are the subcommands, by their own names in lowercase; nil: none, or those of the table.
	Subs map[string]*Spec
}

// ErrLearned says that an answer to COMMAND INFO can't be about the requested command.
var ErrLearned = errors.New("command: the answer to COMMAND INFO makes no sense")

const refusedByServer = "the server says that it is admin, dangerous, or not for scripts"

// Learn makes a command from a server's answer to COMMAND INFO for a name that the table lacks. The answer is as
// hostile as any input, so no decision about one of the table's commands depends on a name in it. A name of the table
// means that command as the table has it, so all decisions about it hold. Any goroutine.
func Learn(infos []Info) (l Learned, err error) {
	if len(infos) == 0 {
		return l, fmt.Errorf("%w: it names no command", ErrLearned)
	}
	name := infos[0].Name
	if spec := Lookup([]byte(name)); spec != nil {
		return Learned{Spec: spec}, nil
	}
	if strings.Contains(name, "|") { // so that no name is that of a subcommand in the table
		return l, fmt.Errorf("%w: a command called %q", ErrLearned, name)
	}
	if l.Spec, err = learnSpec(infos[0]); err != nil {
		return Learned{}, err
	}
	for _, in := range infos[1:] {
		sub, ok := strings.CutPrefix(in.Name, name+"|")
		if !ok || sub == "" || l.Subs[sub] != nil {
			return Learned{}, fmt.Errorf("%w: %q is not a subcommand of %q", ErrLearned, in.Name, name)
		}
		spec, err := learnSpec(in)
		if err != nil {
			return Learned{}, err
		}
		if l.Subs == nil {
			l.Subs = map[string]*Spec{}
		}
		l.Subs[sub] = spec
	}
	return l, nil
}

// learnSpec makes the spec of a command without decisions of this package.
func learnSpec(in Info) (*Spec, error) {
	if err := checkInfo(in); err != nil {
		return nil, err
	}
	s, tips := describe(in)
	s.Find = finder(&s)
	s.Flags &^= FlagPubSub // only says that it publishes, as a module's command may
	s.Class, s.Merge = classify(&s, tips)
	plain := s.Find == FindRange && s.FirstKey == 1 && s.LastKey == -1 && (s.Step == 1 || s.Step == 2)
	switch {
	case s.Class != ClassSplit:
	case !plain || s.Arity > 0 && s.Arity <= s.Step:
		s.Class, s.Merge = ClassSameShard, MergePass // it is not known how to split it
	default:
		s.WordsPerKey = s.Step
		if s.Arity < 0 {
			s.Arity = min(s.Arity, -1-s.Step) // modules say -1
		}
	}
	if slices.Contains(in.ACL, "@connection") || slices.Contains(in.Flags, "pubsub") && !s.Flags.Has(FlagModule) {
		s.Class, s.Merge = ClassPinned, MergePass // it may leave state on the connection
	}
	s.Flags &^= FlagNoAuth // the proxy decides what is allowed before a login
	// For a module's command noscript says little, because FalkorDB sets it for all of its commands.
	noScript := s.Flags.Has(FlagNoScript) && !s.Flags.Has(FlagModule)
	if noScript || s.Flags.Has(FlagAdmin) || slices.Contains(in.ACL, "@admin") || slices.Contains(in.ACL, "@dangerous") {
		s.Class, s.IfAllowed, s.Reason = ClassRefused, s.Class, refusedByServer
	}
	return &s, nil
}

// maxLearnedName bounds the name that a server may give a command, bytes.
const maxLearnedName = 128

// checkInfo returns an error if an answer can't be used.
func checkInfo(in Info) error {
	for _, c := range []byte(in.Name) {
		if c <= ' ' || c > '~' {
			return fmt.Errorf("%w: a command called %q", ErrLearned, in.Name)
		}
	}
	switch {
	case in.Name == "" || len(in.Name) > maxLearnedName:
		return fmt.Errorf("%w: a name of %d bytes", ErrLearned, len(in.Name))
	case in.Arity == 0:
		return fmt.Errorf("%w: %s has the arity 0", ErrLearned, in.Name)
	case in.First < 0 || in.First > 0 && in.Step < 1:
		return fmt.Errorf("%w: %s has keys from %d on in steps of %d", ErrLearned, in.Name, in.First, in.Step)
	}
	return nil
}
