package parser

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestRequestIsTheSameInAnyPieces(t *testing.T) {
	for _, c := range []struct {
		name, input string
		want        [][]string
	}{
		{"one", bulks("GET", "k"), [][]string{{"GET", "k"}}},
		{"pipeline", bulks("GET", "k") + bulks("SET", "k", "v") + bulks("PING"), [][]string{{"GET", "k"}, {"SET", "k", "v"}, {"PING"}}},
		{"empty arguments", bulks("SET", "", ""), [][]string{{"SET", "", ""}}},
		{"binary", bulks("SET", "\r\n$3\r\n\x00", "*1\r\n\xff"), [][]string{{"SET", "\r\n$3\r\n\x00", "*1\r\n\xff"}}},
		{"empty requests between", "*0\r\n" + bulks("PING") + "*-1\r\n*-9223372036854775808\r\n" + bulks("PING"), [][]string{nil, {"PING"}, nil, nil, {"PING"}}},
		{"inline between", bulks("PING") + "ECHO a\r\n" + bulks("PING"), [][]string{{"PING"}, {"ECHO", "a"}, {"PING"}}},
		{"two digits", bulks("SET", "k", strings.Repeat("v", 12)), [][]string{{"SET", "k", strings.Repeat("v", 12)}}},
		{"many arguments", bulks(slices.Repeat([]string{"abc"}, 120)...), [][]string{slices.Repeat([]string{"abc"}, 120)}},
		{"large argument", bulks("SET", "k", strings.Repeat("v", 40000)), [][]string{{"SET", "k", strings.Repeat("v", 40000)}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := parseAllWays(t, c.input, DefaultLimits(), false)
			if got.err != "" || got.rest != 0 || len(got.reqs) != len(c.want) {
				t.Fatalf("%v; want %q", got, c.want)
			}
			sum := 0
			for i, r := range got.reqs {
				if !slices.Equal(r.args, c.want[i]) {
					t.Errorf("request %d is %q; want %q", i, r.args, c.want[i])
				}
				if len(r.args) > 0 && r.raw != bulks(r.args...) {
					t.Errorf("request %d is sent on as %q", i, r.raw)
				}
				sum += r.size
			}
			if sum != len(c.input) {
				t.Errorf("took %d bytes of %d", sum, len(c.input))
			}
		})
	}
}

func TestRequestWithOddTerminatorsIsSentOnWithCRLF(t *testing.T) {
	for _, input := range []string{
		"*1\rX$4\r\nPING\r\n",
		"*1\r\n$4\rYPING\r\n",
		"*1\r\n$4\r\nPINGzz",
		"*1\r\n$4\r\nPING\n\n",
		"*1\r\r$4\r\rPING\r\r",
	} {
		got := parseAllWays(t, input+bulks("GET", "k"), DefaultLimits(), false)
		if len(got.reqs) != 2 || got.reqs[0].raw != bulks("PING") || got.reqs[0].size != len(input) || got.reqs[1].raw != bulks("GET", "k") {
			t.Errorf("%q: %v", input, got)
		}
	}
}

func TestRequestAwaitsMore(t *testing.T) {
	for _, c := range []struct {
		name, input string
		need        int
	}{
		{"star", "*", 0},
		{"count without LF", "*1\r", 0},
		{"count", "*1\r\n", 4},
		{"length without LF", "*1\r\n$3\r", 4},
		{"length", "*1\r\n$3\r\n", 13},
		{"body without terminator", "*1\r\n$3\r\nabc", 13},
		{"body without LF", "*1\r\n$3\r\nabc\r", 13},
		{"second length", "*2\r\n$3\r\nabc\r\n", 13},
		{"largest count", "*2147483647\r\n", 13},
		{"largest bulk", "*1\r\n$536870912\r\n", 16 + 512<<20 + 2},
		{"inline", "PING", 0},
		{"count as long as may be", "*" + strings.Repeat("1", 65535), 0},
		{"length as long as may be", "*1\r\n$" + strings.Repeat("1", 65535), 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := parseAllWays(t, c.input, DefaultLimits(), false)
			if got.err != "" || len(got.reqs) != 0 || got.rest != len(c.input) || got.need != c.need {
				t.Errorf("%v; want %d needed", got, c.need)
			}
		})
	}
}

