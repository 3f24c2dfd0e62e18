package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

const module = "ringmaster"

// file is one parsed source file of the module.
type file struct {
	path      string // from the module's top, with slashes
	dir       string // its package's folder; "." is the top
	test      bool
	generated bool
	lines     int
	ast       *ast.File
	fset      *token.FileSet
}

// imports returns the import paths of f.
func (f *file) imports() []string {
	out := make([]string, 0, len(f.ast.Imports))
	for _, spec := range f.ast.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		out = append(out, p)
	}
	return out
}

// line returns the line of n in its file.
func (f *file) line(n ast.Node) int { return f.fset.Position(n.Pos()).Line }

// sources parses every Go file of the module.
func sources(t *testing.T) []*file {
	t.Helper()
	root, err := testkit.Root()
	if err != nil {
		t.Fatal(err)
	}
	var out []*file
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if p != root && skipped(d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		f, err := parse(root, p)
		out = append(out, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 20 {
		t.Fatalf("only %d Go files found below %s", len(out), root)
	}
	return out
}

func skipped(dir string) bool {
	return dir == "testdata" || dir == "vendor" || dir == "tmp" || dir == "bin" || strings.HasPrefix(dir, ".") || strings.HasPrefix(dir, "_")
}

func parse(root, name string) (*file, error) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	rel, err := filepath.Rel(root, name)
	if err != nil {
		return nil, err
	}
	rel = filepath.ToSlash(rel)
	return &file{
		path: rel, dir: path.Dir(rel), test: strings.HasSuffix(rel, "_test.go"),
		generated: ast.IsGenerated(tree), lines: fset.File(tree.Pos()).LineCount(),
		ast: tree, fset: fset,
	}, nil
}
