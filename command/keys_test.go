package command

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestAppendKeysErrors(t *testing.T) {
	for _, c := range []struct {
		line string
		want error
	}{
		{"EVAL s", ErrNumKeys},
		{"EVAL s x", ErrNumKeys},
		{"EVAL s -1", ErrNumKeys},
		{"EVAL s 1", ErrNumKeys},
		{"EVAL s 0", nil},
		{"EVAL s 00", ErrNumKeys},
		{"EVAL s ”", ErrNumKeys},
		{"EVAL s 18446744073709551616 k", ErrNumKeys},
		{"EVAL s 4294967297 k", ErrNumKeys},
		{"EVAL s 1 k", nil},
		{"LMPOP 0 k LEFT", ErrNumKeys},
		{"ZUNIONSTORE d 3 a b", ErrNumKeys},
		{"ZUNIONSTORE d 0", ErrNumKeys},
		{"XREAD COUNT 1 k 0", ErrNoKeys},
		{"XREAD STREAMS k", ErrNoKeys},
		{"XREAD STREAMS", ErrNoKeys},
		{"GET", ErrNoKeys},
		{"MGET", ErrNoKeys},
		{"BLPOP 0", ErrNoKeys},
		{"SORT", ErrNoKeys},
		{"GEORADIUS", ErrNoKeys},
		{"MIGRATE h p", ErrNoKeys},
		{"MIGRATE h p key 0 1 KEYS k", ErrNoKeys},
		{"MSET a 1 b", ErrUnpaired},
		{"MSETNX a", ErrUnpaired},
		{"MSETEX 2 a 1", ErrNumKeys},
		{"PING", nil},
	} {
		args := split(c.line)
		dst, err := Lookup(args[0]).AppendKeys([]int{7}, args)
		if !errors.Is(err, c.want) || err != nil && !slices.Equal(dst, []int{7}) {
			t.Errorf("%s: %v, %v; want %v", c.line, dst, err, c.want)
		}
	}
}

func TestShardChannelsAreRoutedLikeKeys(t *testing.T) {
	for line, want := range map[string][]int{
		"SPUBLISH c message": {1}, "SSUBSCRIBE a b": {1, 2}, "SUNSUBSCRIBE a": {1},
	} {
		s := Lookup(split(line)[0])
		if got, err := s.AppendKeys(nil, split(line)); err != nil || !slices.Equal(got, want) || !s.Keys[0].NotKey {
			t.Errorf("%s: %v, %v", line, got, err)
		}
	}
	if got, err := Lookup([]byte("PUBLISH")).AppendKeys(nil, split("PUBLISH c m")); err != nil || len(got) > 0 {
		t.Errorf("PUBLISH: %v, %v", got, err)
	}
}

func TestFirstKeyPos(t *testing.T) {
	for line, want := range map[string]int{
		"GET k": 1, "GET": 0, "PING": 0, "BITOP AND d a": 2, "EVAL s 2 a b": 3, "EVAL s 0 a": 0,
		"EVAL s x a": 0, "XREAD COUNT 2 STREAMS a b 0 0": 4, "XREAD COUNT 2": 0,
		"MIGRATE h p k 0 1": 3, "MIGRATE h p ” 0 1 KEYS a b": 7, "SORT k BY x": 1,
		"ZUNION 1 a": 2, "BLMPOP 0 1 a LEFT": 3, "ZUNIONSTORE d x": 1,
	} {
		args := split(line)
		if got := Lookup(args[0]).FirstKeyPos(args); got != want {
			t.Errorf("%s: %d, want %d", line, got, want)
		}
	}
}

func TestFixedKeyIsTheFirstKeyOfEveryRequest(t *testing.T) {
	fixed := 0
	for _, spec := range All() {
		if !spec.HasFixedKey() {
			continue
		}
		fixed++
		for n := range 20 {
			if got := spec.FirstKeyPos(make([][]byte, n)); spec.ArityOK(n) && got != spec.FirstKey {
				t.Errorf("%s with %d words has its first key at %d, want %d", spec.Name, n, got, spec.FirstKey)
			}
		}
	}
	if !Named("get").HasFixedKey() || !Named("set").HasFixedKey() || Named("ping").HasFixedKey() || Named("migrate").HasFixedKey() {
		t.Errorf("%d commands have a fixed key", fixed)
	}
}

