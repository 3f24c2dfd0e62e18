package command

import "bytes"

// The commands whose keys come after keywords that may be anywhere among the options. The rules are those of Redis
// 7.0 (db.c: sortGetKeys, migrateGetKeys, georadiusGetKeys, xreadGetKeys), by which a Redis Cluster node also routes.

// afterKeyword returns the position after the first occurrence of k.Keyword, 0 if it is missing.
func afterKeyword(args [][]byte, k *KeySpec) int {
	if k.Start < 0 {
		for i := len(args) + k.Start; i > 0; i-- {
			if is(args[i], k.Keyword) {
				return i + 1
			}
		}
		return 0
	}
	for i := k.Start; i < len(args); i++ {
		if is(args[i], k.Keyword) {
			return i + 1
		}
	}
	return 0
}

// appendSort takes the first word and the destination after the last STORE. It skips the words that options take,
// because one of them may be "store".
func appendSort(dst []int, args [][]byte) ([]int, error) {
	if len(args) < 2 {
		return dst, ErrNoKeys
	}
	dst, store := append(dst, 1), 0
	for i := 2; i < len(args); i++ {
		switch {
		case is(args[i], "limit"):
			i += 2
		case is(args[i], "get"), is(args[i], "by"):
			i++
		case is(args[i], "store") && i+1 < len(args):
			store = i + 1
		}
	}
	if store > 0 {
		dst = append(dst, store)
	}
	return dst, nil
}

// AppendPatterns appends to dst the positions of words that stand for keys that the request does not name. These are
// SORT's patterns after BY and GET, in which an element replaces the first '*'. A word without a '*' stands for no
// key. Borrows args until return. Any goroutine.
func (s *Spec) AppendPatterns(dst []int, args [][]byte) []int {
	if s.Name != "sort" && s.Name != "sort_ro" {
		return dst
	}
	for i := 2; i < len(args); i++ {
		switch {
		case is(args[i], "limit"):
			i += 2
		case is(args[i], "by"), is(args[i], "get"):
			if i++; i < len(args) && bytes.IndexByte(args[i], '*') >= 0 {
				dst = append(dst, i)
			}
		}
	}
	return dst
}

// migrateKeys takes the third word or, if that is empty, all words after KEYS.
func migrateKeys(args [][]byte) (span, error) {
	const key, options = 3, 6
	if len(args) <= key {
		return span{}, ErrNoKeys
	}
	first := afterKeys(args, options)
	if first == len(args) {
		return span{key, 1, 1}, nil
	}
	if len(args[key]) > 0 {
		return span{}, ErrNoKeys // a key and KEYS: a syntax error
	}
	return span{first, len(args) - first, 1}, nil
}

// afterKeys returns the position after MIGRATE's KEYS, len(args) if it is missing. A password may be "keys".
func afterKeys(args [][]byte, from int) int {
	for i := from; i < len(args); i++ {
		switch {
		case is(args[i], "auth"):
			i++
		case is(args[i], "auth2"):
			i += 2
		case is(args[i], "keys"):
			return i + 1
		}
	}
	return len(args)
}

// appendGeoRadius takes the first word and the destination after the last STORE or STOREDIST; the options begin at
// position from.
func appendGeoRadius(dst []int, args [][]byte, from int) ([]int, error) {
	if len(args) < 2 {
		return dst, ErrNoKeys
	}
	dst, store := append(dst, 1), 0
	for i := from; i+1 < len(args); i++ {
		if is(args[i], "store") || is(args[i], "storedist") {
			store = i + 1
			i++
		}
	}
	if store > 0 {
		dst = append(dst, store)
	}
	return dst, nil
}

// streamKeys takes the first half of the words after STREAMS.
func streamKeys(args [][]byte) (span, error) {
	streams, _ := streamOptions(args)
	n := (len(args) - streams - 1) / 2
	if streams == 0 || n == 0 {
		return span{}, ErrNoKeys
	}
	return span{streams + 1, n, 1}, nil
}

// streamOptions walks the options of XREAD and XREADGROUP. It returns the position of STREAMS (0: missing) and
// whether BLOCK was before it. An option that it does not know (of newer servers) counts as one word.
func streamOptions(args [][]byte) (streams int, blocks bool) {
	for i := 1; i < len(args); i++ {
		switch {
		case is(args[i], "streams"):
			return i, blocks
		case is(args[i], "block"):
			blocks = true
			i++
		case is(args[i], "count"):
			i++
		case is(args[i], "group"):
			i += 2
		}
	}
	return 0, false
}

// Blocks reports whether the request may wait on the server: always for ClassBlocking, and for XREAD and XREADGROUP
// if BLOCK is among their options. Borrows args until return. Any goroutine.
func (s *Spec) Blocks(args [][]byte) bool {
	if s.Class == ClassBlocking {
		return true
	}
	if s.Find != FindStreams {
		return false
	}
	_, blocks := streamOptions(args)
	return blocks
}

// is compares a word with a keyword in any case. keyword may be in either case itself.
func is(word []byte, keyword string) bool {
	if len(word) != len(keyword) {
		return false
	}
	for i := range word {
		if lower(word[i]) != lower(keyword[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