// broken are requests that end the connection. redis_test.go asks a server for the same texts.
var broken = []struct{ name, input, text string }{
	{"no count", "*\r\n", "invalid multibulk length"},
	{"count is a word", "*a\r\n", "invalid multibulk length"},
	{"count with plus", "*+1\r\n", "invalid multibulk length"},
	{"count with leading zero", "*01\r\n", "invalid multibulk length"},
	{"count of minus zero", "*-0\r\n", "invalid multibulk length"},
	{"count with spaces", "* 1\r\n", "invalid multibulk length"},
	{"count with space behind", "*1 \r\n", "invalid multibulk length"},
	{"count beyond int32", "*2147483648\r\n", "invalid multibulk length"},
	{"count of int64", "*9223372036854775807\r\n", "invalid multibulk length"},
	{"count beyond int64", "*9223372036854775808\r\n", "invalid multibulk length"},
	{"count beyond negative int64", "*-9223372036854775809\r\n", "invalid multibulk length"},
	{"count beyond uint64", "*18446744073709551617\r\n", "invalid multibulk length"},
	{"count of LF lines", "*1\n$4\nPING\n*1\r\n", "invalid multibulk length"},
	{"endless count", "*" + strings.Repeat("1", 65536), "too big mbulk count string"},
	{"no length", "*1\r\n$\r\n", "invalid bulk length"},
	{"negative length", "*1\r\n$-1\r\n", "invalid bulk length"},
	{"length of minus 20", "*1\r\n$-20\r\n", "invalid bulk length"},
	{"length of minus zero", "*1\r\n$-0\r\n", "invalid bulk length"},
	{"length with plus", "*1\r\n$+4\r\n", "invalid bulk length"},
	{"length with leading zero", "*1\r\n$04\r\n", "invalid bulk length"},
	{"length with space", "*1\r\n$ 4\r\n", "invalid bulk length"},
	{"length is a word", "*1\r\n$four\r\n", "invalid bulk length"},
	{"length of LF lines", "*1\r\n$4\nPING\r\n", "invalid bulk length"},
	{"length above the limit", "*1\r\n$536870913\r\n", "invalid bulk length"},
	{"length of int64", "*1\r\n$9223372036854775807\r\n", "invalid bulk length"},
	{"length beyond int64", "*1\r\n$9223372036854775808\r\n", "invalid bulk length"},
	{"length that wraps around", "*1\r\n$18446744073709551620\r\n", "invalid bulk length"},
	{"endless length", "*1\r\n$" + strings.Repeat("1", 65536), "too big bulk count string"},
	{"endless line for a length", "*1\r\n" + strings.Repeat("x", 65537), "too big bulk count string"},
	{"no dollar", "*1\r\nPING\r\n", "expected '$', got 'P'"},
	{"integer as argument", "*1\r\n:1\r\n", "expected '$', got ':'"},
	{"array as argument", "*1\r\n*1\r\n$4\r\nPING\r\n", "expected '$', got '*'"},
	{"empty line for a length", "*1\r\n\r\n", "expected '$', got '\r'"},
	{"LF for a length", "*1\r\n\n4\r\n", "expected '$', got '\n'"},
	{"high byte for a length", "*1\r\n\xff\r\n", "expected '$', got '\xff'"},
	{"body longer than its length", "*2\r\n$3\r\nabcde\r\n$1\r\na\r\n", "expected '$', got '\r'"},
	{"second argument", "*2\r\n$4\r\nECHO\r\n$-1\r\n", "invalid bulk length"},
	{"endless inline", strings.Repeat("x", 65537), "too big inline request"},
	{"endless inline with a NUL", "PING\x00\r\n" + strings.Repeat("x", 65536), "too big inline request"},
	{"open double quote", "ECHO \"a\r\n", "unbalanced quotes in request"},
	{"open single quote", "ECHO 'a\r\n", "unbalanced quotes in request"},
	{"nothing may touch a closing quote", "ECHO \"a\"b\r\n", "unbalanced quotes in request"},
}

