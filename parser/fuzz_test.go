package parser

import (
	"slices"
	"strings"
	"testing"
)

// fuzzLimits are small, so that the fuzzer reaches them.
var fuzzLimits = Limits{MaxBulk: 100, MaxArgs: 30, MaxInline: 60}

// sameInPieces checks that every way to cut data gives the same result, and that the forwarded request is understood
// in the same way.
func sameInPieces(t *testing.T, data []byte, seed uint64, unauthenticated bool) parsed {
	whole := parse(data, fuzzLimits, unauthenticated)
	for _, cuts := range [][]int{everyByte(len(data)), randomCuts(len(data), seed)} {
		if got := parse(data, fuzzLimits, unauthenticated, cuts...); !got.equal(whole) {
			t.Fatalf("%q cut at %d gives %v; whole %v", data, cuts, got, whole)
		}
	}
	taken := whole.rest
	for _, r := range whole.reqs {
		taken += r.size
		if len(r.args) == 0 {
			if r.raw != "" {
				t.Fatalf("%q: an empty request is sent on as %q", data, r.raw)
			}
			continue
		}
		again := parse([]byte(r.raw), DefaultLimits(), false)
		if len(again.reqs) != 1 || again.rest != 0 || again.reqs[0].raw != r.raw || !slices.Equal(again.reqs[0].args, r.args) {
			t.Fatalf("%q: %q is sent on as %q, which is %v", data, r.args, r.raw, again)
		}
	}
	if taken > len(data) || (whole.err == "" && taken != len(data)) {
		t.Fatalf("%q: %d bytes taken: %v", data, taken, whole)
	}
	return whole
}

func FuzzRequest(f *testing.F) {
	for _, s := range []string{
		bulks("GET", "k"), bulks("SET", "k", "v") + bulks("PING"), "PING\r\n" + bulks("ECHO", ""), "*0\r\n*-1\r\n" + bulks("A"),
		"*1\rX$4\rYPINGzz" + bulks("PING"), "*1\r\n\r\n", "*1\r\n$100\r\n" + strings.Repeat("x", 100) + "\r\n",
		bulks(slices.Repeat([]string{"x"}, 30)...), bulks(slices.Repeat([]string{"x"}, 31)...),
		"*" + strings.Repeat("1", 61), "*1\r\n$" + strings.Repeat("1", 61), strings.Repeat("x", 61),
		"*2147483647\r\n", "$9223372036854775807\r\n", "*1\r\n$-20\r\n", "PING\x00\r\n",
	} {
		f.Add([]byte(s), uint64(1), false)
	}
	for _, c := range broken {
		if len(c.input) < 200 {
			f.Add([]byte(bulks("PING")+c.input), uint64(2), false)
			f.Add([]byte(c.input), uint64(3), true)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, seed uint64, unauthenticated bool) {
		if len(data) > 4096 {
			t.Skip()
		}
		sameInPieces(t, data, seed, unauthenticated)
	})
}

// FuzzInline compares the splitting into words with a reader that goes byte by byte, as Redis's does.
func FuzzInline(f *testing.F) {
	for _, s := range []string{`a b`, `"a b" 'c'`, `"\x41\n\q"`, `'a\'b'`, `"a"b`, `"`, `'\`, "a\vb\f\r", `"\x4"`, "\x00", ``, ` ""''`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if len(line) > fuzzLimits.MaxInline || strings.HasPrefix(line, "*") || strings.ContainsAny(line, "\n\x00") {
			t.Skip()
		}
		got := sameInPieces(t, []byte(line+"\n"), 1, false)
		want, ok := referenceSplit(strings.TrimSuffix(line, "\r"))
		if ok != (got.err == "") || ok && !slices.Equal(got.reqs[0].args, want) {
			t.Fatalf("%q: %v; want %q, %t", line, got, want, ok)
		}
	})
}

func FuzzReply(f *testing.F) {
	for _, c := range wholeReplies {
		if len(c.input) < 1000 {
			f.Add([]byte(c.input), uint64(1))
		}
	}
	for _, c := range brokenReplies {
		if len(c.input) < 1000 {
			f.Add([]byte(c.input), uint64(2))
		}
	}
	f.Add([]byte(strings.Repeat("*2147483647\r\n", 520)), uint64(3))
	f.Add([]byte(strings.Repeat("*1\r\n", 100)+":1\r\n"), uint64(4))
	f.Add([]byte("|1\r\n+a\r\n>2\r\n+b\r\n|1\r\n+c\r\n+d\r\n+e\r\n*2\r\n>1\r\n*1\r\n+f\r\n:1\r\n_\r\n+next\r\n"), uint64(5))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		if len(data) > 8192 {
			t.Skip() // the reference recurses
		}
		whole := scanWhole(data)
		if ref := referenceScan(data); !ref.equal(whole) {
			t.Fatalf("%q gives %v; the reference %v", data, whole, ref)
		}
		for _, cuts := range [][]int{everyByte(len(data)), randomCuts(len(data), seed)} {
			if got := scan(data, cuts...); !got.equal(whole) {
				t.Fatalf("%q cut at %d gives %v; whole %v", data, cuts, got, whole)
			}
		}
	})
}
