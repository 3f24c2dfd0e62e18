package prose

import (
	"strings"
	"testing"
)

func TestWrap(t *testing.T) {
	long := strings.Repeat("word ", 19) // 95 characters
	table, code := "| "+long+long+"|", "```sh\n"+long+long+"\n- x\n```"
	for text, want := range map[string]string{
		"":                                "",
		"one\ntwo\n\nthree\n":             "one two\n\nthree\n",
		long + "word word":                long + "word\nword",
		"- " + long + "wo\n  word\n- b":   "- " + long + "wo\n  word\n- b",
		"12. " + long + "word":            "12. " + strings.TrimSpace(long) + "\n    word",
		long + "`a long span` word":       strings.TrimSpace(long) + "\n`a long span` word",
		long + "word + more":              long + "word +\nmore",
		long + "word 12. more":            long + "word 12.\nmore",
		"# " + long + long:                "# " + long + long,
		"<!-- " + long + long + "-->":     "<!-- " + long + long + "-->",
		table + "\n" + table:              table + "\n" + table,
		"a\n" + code + "\nb\nc":           "a\n" + code + "\nb c",
		strings.Repeat("x", 120) + " a":   strings.Repeat("x", 120) + "\na",
		strings.Repeat("é", 95) + " abcd": strings.Repeat("é", 95) + " abcd",
	} {
		if got := Wrap(text); got != want {
			t.Errorf("%q\ngot  %q\nwant %q", text, got, want)
		}
		if again := Wrap(want); again != want {
			t.Errorf("%q is wrapped again: %q", want, again)
		}
	}
}
