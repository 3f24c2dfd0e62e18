package parser

import (
	"math"
	"strings"
	"testing"
)

func TestElementsEndWhereTheScannerSaysSo(t *testing.T) {
	for _, c := range wholeReplies {
		if n := ElementEnd([]byte(c.input)); n != len(c.input) {
			t.Errorf("%s: %d of %d bytes", c.name, n, len(c.input))
		}
		if n := ElementEnd([]byte(c.input + ":1\r\n")); n != len(c.input) {
			t.Errorf("%s and another: %d of %d bytes", c.name, n, len(c.input))
		}
		if n := ElementEnd([]byte(c.input[:len(c.input)-1])); n != 0 {
			t.Errorf("%s, cut: %d bytes", c.name, n)
		}
	}
	for _, c := range brokenReplies {
		if n := ElementEnd([]byte(c.input)); n != 0 {
			t.Errorf("%s: %d bytes", c.name, n)
		}
	}
}

func TestLongBulksEndWhereTheyShould(t *testing.T) {
	long := strings.Repeat("x", 1234)
	for input, want := range map[string]int{
		"$1234\r\n" + long + "\r\n":       len(long) + 9,
		"$1234\r\n" + long + "\r":         0,
		"$1234\r\n" + long + "x\n":        0,
		"$1234\n\n" + long + "\r\n":       0,
		"$01234\r\n" + long + "\r\n":      0,
		"$-234\r\n" + long + "\r\n":       0,
		"$1x34\r\n" + long + "\r\n":       0,
		"$" + long:                        0,
		"$999999999999999999\r\n" + long:  0,
		"$9223372036854775807\r\n" + long: 0,
		"$99999999999999999999\r\n":       0,
		"$\r\n\r\n":                       0,
		"$":                               0,
		"":                                0,
	} {
		if n := ElementEnd([]byte(input)); n != want {
			t.Errorf("%.30q: %d bytes, want %d", input, n, want)
		}
	}
}

func TestIntegersAndDecimals(t *testing.T) {
	for input, want := range map[string]int64{":0\r\n": 0, ":-12\r\n": -12, ":9223372036854775807\r\n": math.MaxInt64} {
		if n, ok := Integer([]byte(input)); !ok || n != want {
			t.Errorf("%q: %d, %t", input, n, ok)
		}
	}
	for _, input := range []string{"", ":", ":\r\n", ":x\r\n", ":1", ":12345", "$1\r\n1\r\n", ":9223372036854775808\r\n", "+1\r\n"} {
		if n, ok := Integer([]byte(input)); ok {
			t.Errorf("%q: %d", input, n)
		}
	}
	for input, want := range map[string]float64{",1.5\r\n": 1.5, ":2\r\n": 2, "$4\r\n-0.5\r\n": -0.5, "+3\r\n": 3} {
		if n, ok := Decimal([]byte(input)); !ok || n != want {
			t.Errorf("%q: %g, %t", input, n, ok)
		}
	}
	for _, input := range []string{"", ",", ",x\r\n", "$-1\r\n", "_\r\n", "*0\r\n", "$1\r\nx\r\n"} {
		if n, ok := Decimal([]byte(input)); ok {
			t.Errorf("%q: %g", input, n)
		}
	}
}

func TestTextsOfStrings(t *testing.T) {
	for input, want := range map[string]string{"+OK\r\n": "OK", "$3\r\na\r\n\r\n": "a\r\n", "$0\r\n\r\n": "", "=7\r\ntxt:abc\r\n": "abc", "=2\r\nab\r\n": ""} {
		if text, ok := Text([]byte(input)); !ok || string(text) != want {
			t.Errorf("%q: %q, %t", input, text, ok)
		}
	}
	for _, input := range []string{"", "$", "$-1\r\n", "_\r\n", ":1\r\n", "-ERR\r\n", "*1\r\n+a\r\n", "$3\r\nab\r\n", "$x\r\nab\r\n", "$1\r\nab\r\n"} {
		if text, ok := Text([]byte(input)); ok {
			t.Errorf("%q: %q", input, text)
		}
	}
}

func TestBulksInARow(t *testing.T) {
	b := []byte(">3\r\n$7\r\nmessage\r\n$0\r\n\r\n$-1\r\n")
	what, at := BulkAt(b, 4)
	empty, next := BulkAt(b, at)
	if string(what) != "message" || empty == nil || len(empty) > 0 {
		t.Errorf("%q, %q", what, empty)
	}
	for _, at := range []int{-1, 0, 1, next, len(b), len(b) + 1, math.MaxInt} {
		if text, next := BulkAt(b, at); text != nil || next != 0 {
			t.Errorf("at %d: %q, %d", at, text, next)
		}
	}
}