// brokenBeforeLogin are requests that are refused only before the client has logged in.
var brokenBeforeLogin = []struct{ name, input, text string }{
	{"eleven arguments", "*11\r\n", "unauthenticated multibulk length"},
	{"largest count", "*2147483647\r\n", "unauthenticated multibulk length"},
	{"large argument", "*1\r\n$16385\r\n", "unauthenticated bulk length"},
	{"large second argument", "*2\r\n$4\r\nECHO\r\n$536870912\r\n", "unauthenticated bulk length"},
}

func TestRequestBroken(t *testing.T) {
	for _, c := range broken {
		t.Run(c.name, func(t *testing.T) {
			before := bulks("ECHO", "first")
			got := parseAllWays(t, before+c.input, DefaultLimits(), false)
			if got.err != c.text || len(got.reqs) != 1 || got.reqs[0].raw != before {
				t.Errorf("%v; want %q behind one request", got, c.text)
			}
			if got := parseAllWays(t, c.input, DefaultLimits(), true); got.err != c.text && !(c.name == "length above the limit" && got.err != "") {
				t.Errorf("before login %v; want %q", got, c.text)
			}
		})
	}
}

func TestRequestBeforeLogin(t *testing.T) {
	for _, c := range brokenBeforeLogin {
		t.Run(c.name, func(t *testing.T) {
			if got := parseAllWays(t, c.input, DefaultLimits(), true); got.err != c.text {
				t.Errorf("%v; want %q", got, c.text)
			}
			if got := parseAllWays(t, c.input, DefaultLimits(), false); got.err != "" {
				t.Errorf("refused after login: %v", got)
			}
		})
	}
	allowed := bulks(slices.Repeat([]string{"x"}, 9)...) + bulks("ECHO", strings.Repeat("x", 16384)) + bulks(slices.Repeat([]string{"y"}, 10)...)
	if got := parseAllWays(t, allowed, DefaultLimits(), true); got.err != "" || len(got.reqs) != 3 {
		t.Errorf("ten arguments and 16,384 bytes are allowed: %v", got)
	}
}

func TestRequestLimitsAreTheCallers(t *testing.T) {
	lim := Limits{MaxBulk: 5, MaxArgs: 3, MaxInline: 20}
	for _, c := range []struct{ input, text string }{
		{bulks("ECHO", "12345"), ""},
		{bulks("ECHO", "123456"), "invalid bulk length"},
		{bulks("A", "B", "C"), ""},
		{bulks("A", "B", "C", "D"), "invalid multibulk length"},
		{strings.Repeat("x", 20) + "\n", ""},
		{strings.Repeat("x", 21) + "\n", "too big inline request"},
		{"*" + strings.Repeat("1", 19) + "\r\n", "invalid multibulk length"},
		{"*" + strings.Repeat("1", 20) + "\r\n", "too big mbulk count string"},
		{"*1\r\n$" + strings.Repeat("1", 19) + "\r\n", "invalid bulk length"},
		{"*1\r\n$" + strings.Repeat("1", 20) + "\r\n", "too big bulk count string"},
		{"*1\r\n" + strings.Repeat("x", 20) + "\r\n", "expected '$', got 'x'"},
	} {
		if got := parseAllWays(t, c.input, lim, false); got.err != c.text || (c.text == "" && len(got.reqs) != 1) {
			t.Errorf("%q: %v; want %q", c.input, got, c.text)
		}
	}
}

// After each piece, all bytes that need not be read again are overwritten with bytes that would change the result, so
// that a parser that starts over fails.
func TestRequestReadsNothingTwice(t *testing.T) {
	lim := DefaultLimits()
	value := strings.Repeat("v", 20000)
	input := []byte(bulks("MSET", "a", value, "b", value, "c", value))
	p, req, buf := RequestParser{}, Request{}, make([]byte, 0, len(input))
	for i := 0; i < len(input); i += 61 {
		buf = append(buf, input[i:min(i+61, len(input))]...)
		done, err := p.Next(buf, &lim, &req)
		if err != nil || done != (len(buf) == len(input)) {
			t.Fatalf("after %d bytes: %t, %v", len(buf), done, err)
		}
		for j := range p.pos {
			buf[j] = '*'
		}
		if p.bulk > 0 && !done {
			for j := p.pos; j < len(buf); j++ {
				buf[j] = '\r'
			}
		}
	}
	if len(req.Args) != 7 || len(req.Args[6]) != len(value) || req.Size != len(input) {
		t.Errorf("%d arguments, %d bytes", len(req.Args), req.Size)
	}
}

