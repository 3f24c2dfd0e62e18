package texts

import "testing"

func TestUnknownCommandsAreNamedAsTheServersNameThem(t *testing.T) {
	words := func(s ...string) (out [][]byte) {
		for _, w := range s {
			out = append(out, []byte(w))
		}
		return out
	}
	for _, c := range []struct {
		args  [][]byte
		brief bool
		want  string
	}{
		{words("GETT"), false, "ERR unknown command 'GETT', with args beginning with: "},
		{words("GETT"), true, "ERR unknown command 'GETT'"},
		{words("GETT", "a"), true, "ERR unknown command 'GETT', with args beginning with: 'a' "},
	} {
		if got := UnknownCommand(c.args, c.brief); got != c.want {
			t.Errorf("brief %v: %q, want %q", c.brief, got, c.want)
		}
	}
}
