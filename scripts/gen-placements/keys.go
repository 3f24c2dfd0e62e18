package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

const keyCount = 10000

// makeKeys returns keyCount different keys, the same in every run: the empty one, short and long ones,
// bytes of every value at every remainder of the length by 12 (the widest block that a
// hash reads), and all kinds of hash tags, whole and broken.
func makeKeys() []string {
	s := &keySet{seen: map[string]bool{}, r: rand.New(rand.NewPCG(1, 2))}
	s.add("")
	for i := range 256 {
		s.add(string([]byte{byte(i)}))
	}
	for i := range 2000 {
		s.add(fmt.Sprintf("key:%d", i))
	}
	// Hashed by md5, these meet points of their servers on ketama's ring exactly.
	for _, name := range []string{"delta", "b", "alpha", "charlie", "s272", "s705"} {
		for i := range 40 {
			s.add(fmt.Sprintf("%s-%d", name, i))
		}
	}
	for n := range 64 {
		for range 40 {
			s.add(s.bytes(n + 1))
		}
	}
	for range 300 {
		s.add(s.bytes(200))
		s.add(strings.Repeat(s.word(), 80)[:200+s.r.IntN(100)])
	}
	for _, t := range []string{"{}", "$$"} {
		s.tagged(t[:1], t[1:])
	}
	for i := 0; len(s.keys) < keyCount; i++ {
		s.add(fmt.Sprintf("user:{%s}:%d", s.word(), i))
		s.add(fmt.Sprintf("%s.%d", s.word(), i))
	}
	return s.keys[:keyCount]
}

type keySet struct {
	keys []string
	seen map[string]bool
	r    *rand.Rand
}

func (s *keySet) add(key string) {
	if !s.seen[key] {
		s.seen[key] = true
		s.keys = append(s.keys, key)
	}
}

// tagged adds keys with the tag that o opens and c closes.
func (s *keySet) tagged(o, c string) {
	for _, k := range []string{o, c, o + c, c + o, o + o + c + c, o + c + o + c, o + o, c + c} {
		s.add(k)
	}
	for range 120 {
		a, b, d := s.word(), s.bytes(1+s.r.IntN(8)), s.word()
		for _, k := range []string{
			o + a + c, o + a + c + b, b + o + a + c, d + o + a + c + b, // whole
			o + c + a, a + o + c, a + o + c + o + d + c, // empty
			a + o + d, a + c + d, a + c + d + o + d, // no end, no start, reversed
			a + o + b + c + o + d + c, o + o + a + c + c, a + o + c + c, // two, nested
		} {
			s.add(k)
		}
	}
}

// bytes returns n bytes of any value.
func (s *keySet) bytes(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(s.r.UintN(256))
	}
	return string(b)
}

// word returns 4 to 11 lower-case letters.
func (s *keySet) word() string {
	b := make([]byte, 4+s.r.IntN(8))
	for i := range b {
		b[i] = byte('a' + s.r.IntN(26))
	}
	return string(b)
}
