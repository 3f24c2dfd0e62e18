package doctest

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

// document is one Markdown file.
type document struct {
	path string // from the module's top
	text string
}

// block is one fenced block of code.
type block struct {
	document
	kind string // "sh", "yaml", "console" or another word after the fence
	line int    // of the fence
	body []string
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := testkit.Root()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// documents are the Markdown files that people read.
func documents(t *testing.T) (docs []document) {
	t.Helper()
	top := root(t)
	paths, err := filepath.Glob(filepath.Join(top, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(filepath.Join(top, "docs"), func(p string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(p, ".md") {
			paths = append(paths, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		rel, err := filepath.Rel(top, p)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, document{rel, string(text)})
	}
	if len(docs) < 8 {
		t.Fatalf("only %d documents found", len(docs))
	}
	return docs
}

func readDocument(t *testing.T, path string) document {
	t.Helper()
	for _, d := range documents(t) {
		if d.path == path {
			return d
		}
	}
	t.Fatalf("no %s", path)
	return document{}
}

// blocks returns the fenced blocks of a kind in all documents.
func blocks(t *testing.T, kind string) (found []block) {
	t.Helper()
	for _, d := range documents(t) {
		var open *block
		for i, line := range strings.Split(d.text, "\n") {
			fence, isFence := strings.CutPrefix(line, "```")
			switch {
			case isFence && open == nil:
				open = &block{document: d, kind: fence, line: i + 1}
			case isFence:
				if open.kind == kind {
					found = append(found, *open)
				}
				open = nil
			case open != nil:
				open.body = append(open.body, line)
			}
		}
		if open != nil {
			t.Errorf("%s:%d: a block without an end", d.path, open.line)
		}
	}
	if len(found) == 0 {
		t.Fatalf("no %s block in any document", kind)
	}
	return found
}

// prose returns a document without its fenced blocks.
func (d document) prose() string {
	var b strings.Builder
	inside := false
	for _, line := range strings.SplitAfter(d.text, "\n") {
		if strings.HasPrefix(line, "```") {
			inside = !inside
		} else if !inside {
			b.WriteString(line)
		}
	}
	return b.String()
}