func TestNullsAndErrors(t *testing.T) {
	for _, c := range wholeReplies {
		b := []byte(c.input)
		if got, want := IsError(b), c.kind == '-' && b[0] == '-' || c.kind == '!'; got != want {
			t.Errorf("%s: an error: %t", c.name, got)
		}
		if got, want := IsNull(b), c.input == "$-1\r\n" || c.input == "*-1\r\n" || c.input == "_\r\n"; got != want {
			t.Errorf("%s: a null: %t", c.name, got)
		}
	}
	if IsError(nil) || IsNull(nil) {
		t.Error("nothing is something")
	}
}

// elementsOf lists the elements of an aggregate.
func elementsOf(b string) (list []string, ok bool) {
	e, ok := ElementsOf([]byte(b))
	for e.Left() > 0 {
		one := e.Next()
		if one == nil {
			return append(list, "cut"), ok
		}
		list = append(list, string(one))
	}
	return list, ok
}

func TestElementsOfAggregates(t *testing.T) {
	for input, want := range map[string]string{
		"*2\r\n:1\r\n*1\r\n+a\r\n":             ":1\r\n|*1\r\n+a\r\n",
		"~1\r\n$1\r\nx\r\n":                    "$1\r\nx\r\n",
		"%1\r\n+k\r\n|1\r\n+a\r\n+b\r\n:1\r\n": "+k\r\n||1\r\n+a\r\n+b\r\n:1\r\n",
		">1\r\n_\r\n":                          "_\r\n",
		"*0\r\n":                               "",
		"*-1\r\n":                              "",
		"_\r\n":                                "",
		"*2\r\n:1\r\n":                         ":1\r\n|cut",
		"*2\r\n:1\r\n?\r\n":                    ":1\r\n|cut",
	} {
		if list, ok := elementsOf(input); !ok || strings.Join(list, "|") != want {
			t.Errorf("%q: %q, %t", input, list, ok)
		}
	}
	for _, input := range []string{"", "*", ":1\r\n", "$-1\r\n", "*-2\r\n", "*x\r\n", "*9\r\n", "%4611686018427387904\r\n", "%3\r\n", "*9223372036854775807\r\n", "|0\r\n:1\r\n"} {
		if list, ok := elementsOf(input); ok {
			t.Errorf("%q: %q", input, list)
		}
	}
}

func TestReadingValuesAllocatesNothing(t *testing.T) {
	b := []byte("*3\r\n:12\r\n$3\r\nabc\r\n*2\r\n:1\r\n:2\r\n")
	if n := testing.AllocsPerRun(100, func() {
		e, _ := ElementsOf(b)
		n, _ := e.Integer()
		text, _ := e.Text()
		if _, start, ok := ArrayHeader(e.Next()); n != 12 || len(text) != 3 || start != 4 || !ok {
			t.Fatal("read wrongly")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzElements: elements end where the scanner says so, and no reader panics or returns something that is not there.
func FuzzElements(f *testing.F) {
	for _, c := range wholeReplies {
		if len(c.input) < 1000 {
			f.Add([]byte(c.input), 1)
		}
	}
	for _, c := range brokenReplies {
		if len(c.input) < 1000 {
			f.Add([]byte(c.input), 4)
		}
	}
	f.Add([]byte("$120\r\n"+strings.Repeat("x", 120)+"\r\n"), 0)
	f.Add([]byte("%4611686018427387904\r\n"), 2)
	f.Fuzz(func(t *testing.T, b []byte, at int) {
		var s ReplyScanner
		n, st := s.Scan(b)
		if st != Done {
			n = 0
		}
		if got := ElementEnd(b); got != n {
			t.Fatalf("%q ends after %d bytes; the scanner says %d", b, got, n)
		}
		if text, next := BulkAt(b, at); next < 0 || next > len(b) || next == 0 && text != nil {
			t.Fatalf("%q at %d: %q, %d", b, at, text, next)
		}
		if _, start, ok := ArrayHeader(b); ok && start > len(b) {
			t.Fatalf("%q: the first element is at %d", b, start)
		}
		_, _ = Integer(b)
		_, _ = Decimal(b)
		_, _ = Text(b)
		e, _ := ElementsOf(b)
		size := len(b) - len(e.Rest())
		for e.Left() > 0 {
			left := e.Left()
			one := e.Next()
			size += len(one)
			if e.Left() >= left || one == nil && e.Left() > 0 {
				t.Fatalf("%q: %d elements are left after %q of %d", b, e.Left(), one, left)
			}
		}
		if size > len(b) || e.rest != nil && size+len(e.Rest()) != len(b) {
			t.Fatalf("%q: %d bytes of elements", b, size)
		}
	})
}
