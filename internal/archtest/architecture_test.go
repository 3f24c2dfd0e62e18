package archtest

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

// named is a code span of ARCHITECTURE.md that names a file and one of its declarations.
var named = regexp.MustCompile("`([a-z0-9_/.-]+\\.go)((?: [A-Za-z0-9_]+)*)`")

// fewestNames guards the pattern: a change of notation must not leave the test with nothing to check.
const fewestNames = 50

func TestArchitectureNamesWhatExists(t *testing.T) {
	root, err := testkit.Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]map[string]bool{}
	for _, f := range sources(t) {
		declared[f.path] = declarations(f.ast)
	}
	spans := named.FindAllStringSubmatch(string(text), -1)
	if len(spans) < fewestNames {
		t.Errorf("ARCHITECTURE.md names %d files and functions; want at least %d", len(spans), fewestNames)
	}
	for _, s := range spans {
		names, ok := declared[s[1]]
		if !ok {
			t.Errorf("ARCHITECTURE.md names %s, which does not exist: say where the story goes now", s[1])
			continue
		}
		for _, name := range strings.Fields(s[2]) {
			if !names[name] {
				t.Errorf("ARCHITECTURE.md names %s in %s, which does not declare it: say where the story goes now", name, s[1])
			}
		}
	}
}

// declarations returns the names of a file's functions, methods, types, variables and constants.
func declarations(f *ast.File) map[string]bool {
	names := map[string]bool{}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			names[d.Name.Name] = true
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					names[s.Name.Name] = true
				case *ast.ValueSpec:
					for _, n := range s.Names {
						names[n.Name] = true
					}
				}
			}
		}
	}
	return names
}
