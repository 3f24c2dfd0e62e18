package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

// pkg has the counts of one package.
type pkg struct {
	folder     string
	files      []file
	lines      int
	functions  []int // lengths in lines
	fields     map[string]int
	methods    map[string]int
	exported   int
	interfaces int
	home       map[string]int // by name that a file declares: the file; -1: several do, as methods
}

// file is one file of a package and the names that it uses.
type file struct {
	name string
	uses map[string]bool
}

// readPackage reads the files of a folder that are no tests, but for generated ones.
func readPackage(folder string) (*pkg, error) {
	p := &pkg{folder: folder, fields: map[string]int{}, methods: map[string]int{}, home: map[string]int{}}
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_gen.go") {
			continue
		}
		if err := p.read(path); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *pkg) read(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, path, text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	p.lines += strings.Count(string(text), "\n")
	p.files = append(p.files, file{filepath.Base(path), used(tree)})
	for _, d := range tree.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			p.function(d, set)
		case *ast.GenDecl:
			for _, s := range d.Specs {
				p.spec(s)
			}
		}
	}
	return nil
}

func (p *pkg) function(d *ast.FuncDecl, set *token.FileSet) {
	p.functions = append(p.functions, set.Position(d.End()).Line-set.Position(d.Pos()).Line+1)
	p.declare(d.Name.Name)
	if d.Recv != nil {
		p.methods[receiver(d.Recv.List[0].Type)]++
	}
}

func (p *pkg) spec(s ast.Spec) {
	switch s := s.(type) {
	case *ast.TypeSpec:
		p.declare(s.Name.Name)
		switch t := s.Type.(type) {
		case *ast.StructType:
			for _, f := range t.Fields.List {
				p.fields[s.Name.Name] += max(1, len(f.Names))
			}
		case *ast.InterfaceType:
			p.interfaces++
		}
	case *ast.ValueSpec:
		for _, n := range s.Names {
			p.declare(n.Name)
		}
	}
}

// declare records that the latest file declares name.
func (p *pkg) declare(name string) {
	if ast.IsExported(name) {
		p.exported++
	}
	at := len(p.files) - 1
	if before, twice := p.home[name]; twice && before != at {
		at = -1
	}
	p.home[name] = at
}

// receiver is the name of a method's type.
func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return "?"
}

// used returns all names in a file, including names of other packages, most of which are not declared in this
// package.
func used(tree *ast.File) map[string]bool {
	names := map[string]bool{}
	ast.Inspect(tree, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			names[id.Name] = true
		}
		return true
	})
	return names
}

// ties counts the pairs of files in which the first uses a name of the second, and those of them that run back up, in
// an order in which few do.
func (p *pkg) ties() (all, back int) {
	n := len(p.files)
	uses := make([][]bool, n)
	for i, f := range p.files {
		uses[i] = make([]bool, n)
		for name := range f.uses {
			if home, known := p.home[name]; known && home >= 0 && home != i {
				uses[i][home] = true
			}
		}
	}
	order := orderOf(uses)
	for above, i := range order {
		for below, j := range order {
			if uses[i][j] {
				all++
				if below < above {
					back++
				}
			}
		}
	}
	return all, back
}

// orderOf puts each file before the files that it uses (P. Eades, X. Lin, W. F. Smyth: A fast and effective heuristic
// for the feedback arc set problem, 1993).
func orderOf(uses [][]bool) []int {
	left := map[int]bool{}
	for i := range uses {
		left[i] = true
	}
	var first, last []int
	for len(left) > 0 {
		best, bestScore, end := -1, 0, false
		for i := range uses {
			if !left[i] {
				continue
			}
			out, in := 0, 0
			for j := range uses {
				if left[j] && uses[i][j] {
					out++
				}
				if left[j] && uses[j][i] {
					in++
				}
			}
			switch score := out - in; {
			case out == 0: // it uses none of the remaining files
				best, end = i, true
			case !end && (best < 0 || score > bestScore):
				best, bestScore = i, score
			}
			if end {
				break
			}
		}
		delete(left, best)
		if end {
			last = append([]int{best}, last...)
		} else {
			first = append(first, best)
		}
	}
	return append(first, last...)
}
