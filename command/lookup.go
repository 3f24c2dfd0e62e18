package command

import (
	"encoding/binary"
	"math/bits"
	"strings"
)

// Names are compared as up to three 8-byte words instead of byte by byte. To ignore case, the bit that distinguishes
// a from A is set in the request's word wherever the known name has a letter, and nowhere else, because '-' must not
// match '\r'.

const (
	maxName   = 24 // longest name or subcommand name, bytes
	slotBits  = 11
	caseBits  = 0x2020202020202020
	topParent = NoID // the parent of commands that are no subcommands
)

// words is a name, or a mask over one. Short names fill them with overlapping pieces.
type words struct{ a, b, c uint64 }

// entry is one known name: folded == name|mask.
type entry struct {
	folded, mask words
	length       uint8
	parent       uint16
	id           uint16
}

// index is a hash table with linear probing; a slot holds an ID plus one, 0 is free. A name's
// entry stands at its ID. At a load of a fifth most names are found at the first probe.
type index struct {
	slots   [1 << slotBits]uint16
	entries []entry
}

var known = newIndex(table[:])

// Named finds a command or a subcommand by its name in the table, such as "get" or "config|get"; nil: it is not in
// the table. Any goroutine.
func Named(name string) *Spec {
	base, sub, _ := strings.Cut(name, "|")
	spec := Lookup([]byte(base))
	if sub != "" && spec != nil {
		spec = spec.Sub([]byte(sub))
	}
	return spec
}

// Lookup finds a command by its first word, in any case; nil: it is not in the table. Borrows name until return. Any
// goroutine.
func Lookup(name []byte) *Spec { return known.find(name, topParent) }

// Sub finds a subcommand by the second word, in any case; nil: there is none. Borrows name until return. Any
// goroutine.
func (s *Spec) Sub(name []byte) *Spec {
	if s.Subs == 0 {
		return nil
	}
	return known.find(name, s.ID)
}

// Memo remembers the commands that were looked up last, because clients send the same ones again and again, in the
// same letters. The zero value is ready. It belongs to one goroutine.
type Memo struct {
	latest [2]remembered
	next   uint8 // the entry to be replaced next
}

type remembered struct {
	spec *Spec // nil: none
	n    uint8 // length of name
	name [maxName]byte
}

// Lookup is like the function Lookup.
func (m *Memo) Lookup(name []byte) *Spec {
	for i := range m.latest {
		if r := &m.latest[i]; int(r.n) == len(name) && r.spec != nil && string(r.name[:r.n]) == string(name) {
			return r.spec
		}
	}
	spec := Lookup(name)
	if spec != nil {
		r := &m.latest[m.next]
		r.spec, r.n = spec, uint8(copy(r.name[:], name))
		m.next ^= 1
	}
	return spec
}

func (x *index) find(name []byte, parent uint16) *Spec {
	if len(name) == 0 || len(name) > maxName {
		return nil
	}
	w := load(name)
	for i := hash(w, len(name), parent); ; i = (i + 1) & (1<<slotBits - 1) {
		slot := x.slots[i]
		if slot == 0 {
			return nil
		}
		e := &x.entries[slot-1]
		if w.a|e.mask.a == e.folded.a && w.b|e.mask.b == e.folded.b && w.c|e.mask.c == e.folded.c &&
			int(e.length) == len(name) && e.parent == parent {
			return &table[e.id]
		}
	}
}

// load packs a name of 1 to maxName bytes. Two names of one length pack alike only if equal.
func load(name []byte) (w words) {
	n := len(name)
	switch {
	case n >= 8:
		w.a = binary.LittleEndian.Uint64(name)
		w.b = binary.LittleEndian.Uint64(name[n-8:])
		if n > 16 {
			w.c = binary.LittleEndian.Uint64(name[8:])
		}
	case n >= 4:
		w.a = uint64(binary.LittleEndian.Uint32(name)) | uint64(binary.LittleEndian.Uint32(name[n-4:]))<<32
	default:
		w.a = uint64(name[0]) | uint64(name[n/2])<<8 | uint64(name[n-1])<<16
	}
	return w
}

func hash(w words, n int, parent uint16) uint64 {
	h := (w.a|caseBits)*0x9E3779B97F4A7C15 ^ bits.RotateLeft64((w.b|caseBits)*0xC2B2AE3D27D4EB4F, 32)
	h ^= (w.c | caseBits) * 0x165667B19E3779F9
	h = (h ^ uint64(parent)<<8 ^ uint64(n)) * 0x9E3779B97F4A7C15
	return h >> (64 - slotBits)
}

func newIndex(specs []Spec) *index {
	x := &index{entries: make([]entry, len(specs))}
	parent := topParent
	for id, left := 0, 0; id < len(specs); id++ {
		name := specs[id].Name
		if left > 0 {
			left--
			name = name[len(specs[parent].Name)+1:]
		} else {
			parent = topParent
		}
		x.add([]byte(name), parent, uint16(id))
		if specs[id].Subs > 0 {
			left, parent = specs[id].Subs, uint16(id)
		}
	}
	return x
}

func (x *index) add(name []byte, parent, id uint16) {
	mask := make([]byte, len(name))
	for i, c := range name {
		if 'a' <= c && c <= 'z' {
			mask[i] = 0x20
		}
	}
	w := load(name)
	x.entries[id] = entry{folded: w, mask: load(mask), length: uint8(len(name)), parent: parent, id: id}
	i := hash(w, len(name), parent)
	for x.slots[i] != 0 {
		i = (i + 1) & (1<<slotBits - 1)
	}
	x.slots[i] = id + 1
}
