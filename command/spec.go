package command

// Spec is the table's entry of one command or subcommand. Read only.
type Spec struct {
	// ID is the index in All, the same throughout one build. Subcommands have their own.
	ID uint16
	// Name is lowercase, a subcommand's as Redis reports it: "config|get".
	Name string
	// Arity counts all words, name included; negative: at least that many. A subcommand's counts
	// both names. Where servers differ it is the widest.
	Arity int
	Flags Flags
	// Traits are the further facts of traits.go. Learned commands have none.
	Traits Traits
	// FirstKey, LastKey and Step are the triple of COMMAND: positions in the words, a negative
	// LastKey counts from the end (-1: the last word). FirstKey == 0: no keys, or keys that only
	// AppendKeys finds.
	FirstKey, LastKey, Step int
	// Find and Keys say completely where the keys are; see AppendKeys. Keys is empty if the triple is enough
	// (FindRange), unless the words are no keys (NotKey).
	Find Finder
	Keys []KeySpec
	// Class is how the command is routed, Merge how several replies become one.
	Class Class
	Merge Merge
	// WordsPerKey is for ClassSplit: 1 (the key) or 2 (key and value); 0 otherwise.
	WordsPerKey int
	// IfAllowed is the class of a refused command if the operator allows it.
	IfAllowed Class
	// Reason says why decisions.go overrides the servers, otherwise it is empty. For ClassRefused it completes
	// "refused: ".
	Reason string
	// Subs is how many subcommands the command has. They follow it directly in All.
	Subs int
	// Group is the servers' group of the command ("string", "hash", …), Since the version that
	// brought it, in the numbering of the first server that reported it.
	Group, Since string
}

// NoID is the ID of a Spec that is not in the table (made by NewSpec).
const NoID = ^uint16(0)

var all = func() []*Spec {
	list := make([]*Spec, len(table))
	for i := range table {
		list[i] = &table[i]
	}
	return list
}()

// All lists the table, subcommands included, each at the index of its ID. The list is shared and
// must not be changed. Any goroutine.
func All() []*Spec { return all }

// HasSubs reports whether the second word names a subcommand. Any goroutine.
func (s *Spec) HasSubs() bool { return s.Subs > 0 }

// ArityOK reports whether a request of argc words, names included, has a length the servers
// accept. Any goroutine.
func (s *Spec) ArityOK(argc int) bool {
	if s.Arity >= 0 {
		return argc == s.Arity
	}
	return argc >= -s.Arity
}

// ReadOnly reports whether the servers say that the command only reads, so that a replica may answer it and it may be
// sent again after a lost reply. Any goroutine.
func (s *Spec) ReadOnly() bool { return s.Flags&FlagReadOnly != 0 }
