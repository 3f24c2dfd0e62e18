package respclient

import (
	"strconv"
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

// everyKind holds one reply of each type.
var everyKind = []string{
	"+OK\r\n", "-ERR no\r\n", ":12\r\n", ":-1\r\n", "$0\r\n\r\n", "$-1\r\n", "$4\r\na\r\nb\r\n",
	"*0\r\n", "*-1\r\n", "*2\r\n:1\r\n*1\r\n$1\r\nx\r\n", "_\r\n", "#t\r\n", ",1.5\r\n",
	"(3492890328409238509324850943850943825024385\r\n", "!5\r\nERR x\r\n", "=7\r\ntxt:abc\r\n",
	"%1\r\n+k\r\n*1\r\n:1\r\n", "~2\r\n:1\r\n:2\r\n", ">2\r\n+message\r\n+x\r\n",
}

func TestParseAgreesWithTheTestsOwnReader(t *testing.T) {
	for _, raw := range everyKind {
		got, err := Parse(raw)
		if err != nil {
			t.Errorf("%q: %v", raw, err)
			continue
		}
		want, err := testkit.ParseValue([]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		if alike(got) != want.String() {
			t.Errorf("%q: %s, want %s", raw, alike(got), want)
		}
	}
}

// alike writes v in the form of testkit.
func alike(v Value) string {
	switch {
	case v.Null:
		return string(v.Kind) + "null"
	case strings.IndexByte("*~>%", v.Kind) >= 0:
		elems := make([]string, len(v.Elems))
		for i, e := range v.Elems {
			elems[i] = alike(e)
		}
		return string(v.Kind) + "[" + strings.Join(elems, " ") + "]"
	}
	return string(v.Kind) + strconv.Quote(v.Text)
}

func TestParseDropsAttributes(t *testing.T) {
	v, err := Parse("|1\r\n+ttl\r\n:3\r\n*1\r\n:7\r\n")
	if err != nil || alike(v) != `*[:"7"]` {
		t.Errorf("got %s, %v", alike(v), err)
	}
}

func TestParseRefusesWhatIsHostile(t *testing.T) {
	for name, raw := range map[string]string{
		"nothing":               "",
		"no type":               "\r\n",
		"cut":                   "$5\r\nab",
		"bulk longer than told": "$2\r\nabc\r\n",
		"negative length":       "$-2\r\n",
		"huge bulk":             "$9223372036854775807\r\n",
		"huge array":            "*9223372036854775807\r\n",
		"huge map":              "%4611686018427387904\r\n",
		"too deep":              strings.Repeat("*1\r\n", MaxDepth) + ":1\r\n",
		"deep attributes":       strings.Repeat("|0\r\n", MaxDepth) + ":1\r\n",
		"too many":              "*2\r\n*70000\r\n" + strings.Repeat(":1\r\n", 70000) + "*70000\r\n" + strings.Repeat(":1\r\n", 70000),
		"two replies":           "+a\r\n+b\r\n",
		"unknown type":          "?1\r\n",
	} {
		if v, err := Parse(raw); err == nil {
			t.Errorf("%s: no error, got %.100s", name, alike(v))
		}
	}
}

func TestARefusalNamesItsCommandAndIsShort(t *testing.T) {
	v, err := Parse("-ERR " + strings.Repeat("long ", 200) + "\r\n")
	if err != nil {
		t.Fatal(err)
	}
	refusal := Refused("CLUSTER INFO", v).(*Refusal)
	if refusal.Code() != "ERR" || len(refusal.Text) != maxRefusal {
		t.Errorf("code %q, %d bytes", refusal.Code(), len(refusal.Text))
	}
	if !strings.HasPrefix(refusal.Error(), `answered CLUSTER INFO with "ERR long long `) {
		t.Errorf("%v", refusal)
	}
}
