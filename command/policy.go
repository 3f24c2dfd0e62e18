package command

import "slices"

// OtherID is the ID of learned commands: it comes after those of the table.
var OtherID = uint16(len(All()))

// MaxWord bounds a word that is looked up as the name of a command, or that servers are asked for, bytes.
const MaxWord = 128

// Denied returns the commands of the table that an operator denies, by Spec.ID: those with names, their subcommands, and with scripts
// those that bring code. Any goroutine.
func Denied(names []string, scripts bool) (ids []int) {
	for _, spec := range All() {
		if slices.ContainsFunc(names, func(name string) bool { return Named(name) == spec }) {
			for i := range 1 + spec.Subs { // subcommands follow their command
				ids = append(ids, int(spec.ID)+i)
			}
		} else if scripts && spec.Traits.Has(TraitBringsCode) {
			ids = append(ids, int(spec.ID))
		}
	}
	return ids
}

// Unknown returns those of the names that the table lacks: of modules' commands, and of commands that servers have renamed. Any
// goroutine.
func Unknown(names []string) map[string]bool {
	unknown := map[string]bool{}
	for _, name := range names {
		if Named(name) == nil {
			unknown[name] = true
		}
	}
	return unknown
}

// RealNames returns, for each new name in small letters, the real name of its command; nil for a name that stands for no command any
// more. renamed has the new name for each old one, "" for none. Any goroutine.
func RealNames(renamed map[string]string) map[string][]byte {
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

// Lower returns word in small letters, in buf; nil if it does not fit. Any goroutine.
func Lower(buf *[MaxWord]byte, word []byte) []byte {
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

// Shown returns the name of a command by its ID, in small letters, as CLIENT LIST shows it: "NULL" for NoID, "unknown" for one that
// the table lacks. Any goroutine.
func Shown(id uint16) string {
	switch id {
	case NoID:
		return "NULL"
	case OtherID:
		return "unknown"
	}
	return All()[id].Name
}

// TraitsOf returns the traits of the command of the table with an ID; none for any other. Any goroutine.
func TraitsOf(id uint16) Traits {
	if id >= OtherID {
		return 0
	}
	return All()[id].Traits
}

// OneShard reports whether commands of the class, or their parts, go to where their keys are. Any goroutine.
func (c Class) OneShard() bool {
	return c == ClassSingle || c == ClassSameShard || c == ClassSplit
}
