package archtest

import (
	"bytes"
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/pprof/profile"

	"ringmaster/internal/testkit"
)

// minKnown is the share of the profile's time in our own code whose functions must still exist.
const minKnown = 0.95

// TestTheProfileFitsTheCode finds a default.pgo that is too old: the compiler ignores what it says about functions that
// have another name by now.
func TestTheProfileFitsTheCode(t *testing.T) {
	root, err := testkit.Root()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(root, "cmd", "ringmaster", "default.pgo"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Parse(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	share, gone := knownShare(p, functions(sources(t)))
	if share < minKnown {
		t.Errorf("%.0f %% of default.pgo's time in our code is in functions that exist, less than %.0f %%: run make pgo on a quiet machine; gone: %s",
			100*share, 100*minKnown, strings.Join(gone, ", "))
	}
}

func TestAProfileOfGoneFunctionsIsTooOld(t *testing.T) {
	names := []string{"ringmaster/session.(*Session).Feed", "ringmaster/shard.owner.func1", "ringmaster/session.Gone", "runtime.memmove"}
	p := &profile.Profile{SampleType: []*profile.ValueType{{Type: "cpu", Unit: "nanoseconds"}}}
	for i, name := range names {
		f := &profile.Function{ID: uint64(i + 1), Name: name}
		at := &profile.Location{ID: uint64(i + 1), Line: []profile.Line{{Function: f}}}
		p.Sample = append(p.Sample, &profile.Sample{Location: []*profile.Location{at}, Value: []int64{10}})
	}
	share, gone := knownShare(p, map[string]bool{"ringmaster/session.(*Session).Feed": true, "ringmaster/shard.owner": true})
	if share != 2.0/3 || len(gone) != 1 || gone[0] != "ringmaster/session.Gone" {
		t.Errorf("share %v, gone %v", share, gone)
	}
}

// functions returns the names of all functions and methods, as profiles have them.
func functions(files []*file) map[string]bool {
	out := map[string]bool{}
	for _, f := range files {
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				out[module+"/"+f.dir+"."+receiver(fn)+fn.Name.Name] = true
			}
		}
	}
	return out
}

// receiver returns "T." or "(*T)."; "" for a function.
func receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return ""
	}
	switch t := fn.Recv.List[0].Type.(type) {
	case *ast.StarExpr:
		return "(*" + typeName(t.X) + ")."
	default:
		return typeName(t) + "."
	}
}

// typeName returns the name of a type without its type parameters.
func typeName(e ast.Expr) string {
	switch t := e.(type) {
	case *ast.IndexExpr:
		return typeName(t.X)
	case *ast.IndexListExpr:
		return typeName(t.X)
	case *ast.Ident:
		return t.Name
	}
	return ""
}

// parts are the endings of names that are no function of their own: closures, bound methods, type arguments.
var parts = regexp.MustCompile(`(\.func\d+.*|-fm|\[.*\])$`)

// knownShare returns which share of a profile's time in our code is in known functions, and the names of the others.
func knownShare(p *profile.Profile, known map[string]bool) (share float64, gone []string) {
	var all, found int64
	seen := map[string]bool{}
	for _, s := range p.Sample {
		name := ownFunction(s)
		if name == "" {
			continue
		}
		value := s.Value[len(s.Value)-1]
		all += value
		switch {
		case known[name]:
			found += value
		case !seen[name]:
			seen[name] = true
			gone = append(gone, name)
		}
	}
	return float64(found) / float64(max(1, all)), gone
}

// ownFunction returns our innermost function of a sample; "": it has none.
func ownFunction(s *profile.Sample) string {
	for _, at := range s.Location {
		for _, line := range at.Line {
			if name := line.Function.Name; strings.HasPrefix(name, module+"/") {
				return parts.ReplaceAllString(strings.ReplaceAll(name, "[...]", ""), "")
			}
		}
	}
	return ""
}
