package parser

import (
	"slices"
	"strings"
	"testing"
)

func TestInline(t *testing.T) {
	for _, c := range []struct {
		name, line string
		want       []string
	}{
		{"one word", "PING", []string{"PING"}},
		{"words", "SET k v", []string{"SET", "k", "v"}},
		{"blanks around and between", " \t SET \t k\v\f v \v", []string{"SET", "k\v\f", "v"}},
		{"nothing", "", nil},
		{"blanks only", " \t\v\f\r ", nil},
		{"double quotes", `ECHO "a b"`, []string{"ECHO", "a b"}},
		{"single quotes", `ECHO 'a b'`, []string{"ECHO", "a b"}},
		{"empty quotes", `SET "" ''`, []string{"SET", "", ""}},
		{"escapes", `ECHO "\n\r\t\b\a\\\"\q"`, []string{"ECHO", "\n\r\t\b\a\\\"q"}},
		{"hexadecimal", `ECHO "\x41\xfF\x00\x0a"`, []string{"ECHO", "A\xff\x00\n"}},
		{"no hexadecimal", `ECHO "\x4\x4g\xg4\x"`, []string{"ECHO", "x4x4gxg4x"}},
		{"no escapes without quotes", `ECHO a\nb\x41`, []string{"ECHO", `a\nb\x41`}},
		{"no escapes in single quotes", `ECHO 'a\nb\x41\\ '`, []string{"ECHO", `a\nb\x41\\ `}},
		{"escaped single quote", `ECHO 'a\'b'`, []string{"ECHO", "a'b"}},
		{"quotes of the other kind", `ECHO "'" '"'`, []string{"ECHO", "'", `"`}},
		{"quotes in a word", `ECHO a"b c"`, []string{"ECHO", "ab c"}},
		{"quote ends a word", "ECHO \"a\"\tb", []string{"ECHO", "a", "b"}},
		{"high bytes", "ECHO \xc3\xa4\xff\xa0", []string{"ECHO", "\xc3\xa4\xff\xa0"}},
		{"CR in a word", "ECHO a\rb", []string{"ECHO", "a", "b"}},
		{"CR in quotes", "ECHO \"a\rb\"", []string{"ECHO", "a\rb"}},
		{"star behind a blank", " *1", []string{"*1"}},
		{"as long as may be", "ECHO " + strings.Repeat("x", 65530), []string{"ECHO", strings.Repeat("x", 65530)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, end := range []string{"\r\n", "\n"} {
				input := c.line + end
				got := parseAllWays(t, input+"PING\n", DefaultLimits(), false)
				if got.err != "" || len(got.reqs) != 2 || !slices.Equal(got.reqs[0].args, c.want) || got.reqs[0].size != len(input) {
					t.Fatalf("%v; want %q", got, c.want)
				}
				if raw := got.reqs[0].raw; len(c.want) > 0 && raw != bulks(c.want...) || len(c.want) == 0 && raw != "" {
					t.Errorf("sent on as %q", raw)
				}
			}
		})
	}
}

func TestInlineUnbalancedQuotes(t *testing.T) {
	for _, line := range []string{
		`"`, `'`, `ECHO "a`, `ECHO 'a`, `ECHO "a\"`, `ECHO 'a\'`, `ECHO 'a\\'`, `ECHO "a\`, `ECHO "a\x4`,
		`ECHO "a"b`, `ECHO 'a'b`, `ECHO "a""b"`, `ECHO "a"'b'`, `ECHO a"b"c`, `ECHO ""a`, `ECHO '''`,
	} {
		if got := parseAllWays(t, line+"\r\n", DefaultLimits(), false); got.err != "unbalanced quotes in request" || len(got.reqs) != 0 {
			t.Errorf("%q: %v", line, got)
		}
	}
}

func TestInlineWithNULNeverEnds(t *testing.T) {
	for _, input := range []string{"\x00", "\x00\n", "PING\x00\r\n", "PING\x00\r\nPING\r\n", "a \"\x00\"\n"} {
		if got := parseAllWays(t, input, DefaultLimits(), false); got.err != "" || len(got.reqs) != 0 || got.rest != len(input) {
			t.Errorf("%q: %v", input, got)
		}
	}
}