func TestLinesAreSearchedOnce(t *testing.T) {
	for _, c := range []struct{ name, start, poison string }{
		{"count", "*", "\r"},
		{"length", "*1\r\n$", "\r"},
		{"inline", "PING ", "\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			lim := DefaultLimits()
			p, req, buf := RequestParser{}, Request{}, []byte(c.start)
			for len(buf) < lim.MaxInline {
				if done, err := p.Next(buf, &lim, &req); done || err != nil {
					t.Fatalf("searched again at %d: %t, %v", len(buf), done, err)
				}
				buf[len(buf)-1] = c.poison[0]
				if len(buf) == len(c.start) {
					buf[len(buf)-1] = c.start[len(c.start)-1]
				}
				buf = append(buf, '1')
			}
		})
	}
}

func TestHostileCountsReserveNothing(t *testing.T) {
	lim := DefaultLimits()
	input := []byte("*2147483647\r\n$536870912\r\n")
	var req Request
	allocs := testing.AllocsPerRun(100, func() {
		var p RequestParser
		if done, err := p.Next(input, &lim, &req); done || err != nil || p.Held() != 0 {
			t.Fatal(done, err, p.Held())
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations for what was only announced", allocs)
	}
}

func TestHeldCountsBookkeeping(t *testing.T) {
	lim := DefaultLimits()
	input := []byte("*1000000\r\n" + strings.Repeat("$0\r\n\r\n", 5000))
	var p RequestParser
	var req Request
	if done, err := p.Next(input, &lim, &req); done || err != nil {
		t.Fatal(done, err)
	}
	if p.Held() < 5000*16 || p.Held() > 5000*16*2 {
		t.Errorf("Held says %d bytes for 5,000 arguments", p.Held())
	}
}

func TestRequestForgetsAVeryLongArgumentList(t *testing.T) {
	lim := DefaultLimits()
	var p RequestParser
	var req Request
	for _, n := range []int{maxKeptArgs + 1, 1} {
		input := []byte(bulks(slices.Repeat([]string{"x"}, n)...))
		if done, err := p.Next(input, &lim, &req); !done || err != nil || len(req.Args) != n {
			t.Fatal(done, err, len(req.Args))
		}
	}
	if cap(req.Args) > maxKeptArgs {
		t.Errorf("room for %d arguments is kept", cap(req.Args))
	}
}

func TestDefaultLimitsAreRedis(t *testing.T) {
	want := Limits{MaxBulk: 536870912, MaxArgs: math.MaxInt32, MaxInline: 65536}
	if got := DefaultLimits(); got != want {
		t.Errorf("%+v; want %+v", got, want)
	}
}

// Redis looks for the line's end with strchr, so it waits after a NUL. The parser reports the error at once.
func TestNULInALengthIsBroken(t *testing.T) {
	for input, text := range map[string]string{
		"*1\x00\r\n":       "invalid multibulk length",
		"*1\r\n$4\x00\r\n": "invalid bulk length",
		"*1\r\n\x00\r\n":   "expected '$', got '\x00'",
	} {
		if got := parseAllWays(t, input, DefaultLimits(), false); got.err != text {
			t.Errorf("%q: %v; want %q", input, got, text)
		}
	}
}

func TestPlaceInAHeaderIsForgottenWithItsRequest(t *testing.T) {
	var p RequestParser
	var req Request
	lim := DefaultLimits()
	long := []byte(bulks(slices.Repeat([]string{"x"}, 1000)...))
	short := []byte(bulks(slices.Repeat([]string{"x"}, 10)...))
	for _, input := range [][]byte{long, long[:len("*1000")], long, short} { // the first makes the list long enough
		done, err := p.Next(input, &lim, &req)
		if whole := len(input) > len("*1000"); err != nil || done != whole || done && req.Size != len(input) {
			t.Fatalf("%d bytes: done is %t, of %d bytes, %v", len(input), done, req.Size, err)
		}
	}
}
