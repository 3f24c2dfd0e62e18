package session

import (
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
	realNames map[string][]byte // of commands that clients know by other names; nil: there are none
	denied    map[string]bool   // names that the operator denies and the table lacks
	// everywhere says by command.Spec.ID which commands go to all shards.
	everywhere []bool
}

// rule is what becomes of one command.
type rule struct {
	handler handler       // answers it here; nil: it is routed
	class   command.Class // how it is routed
	carrier pool.Carrier  // what its reply may hold as a client wrote it (fenced.go)
	reads   bool          // the read policy counts for it
}

// handler answers one command within the loop's turn.
type handler func(*Session, *command.Spec, *parser.Request)

// newRules compiles cfg; reads says which servers answer commands that only read. handlers are the commands that the proxy answers itself,
// by command.Spec.ID. Any goroutine.
func newRules(cfg Config, reads shard.ReadPolicy, handlers ...map[uint16]handler) *Rules {
	r := &Rules{
		byID: make([]rule, len(command.All())+1), reads: reads != shard.ReadPrimary, realNames: realNames(cfg.RenameCommands),
		denied: deniedNames(cfg), everywhere: make([]bool, len(command.All())),
	}
	for _, spec := range command.All() {
		one := &r.byID[spec.ID]
		one.class, one.carrier = spec.Class, carrierOf(spec)
		if spec.Class == command.ClassRefused && cfg.AdminCommands {
			one.class = spec.IfAllowed
		}
	}
	r.byID[otherID].carrier = pool.Modules
	for _, table := range handlers {
		for id, h := range table {
			r.byID[id].handler = h
		}
	}
	for _, id := range deniedIDs(cfg) {
		r.byID[id].class, r.byID[id].handler = command.ClassRefused, nil
	}
	for _, spec := range command.All() {
		one := &r.byID[spec.ID]
		script := spec.ID == command.IDEvalRo || spec.ID == command.IDEvalshaRo
		r.everywhere[spec.ID] = one.class == command.ClassAllShards
		one.reads = r.reads && spec.ReadOnly() && hasOneShard(one.class) && !script
	}
	return r
}

// of is the rule for a command.
func (r *Rules) of(spec *command.Spec) *rule { return &r.byID[spec.ID] }

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

// otherID is the ID of learned commands: behind those of the table.
var otherID = uint16(len(command.All()))

// hidesKeys reports whether a command that was learnt has keys of which the server does not say where they are.
func (e *Env) hidesKeys(spec *command.Spec) bool {
	return spec.ID == otherID && spec.Find == command.FindNone && spec.Flags.Has(command.FlagMovableKeys) && !e.single()
}

// classOf is how a command is routed here.
func (d *Door) classOf(spec *command.Spec) command.Class {
	if spec.ID != otherID {
		return d.Rules.of(spec).class
	}
	if spec.Class == command.ClassRefused && d.Config.AdminCommands {
		return spec.IfAllowed
	}
	return spec.Class
}
