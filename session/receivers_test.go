package session

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestReceiversSayWhoseTheyAre: of a panic in what package pool calls only client says whose it is, and a word to a client that waits
// depends on it. Every Receiver and Owner has it, but for those that work for many clients.
func TestReceiversSayWhoseTheyAre(t *testing.T) {
	forMany := map[string]bool{"feed": true, "barrier": true}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	methods := map[string]map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil {
				continue
			}
			at := f.Recv.List[0].Type
			if star, ok := at.(*ast.StarExpr); ok {
				at = star.X
			}
			name := at.(*ast.Ident).Name
			if methods[name] == nil {
				methods[name] = map[string]bool{}
			}
			methods[name][f.Name.Name] = true
		}
	}
	found := 0
	for name, has := range methods {
		if !(has["Reply"] && has["Fail"] || has["Pushed"] && has["OwnLost"]) {
			continue
		}
		if found++; has["client"] == forMany[name] {
			t.Errorf("%s: it has client: %t", name, has["client"])
		}
	}
	if found < 15 {
		t.Errorf("only %d are found", found)
	}
}
