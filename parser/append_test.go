package parser

import (
	"math"
	"strings"
	"testing"
)

func TestAppend(t *testing.T) {
	for _, c := range []struct {
		name, want string
		got        []byte
	}{
		{"empty array", "*0\r\n", AppendArray(nil, 0)},
		{"array of one digit", "*9\r\n", AppendArray(nil, 9)},
		{"array of two digits", "*10\r\n", AppendArray(nil, 10)},
		{"nil array", "*-1\r\n", AppendArray(nil, -1)},
		{"map", "%2\r\n", AppendMap(nil, 2)},
		{"zero", ":0\r\n", AppendInt(nil, 0)},
		{"negative", ":-7\r\n", AppendInt(nil, -7)},
		{"largest", ":9223372036854775807\r\n", AppendInt(nil, math.MaxInt64)},
		{"smallest", ":-9223372036854775808\r\n", AppendInt(nil, math.MinInt64)},
		{"empty bulk", "$0\r\n\r\n", AppendBulk(nil, nil)},
		{"binary bulk", "$4\r\n\r\n\x00\xff\r\n", AppendBulk(nil, []byte("\r\n\x00\xff"))},
		{"empty bulk of a string", "$0\r\n\r\n", AppendBulkString(nil, "")},
		{"long bulk", "$1000\r\n" + strings.Repeat("x", 1000) + "\r\n", AppendBulkString(nil, strings.Repeat("x", 1000))},
		{"simple", "+OK\r\n", AppendSimple(nil, "OK")},
		{"empty simple", "+\r\n", AppendSimple(nil, "")},
		{"error", "-ERR syntax error\r\n", AppendError(nil, "ERR syntax error")},
		{"error with line breaks", "-ERR a  b\r\n", AppendError(nil, "ERR a\r\nb")},
		{"pairs of RESP2", "*4\r\n", AppendPairs(nil, '*', 2)},
		{"pairs of RESP3", "%2\r\n", AppendPairs(nil, '%', 2)},
		{"text of RESP2", "$3\r\nabc\r\n", AppendVerbatim(nil, 2, []byte("abc"))},
		{"text of RESP3", "=7\r\ntxt:abc\r\n", AppendVerbatim(nil, 3, []byte("abc"))},
		{"null of RESP2", "$-1\r\n", AppendNull(nil, 2)},
		{"null of RESP3", "_\r\n", AppendNull(nil, 3)},
	} {
		if string(c.got) != c.want {
			t.Errorf("%s: %q; want %q", c.name, c.got, c.want)
		}
		if c.want[0] == '*' || c.want[0] == '%' {
			continue
		}
		if got := scanWhole([]byte(c.got)); len(got.frames) != 1 || got.frames[0].size != len(c.want) || got.end != "" {
			t.Errorf("%s: %q does not scan as one frame: %v", c.name, c.got, got)
		}
	}
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	b := AppendArray([]byte("x"), 6)
	b = AppendInt(b, 1)
	b = AppendBulk(b, []byte("a"))
	b = AppendBulkString(b, "b")
	b = AppendSimple(b, "c")
	b = AppendError(b, "d")
	b = AppendNull(b, 3)
	if want := "x*6\r\n:1\r\n$1\r\na\r\n$1\r\nb\r\n+c\r\n-d\r\n_\r\n"; string(b) != want {
		t.Errorf("%q; want %q", b, want)
	}
}

func TestAppendRequestIsParsedAgain(t *testing.T) {
	raw := AppendRequest([]byte(nil), "SET", "", "a\r\nb")
	req, ok := Reparse(raw)
	if !ok || len(req.Args) != 3 || string(req.Args[0]) != "SET" || string(req.Args[1]) != "" || string(req.Args[2]) != "a\r\nb" {
		t.Errorf("%q is parsed as %q, %t", raw, req.Args, ok)
	}
	for _, bad := range []string{"", "\r\n", "*1\r\n$4\r\nPI", "*x\r\n"} {
		if _, ok := Reparse([]byte(bad)); ok {
			t.Errorf("%q is a request", bad)
		}
	}
	words := CloneWords(req.Args)
	clear(raw)
	if string(words[0]) != "SET" || string(words[2]) != "a\r\nb" {
		t.Errorf("copied words are %q", words)
	}
}

func TestNullArrayHasTheClientsForm(t *testing.T) {
	for proto, want := range map[uint8]string{2: "*-1\r\n", 3: "_\r\n"} {
		if got := string(AppendNullArray(nil, proto)); got != want {
			t.Errorf("RESP%d: %q", proto, got)
		}
	}
}
