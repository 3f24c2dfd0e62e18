package session

import (
	"bytes"
	"slices"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/shard"
)

// Rules say what becomes of each command under a Config in front of an upstream. They never change once made, so any number of loops can use them, and
// others can take their place between two requests.
type Rules struct {
	byID      []rule            // by command.Spec.ID; the last is for learned commands (otherID)
	reads     bool              // commands that only read have servers of their own
	RealNames map[string][]byte // of commands that clients know by other names; nil: there are none
	Denied    map[string]bool   // names that the operator denies and the table lacks
	// everywhere says by command.Spec.ID which commands go to all shards.
	Everywhere []bool
}

// rule is what becomes of one command.
type rule struct {
	Handler Handler       // answers it here; nil: it is routed
	class   command.Class // how it is routed
	Carrier pool.Carrier  // what its reply may hold as a client wrote it (fenced.go)
	reads   bool          // the read policy counts for it
	// Plain: as most commands do, it goes as it is to the server of the key that is always at spec.FirstKey. It has no Handler and no
	// Carrier, and the read policy does not count for it.
	Plain bool
}

// Handler answers one command within the loop's turn.
type Handler func(*Session, *command.Spec, *parser.Request)

// NewRules compiles cfg; reads says which servers answer commands that only read. handlers are the commands that the proxy answers itself,
// by command.Spec.ID. Any goroutine.
func NewRules(cfg Config, reads shard.ReadPolicy, handlers ...map[uint16]Handler) *Rules {
	r := &Rules{
		byID: make([]rule, len(command.All())+1), reads: reads != shard.ReadPrimary, RealNames: realNames(cfg.RenameCommands),
		Denied: deniedNames(cfg), Everywhere: make([]bool, len(command.All())),
	}
	for _, spec := range command.All() {
		one := &r.byID[spec.ID]
		one.class, one.Carrier = spec.Class, carrierOf(spec)
		if spec.Class == command.ClassRefused && cfg.AdminCommands {
			one.class = spec.IfAllowed
		}
	}
	r.byID[OtherID].Carrier = pool.Modules
	for _, table := range handlers {
		for id, h := range table {
			r.byID[id].Handler = h
		}
	}
	for _, id := range deniedIDs(cfg) {
		r.byID[id].class, r.byID[id].Handler = command.ClassRefused, nil
	}
	for _, spec := range command.All() {
		one := &r.byID[spec.ID]
		script := spec.ID == command.IDEvalRo || spec.ID == command.IDEvalshaRo
		r.Everywhere[spec.ID] = one.class == command.ClassAllShards
		one.reads = r.reads && spec.ReadOnly() && hasOneShard(one.class) && !script
		one.Plain = one.class == command.ClassSingle && one.Handler == nil && one.Carrier == 0 && !one.reads && spec.HasFixedKey()
	}
	return r
}

// Of is the rule for a command.
func (r *Rules) For(spec *command.Spec) *rule { return &r.byID[spec.ID] }

// carrierOf is what the reply to a command of the table may hold as a client wrote it.
func carrierOf(spec *command.Spec) pool.Carrier {
	switch {
	case spec.Traits.Has(command.TraitCarriesScripts):
		return pool.Scripts
	case spec.Traits.Has(command.TraitLoadsCode):
		return pool.Libraries
	case spec.Flags.Has(command.FlagModule):
		return pool.Modules
	}
	return 0
}

// deniedIDs are the commands of the table that cfg denies, by command.Spec.ID.
func deniedIDs(cfg Config) (ids []int) {
	for _, spec := range command.All() {
		if slices.ContainsFunc(cfg.DenyCommands, func(name string) bool { return command.Named(name) == spec }) {
			for i := range 1 + spec.Subs { // subcommands follow their command
				ids = append(ids, int(spec.ID)+i)
			}
		} else if cfg.DenyScripts && spec.Traits.Has(command.TraitBringsCode) {
			ids = append(ids, int(spec.ID))
		}
	}
	return ids
}

// deniedNames are the names that cfg denies and the table lacks: of modules' commands, and of such that servers have renamed.
func deniedNames(cfg Config) map[string]bool {
	names := map[string]bool{}
	for _, name := range cfg.DenyCommands {
		if command.Named(name) == nil {
			names[name] = true
		}
	}
	return names
}

// OtherID is the ID of learned commands: behind those of the table.
var OtherID = uint16(len(command.All()))

// hasOneShard reports whether commands of a class, or their parts, go to where their keys are.
func hasOneShard(class command.Class) bool {
	return class == command.ClassSingle || class == command.ClassSameShard || class == command.ClassSplit
}

// realNames are the commands that clients know by other names: for each new name in small letters the real one; nil
// for a name that stands for no command any more.
func realNames(renamed map[string]string) map[string][]byte {
	if len(renamed) == 0 {
		return nil
	}
	names := map[string][]byte{}
	for old := range renamed {
		names[old] = nil
	}
	for old, name := range renamed {
		if name != "" {
			names[name] = []byte(old)
		}
	}
	return names
}

// Rename gives the request its command's real name, by which everything behind here knows it, the servers too.
// False: no command is called so.
func (d *Door) Rename(req *parser.Request) bool {
	var name [MaxCommandName]byte
	real, ok := d.Rules.RealNames[string(Lower(&name, req.Args[0]))] // looking up allocates nothing
	switch {
	case !ok:
		return true
	case real == nil:
		return false
	}
	req.Rename(real)
	return true
}

// ShownName is the name by which clients know the command that they have just given.
func (d *Door) ShownName(name []byte) []byte {
	for shown, real := range d.Rules.RealNames {
		if bytes.Equal(real, name) {
			return []byte(shown)
		}
	}
	return name
}

// MaxCommandName bounds the name of a command that is looked up, or that servers are asked for, bytes.
const MaxCommandName = 128

// Lower is word in small letters, in buf; nil if it does not fit.
func Lower(buf *[MaxCommandName]byte, word []byte) []byte {
	if len(word) > len(buf) {
		return nil
	}
	n := copy(buf[:], word)
	for i, c := range buf[:n] {
		if c >= 'A' && c <= 'Z' {
			buf[i] = c + 'a' - 'A'
		}
	}
	return buf[:n]
}

// LastCommand is the name of the client's latest command, in small letters, as CLIENT LIST shows it: "NULL" before the first, "unknown"
// for one that the table lacks.
func (s *Session) LastCommand() string {
	switch s.LastID {
	case command.NoID:
		return "NULL"
	case OtherID:
		return "unknown"
	}
	return command.All()[s.LastID].Name
}

// traitsOf are the traits of the command of the table with an ID; none for any other.
func traitsOf(id uint16) command.Traits {
	if id >= OtherID {
		return 0
	}
	return command.All()[id].Traits
}
