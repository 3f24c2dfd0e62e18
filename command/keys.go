package command

import "errors"

// Why keys could not be found. The servers refuse such a request before they touch any key, so it
// may go to any of them.
var (
	// ErrNumKeys is a count of keys that is no integer, negative, too large for the words, or zero although a key is
	// needed.
	ErrNumKeys = errors.New("command: count of keys is not an integer or does not fit the words")
	// ErrNoKeys is a command without the key it must have, or without the keyword before it.
	ErrNoKeys = errors.New("command: no keys where the command needs one")
	// ErrUnpaired is a key without its value (MSET a 1 b).
	ErrUnpaired = errors.New("command: a key without its value")
)

// Finder says which rule finds a command's keys.
type Finder uint8

// The rules. FindRange and FindSpecs are data; the others are the few commands whose keys Redis
// finds with code of their own (db.c, *GetKeys).
const (
	FindNone      Finder = iota // no keys
	FindRange                   // the triple FirstKey, LastKey, Step
	FindSpecs                   // the key specs, one after the other
	FindSort                    // SORT: the last STORE
	FindMigrate                 // MIGRATE: the third word, or all after KEYS
	FindGeoRadius               // GEORADIUS: the last STORE or STOREDIST
	FindStreams                 // XREAD: the first half of the words after STREAMS
)

// KeySpec is one of Redis's key specifications: where to begin, then how to go on from there
// (https://redis.io/docs/latest/develop/reference/key-specs/).
type KeySpec struct {
	// Start is the position of the first key or, with a Keyword, where the search for it starts;
	// then a negative Start counts from the end and searches backwards.
	Start   int    `json:"start"`
	Keyword string `json:"keyword,omitempty"`
	// A range: Last is relative to the first key, or negative, from the end. With a negative Last
	// and a Limit of 2 or more, only one in Limit of the words up to the end are keys.
	Last  int `json:"last,omitempty"`
	Step  int `json:"step"`
	Limit int `json:"limit,omitempty"`
	// A count instead: the word Count words after the start holds the number of keys, the first
	// of them is First words after the start.
	ByCount bool `json:"byCount,omitempty"`
	Count   int  `json:"count,omitempty"`
	First   int  `json:"first,omitempty"`
	// NotKey: the word is routed like a key but is none (a shard channel).
	NotKey bool `json:"notKey,omitempty"`
}

// FirstKeyPos returns the position of the first key in args, 0 if there is none or it cannot be found. It does not
// check the words after the first key. args has all words, including names. Borrows args until return. Any goroutine.
func (s *Spec) FirstKeyPos(args [][]byte) int {
	if s.FirstKey > 0 && s.Find != FindMigrate {
		if s.FirstKey < len(args) {
			return s.FirstKey
		}
		return 0
	}
	if s.Find == FindNone {
		return 0
	}
	return s.firstMoved(args)
}

// HasFixedKey reports whether FirstKeyPos is FirstKey for every request whose length is ArityOK. Any goroutine.
func (s *Spec) HasFixedKey() bool {
	return s.FirstKey > 0 && s.Find != FindMigrate && max(s.Arity, -s.Arity) > s.FirstKey
}

// firstMoved finds the first key of a command whose first key has no fixed place.
func (s *Spec) firstMoved(args [][]byte) int {
	switch s.Find {
	case FindStreams:
		found, _ := streamKeys(args)
		return found.first
	case FindMigrate:
		found, _ := migrateKeys(args)
		return found.first
	}
	for i := range s.Keys {
		found, err := s.keysOfSpec(args, &s.Keys[i])
		if err != nil || found.n > 0 {
			return found.first
		}
	}
	return 0
}

