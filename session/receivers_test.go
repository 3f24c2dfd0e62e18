package session_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestReceiversSayWhoseTheyAre: of a panic in what package pool calls only Client says whose it is, and a word to a client that waits
// depends on it. Those that work for nobody alone embed pool.Nobody: only they may.
func TestReceiversSayWhoseTheyAre(t *testing.T) {
	forMany := map[string]bool{"feed": true, "barrier": true}
	files, err := filepath.Glob("*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if s, ok := spec.Type.(*ast.StructType); ok && embedsNobody(s) {
				if found++; !forMany[spec.Name.Name] {
					t.Errorf("%s embeds pool.Nobody, so that nobody is told of its panics", spec.Name.Name)
				}
			}
			return true
		})
	}
	if found != len(forMany) {
		t.Errorf("%d embed pool.Nobody, want %d", found, len(forMany))
	}
}

func embedsNobody(s *ast.StructType) bool {
	for _, f := range s.Fields.List {
		if at, ok := f.Type.(*ast.SelectorExpr); ok && len(f.Names) == 0 && at.Sel.Name == "Nobody" {
			return true
		}
	}
	return false
}
