package archtest

import (
	"go/ast"
	"regexp"
	"strconv"
	"testing"
)

// clientText matches an error as a client sees it: a code, and then words.
var clientText = regexp.MustCompile(`^-?(ERR|NOPERM|NOAUTH|NOPROTO|WRONGPASS|CROSSSLOT|EXECABORT) .*[a-z]`)

func TestTextsThatClientsSeeAreInOneFile(t *testing.T) {
	const home = "session/texts/errors.go"
	found := 0
	for _, f := range sources(t) {
		if f.test || !within(f.dir, []string{"session", "merge"}) {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok {
				return true
			}
			switch text, err := strconv.Unquote(lit.Value); {
			case err != nil || !clientText.MatchString(text):
			case f.path == home:
				found++
			default:
				t.Errorf("%s:%d: %q: the texts that clients see are in %s, so that they can be compared with Redis's in one place", f.path, f.line(n), text, home)
			}
			return true
		})
	}
	if found == 0 {
		t.Errorf("%s has no text", home)
	}
}