// AppendKeys appends the positions of all keys in args to dst, in the order of Redis's COMMAND GETKEYS, and returns
// the extended dst. args holds all words: args[0] is the command, for a container args[1] the subcommand. Shard
// channels (SPUBLISH) count as keys, since they are routed by their hash. Commands that may have no key (EVAL … 0)
// append none and give no error. On an error (ErrNumKeys, ErrNoKeys, ErrUnpaired) dst is returned unchanged. Every
// position p satisfies 0 < p < len(args). Borrows args until return. Any goroutine.
func (s *Spec) AppendKeys(dst []int, args [][]byte) ([]int, error) {
	switch s.Find {
	case FindNone:
		return dst, nil
	case FindRange:
		return s.appendRange(dst, args)
	case FindSort:
		return appendSort(dst, args)
	case FindMigrate:
		found, err := migrateKeys(args)
		return found.append(dst), err
	case FindGeoRadius:
		return appendGeoRadius(dst, args, s.Keys[1].Start)
	case FindStreams:
		found, err := streamKeys(args)
		return found.append(dst), err
	}
	return s.appendSpecs(dst, args)
}

// span is n keys, step words apart; without keys it is zero.
type span struct{ first, n, step int }

func (k span) append(dst []int) []int {
	for i := range k.n {
		dst = append(dst, k.first+i*k.step)
	}
	return dst
}

// upTo returns the span from first to last, both included, as far as there are words.
func upTo(args [][]byte, first, last, step int) span {
	last = min(last, len(args)-1)
	if last < first {
		return span{}
	}
	return span{first, (last-first)/step + 1, step}
}

func (s *Spec) appendRange(dst []int, args [][]byte) ([]int, error) {
	last := s.LastKey
	if last < 0 {
		last += len(args)
	}
	found := upTo(args, s.FirstKey, last, s.Step)
	if found.n == 0 {
		return s.noKeys(dst)
	}
	if s.Step > 1 && found.first+found.n*s.Step > len(args) {
		return dst, ErrUnpaired
	}
	return found.append(dst), nil
}

func (s *Spec) appendSpecs(dst []int, args [][]byte) ([]int, error) {
	before := len(dst)
	for i := range s.Keys {
		found, err := s.keysOfSpec(args, &s.Keys[i])
		if err != nil {
			return dst[:before], err
		}
		dst = found.append(dst)
	}
	if len(dst) == before {
		return s.noKeys(dst)
	}
	return dst, nil
}

func (s *Spec) noKeys(dst []int) ([]int, error) {
	if s.Flags&FlagNoMandatoryKeys != 0 {
		return dst, nil
	}
	return dst, ErrNoKeys
}

// keysOfSpec finds the keys of one key spec. A range outside the words has none.
func (s *Spec) keysOfSpec(args [][]byte, k *KeySpec) (span, error) {
	first := k.Start
	if k.Keyword != "" {
		first = afterKeyword(args, k)
	}
	if k.ByCount {
		return s.counted(args, k, first)
	}
	if first <= 0 || first >= len(args) {
		return span{}, nil
	}
	last := first + k.Last
	switch {
	case k.Last < 0 && k.Limit <= 1:
		last = len(args) + k.Last
	case k.Last < 0:
		last = first + (len(args)-first)/k.Limit + k.Last
	}
	return upTo(args, first, last, k.Step), nil
}

// counted finds the number of keys that the word at first+k.Count gives.
func (s *Spec) counted(args [][]byte, k *KeySpec, first int) (span, error) {
	if first <= 0 || first+k.Count >= len(args) {
		return span{}, ErrNumKeys
	}
	n, ok := count(args[first+k.Count])
	if !ok {
		return span{}, ErrNumKeys
	}
	if n == 0 && s.Flags&FlagNoMandatoryKeys != 0 {
		return span{}, nil
	}
	first += k.First
	if room := (len(args) - first + k.Step - 1) / k.Step; n < 1 || n > room {
		return span{}, ErrNumKeys
	}
	return span{first, n, k.Step}, nil
}

// count reads a non-negative integer as Redis's string2ll does: no sign, blank or leading zero.
// Numbers over 9 digits are refused: no request has as many words.
func count(word []byte) (n int, ok bool) {
	if len(word) == 0 || len(word) > 9 || word[0] == '0' && len(word) > 1 {
		return 0, false
	}
	for _, c := range word {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}