func TestBlocks(t *testing.T) {
	for line, want := range map[string]bool{
		"BLPOP k 0": true, "BLMPOP 0 1 k LEFT": true, "WAIT 1 0": true, "WAITAOF 1 0 0": true,
		"XREAD BLOCK 0 STREAMS k $": true, "XREAD COUNT 1 block 5 STREAMS k $": true,
		"XREAD STREAMS block 0": false, "XREAD COUNT block STREAMS k $": false,
		"XREADGROUP GROUP block c STREAMS k >":         false,
		"XREADGROUP GROUP g c NOACK BLOCK 1 STREAMS k": true,
		"XREAD BLOCK": false,
		"LPOP k":      false, "GET k": false,
	} {
		args := split(line)
		if got := Lookup(args[0]).Blocks(args); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
}

func TestAppendPatterns(t *testing.T) {
	for line, want := range map[string]string{
		"SORT k": "[]", "SORT k BY nosort": "[]", "SORT k BY w_*": "[3]", "SORT k GET #": "[]", "SORT k GET x": "[]",
		"SORT k GET # GET o_*": "[5]", "SORT_RO k BY w_*->f get *": "[3 5]", "SORT k STORE d": "[]",
		"SORT k LIMIT by a*": "[]", "SORT k BY": "[]", "GET by*": "[]",
	} {
		args := split(line)
		if got := fmt.Sprint(Lookup(args[0]).AppendPatterns(nil, args)); got != want {
			t.Errorf("%s: %s", line, got)
		}
	}
}

func FuzzAppendKeys(f *testing.F) {
	for line := range strings.Lines(handPicked) {
		f.Add(strings.TrimSpace(strings.ReplaceAll(line, " ", "\n")))
	}
	f.Fuzz(func(t *testing.T, text string) {
		var args [][]byte
		for _, w := range strings.Split(text, "\n") {
			args = append(args, []byte(w))
		}
		s := Lookup(args[0])
		if s != nil && len(args) > 1 && s.HasSubs() {
			s = s.Sub(args[1])
		}
		if s == nil {
			return
		}
		checkPositions(t, s, args)
	})
}

// checkPositions asserts the rules that hold for any words.
func checkPositions(t *testing.T, s *Spec, args [][]byte) {
	t.Helper()
	before := []int{-7}
	got, err := s.AppendKeys(before, args)
	if len(got) == 0 || got[0] != -7 || err != nil && len(got) != 1 {
		t.Fatalf("%q: dst became %v, %v", args, got, err)
	}
	for _, p := range got[1:] {
		if p <= 0 || p >= len(args) {
			t.Fatalf("%q: position %d", args, p)
		}
	}
	first := s.FirstKeyPos(args)
	if first < 0 || first >= len(args) || err == nil && len(got) > 1 && first != got[1] {
		t.Fatalf("%q: first key at %d, all at %v", args, first, got[1:])
	}
	s.Blocks(args)
	s.AppendPatterns(nil, args)
}

func TestEveryCommandSurvivesAnyWords(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, s := range All() {
		for range 200 {
			args := generate(rnd, s, -1)
			checkPositions(t, s, args)
			checkPositions(t, s, args[:1])
		}
	}
}

func TestNothingAllocates(t *testing.T) {
	lines := []string{
		"GET k", "MSET a 1 b 2", "EVAL s 12 1 2 3 4 5 6 7 8 9 10 11 12", "SORT k BY x STORE d",
		"XREAD BLOCK 1 STREAMS a b 0 0", "GEORADIUS k 1 2 3 m STORE d", "ZUNIONSTORE d 2 a b",
		"MIGRATE h p ” 0 1 KEYS 1 2 3 4 5 6 7 8 9 10 11",
	}
	dst := make([]int, 0, 64)
	for _, line := range lines {
		args := split(line)
		if n := testing.AllocsPerRun(100, func() {
			s := Lookup(args[0])
			dst, _ = s.AppendKeys(dst[:0], args)
			s.FirstKeyPos(args)
			s.Blocks(args)
			s.ArityOK(len(args))
		}); n != 0 {
			t.Errorf("%s: %v allocations", line, n)
		}
	}
}

func BenchmarkFirstKeyPos(b *testing.B) {
	for _, line := range []string{"GET k", "EVAL s 2 a b", "XREAD COUNT 1 STREAMS a 0"} {
		b.Run(line, func(b *testing.B) {
			args := split(line)
			s := Lookup(args[0])
			b.ReportAllocs()
			for b.Loop() {
				s.FirstKeyPos(args)
			}
		})
	}
}

func BenchmarkAppendKeys(b *testing.B) {
	for name, line := range map[string]string{
		"MGET100": "MGET" + strings.Repeat(" key", 100),
		"GET":     "GET k",
		"EVAL2":   "EVAL s 2 a b",
		"SORT":    "SORT k BY w LIMIT 0 10 STORE d",
	} {
		b.Run(name, func(b *testing.B) {
			args := split(line)
			s := Lookup(args[0])
			dst := make([]int, 0, 128)
			b.ReportAllocs()
			for b.Loop() {
				dst, _ = s.AppendKeys(dst[:0], args)
			}
		})
	}
}
