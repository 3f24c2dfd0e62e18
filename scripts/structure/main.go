// Command structure prints how the code is built, package by package: files, lines, lengths of functions, the largest structs,
// exported names, interfaces, and ties between files.
//
//	go run ./scripts/structure               every package of the product
//	go run ./scripts/structure session pool  these
//
// A tie is a use of one file's names by another file of the package, read from the syntax alone. Files are put in an
// order in which few ties run back up. A well-layered package has no such ties.
package main

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "structure:", err)
		os.Exit(1)
	}
}

func run(folders []string) error {
	if len(folders) == 0 {
		var err error
		if folders, err = productFolders(); err != nil {
			return err
		}
	}
	var all []*pkg
	for _, folder := range folders {
		p, err := readPackage(folder)
		if err != nil {
			return err
		}
		all = append(all, p)
	}
	slices.SortStableFunc(all, func(a, b *pkg) int { return cmp.Compare(b.lines, a.lines) })
	return write(all)
}

// productFolders returns the folders with Go files other than tests, scripts and generated data.
func productFolders() (folders []string, err error) {
	err = filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != "." && (strings.HasPrefix(name, ".") || name == "testdata" || path == "scripts" || path == "bench") {
			return fs.SkipDir
		}
		if !d.IsDir() && strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			if dir := filepath.Dir(path); !slices.Contains(folders, dir) {
				folders = append(folders, dir)
			}
		}
		return nil
	})
	return folders, err
}

// maxShown is how many of the largest structs and types a package shows.
const maxShown = 3

func write(all []*pkg) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "package\tfiles\tlines\tfunctions\tp50\tp95\tmax\texported\tinterfaces\tties\tback up\t")
	files, lines := 0, 0
	for _, p := range all {
		files, lines = files+len(p.files), lines+p.lines
		p50, p95, longest := spread(p.functions)
		ties, back := p.ties()
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", p.folder, len(p.files), p.lines, len(p.functions), p50, p95, longest,
			p.exported, p.interfaces, ties, back)
	}
	for _, sum := range sums(all) {
		fmt.Fprintf(w, "%s/...\t%d\t%d\t\t\t\t\t%d\t%d\t%d\t%d\t\n", sum.folder, sum.files, sum.lines, sum.exported, sum.interfaces, sum.ties, sum.back)
	}
	fmt.Fprintf(w, "all\t%d\t%d\t\t\t\t\t\t\t\t\t\n", files, lines)
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Println("\nThe structs with the most fields, and the types with the most methods:")
	for _, p := range all {
		if s := append(largest(p.fields, "fields"), largest(p.methods, "methods")...); len(s) > 0 {
			fmt.Printf("  %s: %s\n", p.folder, strings.Join(s, ", "))
		}
	}
	return nil
}

// sum has the totals of a top-level folder with all packages below it.
type sum struct {
	folder                                         string
	files, lines, exported, interfaces, ties, back int
	packages                                       int
}

// sums are those of the folders that have several packages.
func sums(all []*pkg) (out []*sum) {
	by := map[string]*sum{}
	for _, p := range all {
		top, _, _ := strings.Cut(filepath.ToSlash(p.folder), "/")
		s := by[top]
		if s == nil {
			s = &sum{folder: top}
			by[top] = s
			out = append(out, s)
		}
		ties, back := p.ties()
		s.packages++
		s.files, s.lines, s.exported, s.interfaces = s.files+len(p.files), s.lines+p.lines, s.exported+p.exported, s.interfaces+p.interfaces
		s.ties, s.back = s.ties+ties, s.back+back
	}
	return slices.DeleteFunc(out, func(s *sum) bool { return s.packages < 2 })
}

// spread is the median, the 95th percentile and the most of lengths.
func spread(lengths []int) (p50, p95, most int) {
	if len(lengths) == 0 {
		return 0, 0, 0
	}
	slices.Sort(lengths)
	n := len(lengths)
	return lengths[n/2], lengths[n*95/100], lengths[n-1]
}

// many is the number of fields or methods from which a type is shown.
const many = 15

// largest names the types with the most of something.
func largest(count map[string]int, what string) (out []string) {
	names := make([]string, 0, len(count))
	for name, n := range count {
		if n >= many {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b)) })
	for _, name := range names[:min(len(names), maxShown)] {
		out = append(out, fmt.Sprintf("%s %d %s", name, count[name], what))
	}
	return out
}
