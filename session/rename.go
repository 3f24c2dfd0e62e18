package session

import (
	"bytes"

	"ringmaster/parser"
)

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
