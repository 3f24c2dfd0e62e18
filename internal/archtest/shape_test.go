package archtest

import (
	"go/ast"
	"path"
	"regexp"
	"strings"
	"testing"
)

const (
	maxFileLines     = 600
	maxFunctionLines = 150
)

// headings are the sections that every package's doc.go has.
var headings = []string{"# Purpose", "# Picture", "# Who may call", "# Ownership of bytes", "# Limits and errors"}

// vagueNames say nothing about a folder's one job.
var vagueNames = map[string]bool{"util": true, "utils": true, "common": true, "helpers": true, "helper": true, "types": true, "misc": true}

func TestFilesAndFunctionsStayReadable(t *testing.T) {
	for _, f := range sources(t) {
		if f.generated {
			continue
		}
		if f.lines > maxFileLines {
			t.Errorf("%s has %d lines, more than %d: one file tells one story; split it", f.path, f.lines, maxFileLines)
		}
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			n := f.fset.Position(fn.End()).Line - f.line(fn) + 1
			if n > maxFunctionLines {
				t.Errorf("%s: function %s has %d lines, more than %d: nobody can hold it in mind", f.path, fn.Name.Name, n, maxFunctionLines)
			}
		}
	}
}

func TestNothingHappensBeforeMain(t *testing.T) {
	for _, f := range sources(t) {
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s:%d: init(): it runs in whatever links the package, in an order nobody chose; main wires", f.path, f.line(fn))
			}
		}
	}
}

func TestFoldersAreNamedAfterTheirJob(t *testing.T) {
	for _, f := range sources(t) {
		if vagueNames[path.Base(f.dir)] {
			t.Errorf("%s: a folder is one job and is named after it", f.path)
		}
	}
}

func TestEveryPackageHasADocWithTheSameHeadings(t *testing.T) {
	docs := map[string]*ast.CommentGroup{}
	main := map[string]bool{}
	dirs := map[string]bool{}
	for _, f := range sources(t) {
		if f.test || f.ast.Name.Name == "pins" {
			continue
		}
		dirs[f.dir] = true
		main[f.dir] = f.ast.Name.Name == "main"
		if path.Base(f.path) == "doc.go" {
			docs[f.dir] = f.ast.Doc
		}
	}
	for dir := range dirs {
		if main[dir] {
			continue
		}
		if docs[dir] == nil {
			t.Errorf("%s has no doc.go with a package comment: a newcomer learns there what the package is for and who owns what", dir)
			continue
		}
		checkHeadings(t, dir, docs[dir].Text())
	}
}

// manyFiles is how many files a package may have if its doc.go does not describe each of them.
const manyFiles = 20

func TestLargePackagesSayWhatEachFileIsAbout(t *testing.T) {
	names := map[string][]string{}
	docs := map[string]string{}
	for _, f := range sources(t) {
		switch name := path.Base(f.path); {
		case f.test || f.generated || f.ast.Name.Name == "main":
		case name == "doc.go":
			docs[f.dir] = f.ast.Doc.Text()
		default:
			names[f.dir] = append(names[f.dir], name)
		}
	}
	for dir, files := range names {
		for _, name := range files {
			if len(files) > manyFiles && !regexp.MustCompile(`\b`+regexp.QuoteMeta(name)+`\b`).MatchString(docs[dir]) {
				t.Errorf("%s/doc.go does not name %s: among %d files a newcomer finds nothing by opening them", dir, name, len(files))
			}
		}
	}
}

func checkHeadings(t *testing.T, dir, text string) {
	t.Helper()
	at := -1
	for _, h := range headings {
		i := strings.Index(text, h)
		if i < 0 {
			t.Errorf("%s/doc.go lacks the heading %q", dir, h)
			return
		}
		if i < at {
			t.Errorf("%s/doc.go: heading %q is out of order", dir, h)
		}
		at = i
	}
}
