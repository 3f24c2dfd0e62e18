package config

import (
	"math"
	"testing"
)

func TestSizesAsRedisReadsThem(t *testing.T) {
	for s, want := range map[string]int{
		"0": 0, "17": 17, "17b": 17, "1k": 1000, "1kb": 1024, "1K": 1000, "1Kb": 1024, "2m": 2e6, "2MB": 2 << 20,
		"1g": 1e9, "1gB": 1 << 30, "9223372036854775807": math.MaxInt64,
	} {
		if got, err := ParseSize(s); err != nil || got != want {
			t.Errorf("%q: %d, %v, want %d", s, got, err, want)
		}
	}
	for _, s := range []string{"", "b", "kb", "-1", "+1", "1.5mb", "1 mb", "1tb", "1kbb", "9223372036854775808", "9223372036854775807kb", "99999999999gb", "0x10", "1_000"} {
		if got, err := ParseSize(s); err == nil {
			t.Errorf("%q: accepted as %d", s, got)
		}
	}
}

func FuzzFormattedSizeIsReadBack(f *testing.F) {
	for _, n := range []int{0, 1, 1023, 1024, 1 << 20, 3 << 30, math.MaxInt64} {
		f.Add(n)
	}
	f.Fuzz(func(t *testing.T, n int) {
		if n < 0 {
			return
		}
		if got, err := ParseSize(FormatSize(n)); err != nil || got != n {
			t.Errorf("%d: %q read as %d, %v", n, FormatSize(n), got, err)
		}
	})
}

func FuzzFileNeverPanics(f *testing.F) {
	for _, s := range Settings() {
		f.Add(s.Example)
	}
	f.Add("a: &a [*a]")
	f.Add("upstream: &x [a:1]\nlisten: *x")
	f.Add("<<: {a: b}")
	f.Add("? [a]\n: b")
	f.Fuzz(func(t *testing.T, text string) {
		var ps Problems
		parseFile("f", []byte(text), &ps)
	})
}

func TestSuggestions(t *testing.T) {
	for word, want := range map[string]string{
		"lisen": `; did you mean "listen"?`, "time-out": `; did you mean "timeout"?`, "listne": `; did you mean "listen"?`,
		"max_clients": `; did you mean "max-clients"?`, "workers": "", "": "", "x": "",
	} {
		if got := DidYouMean(word, names()); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}
