package session

import (
	"bytes"

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
		byID: make([]rule, len(command.All())+1), reads: reads != shard.ReadPrimary, RealNames: command.RealNames(cfg.RenameCommands),
		Denied: command.Unknown(cfg.DenyCommands), Everywhere: make([]bool, len(command.All())),
	}
	for _, spec := range command.All() {
		one := &r.byID[spec.ID]
		one.class, one.Carrier = spec.Class, carrierOf(spec)
		if spec.Class == command.ClassRefused && cfg.AdminCommands {
			one.class = spec.IfAllowed
		}
	}
	r.byID[command.OtherID].Carrier = pool.Modules
	for _, table := range handlers {
		for id, h := range table {
			r.byID[id].Handler = h
		}
	}
	for _, id := range command.Denied(cfg.DenyCommands, cfg.DenyScripts) {
		r.byID[id].class, r.byID[id].Handler = command.ClassRefused, nil
	}
	for _, spec := range command.All() {
		one := &r.byID[spec.ID]
		script := spec.ID == command.IDEvalRo || spec.ID == command.IDEvalshaRo
		r.Everywhere[spec.ID] = one.class == command.ClassAllShards
		one.reads = r.reads && spec.ReadOnly() && one.class.OneShard() && !script
		one.Plain = one.class == command.ClassSingle && one.Handler == nil && one.Carrier == 0 && !one.reads && spec.HasFixedKey()
	}
	return r
}

// For is the rule for a command.
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

// Rename gives the request its command's real name, by which everything behind here knows it, the servers too.
// False: no command is called so.
func (d *Door) Rename(req *parser.Request) bool {
	var name [command.MaxWord]byte
	real, ok := d.Rules.RealNames[string(command.Lower(&name, req.Args[0]))] // looking up allocates nothing
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
