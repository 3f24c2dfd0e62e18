package parser

import (
	"errors"
	"strings"
	"testing"
)

const testDepth, testValues = 4, 8

func TestATreeHasWhatAReplySays(t *testing.T) {
	v, err := ParseValue("|1\r\n+ttl\r\n:3\r\n%2\r\n+a\r\n*2\r\n:7\r\n$-1\r\n$1\r\nb\r\n=5\r\ntxt:x\r\n", testDepth, 12)
	if err != nil || v.Kind != '%' || len(v.Elems) != 4 {
		t.Fatalf("%+v, %v", v, err)
	}
	if n, ok := v.Elems[1].Elems[0].Int(); n != 7 || !ok {
		t.Errorf("%+v is no 7", v.Elems[1])
	}
	null := v.Elems[1].Elems[1]
	if _, ok := null.Int(); ok || !null.Null || null.IsText() {
		t.Errorf("%+v is no null", null)
	}
	if !v.Elems[3].IsText() || v.Elems[3].Text != "txt:x" {
		t.Errorf("%+v is no text", v.Elems[3])
	}
}

func TestATreeHasNoPushesButItself(t *testing.T) {
	v, err := ParseValue("*2\r\n:1\r\n>1\r\n+p\r\n:2\r\n", testDepth, testValues)
	if err != nil || len(v.Elems) != 2 || v.Elems[1].Text != "2" {
		t.Errorf("%+v, %v", v, err)
	}
	v, err = ParseValue("|1\r\n+a\r\n+b\r\n>1\r\n+p\r\n", testDepth, testValues)
	if err != nil || v.Kind != '>' || len(v.Elems) != 1 {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestPairsOfAnArrayAndOfAMap(t *testing.T) {
	for _, raw := range []string{"*5\r\n+a\r\n:1\r\n:9\r\n+x\r\n+odd\r\n", "%2\r\n+a\r\n:1\r\n:9\r\n+x\r\n"} {
		v, err := ParseValue(raw, testDepth, testValues)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		v.Pairs(func(key string, value Value) bool {
			got = append(got, key+"="+value.Text)
			return true
		})
		if strings.Join(got, " ") != "a=1" {
			t.Errorf("%q: %q", raw, got)
		}
	}
}

func TestATreeIsBounded(t *testing.T) {
	deep := strings.Repeat("*1\r\n", testDepth-1) + ":1\r\n"
	wide := "*7\r\n" + strings.Repeat(":1\r\n", testValues-1)
	for _, raw := range []string{deep, wide} {
		if _, err := ParseValue(raw, testDepth, testValues); err != nil {
			t.Errorf("%q: %v", raw, err)
		}
	}
	for raw, want := range map[string]string{
		"*1\r\n" + deep:                        "a reply is nested deeper than 4",
		"*8\r\n" + wide[4:] + ":1\r\n":         "a reply has more than 8 values",
		"*1\r\n" + wide:                        "a reply has more than 8 values",
		"*9223372036854775807\r\n":             "a reply has more than 8 values",
		"%4611686018427387904\r\n":             "a reply has more than 8 values",
		strings.Repeat("|0\r\n", 4) + ":1\r\n": "a reply is nested deeper than 4",
	} {
		if _, err := ParseValue(raw, testDepth, testValues); err == nil || err.Error() != want || errors.Is(err, ErrNotRESP) {
			t.Errorf("%q: %v", raw, err)
		}
	}
	for _, raw := range []string{"", "\r\n", "?1\r\n", "$5\r\nab", "$-2\r\n", "+a\r\n+b\r\n", "*1\r\n"} {
		if _, err := ParseValue(raw, testDepth, testValues); !errors.Is(err, ErrNotRESP) {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

// FuzzValue: every tree is also one reply to the scanner, and nothing panics.
func FuzzValue(f *testing.F) {
	for _, c := range wholeReplies {
		if len(c.input) < 1000 {
			f.Add(c.input)
		}
	}
	for _, c := range brokenReplies {
		if len(c.input) < 1000 {
			f.Add(c.input)
		}
	}
	f.Add("*2\r\n#\r\n>1\r\n#\r\n")
	f.Fuzz(func(t *testing.T, reply string) {
		_, err := ParseValue(reply, 16, 1<<10)
		var s ReplyScanner
		if n, st := s.Scan([]byte(reply)); err == nil && (st != Done || n != len(reply)) {
			t.Errorf("%q became a tree, but the scanner says %d after %d of %d bytes", reply, st, n, len(reply))
		}
	})
}
