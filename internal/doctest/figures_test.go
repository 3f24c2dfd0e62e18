package doctest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var figure = regexp.MustCompile(`[0-9][0-9,]*[0-9]`)

// TestFiguresInREADMEWereMeasured looks for each figure of README's table, and for its raw file, in BENCHMARKS.md.
func TestFiguresInREADMEWereMeasured(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root(t), "BENCHMARKS.md"))
	if err != nil {
		t.Skipf("BENCHMARKS.md is %s", made["BENCHMARKS.md"])
	}
	measured := strings.ReplaceAll(string(text), ",", "")
	_, rest, _ := strings.Cut(readDocument(t, "README.md").text, "## Three figures")
	part, _, found := strings.Cut(rest, "\n## ")
	if !found {
		t.Fatal("README.md has no figures")
	}
	n := 0
	for _, line := range strings.Split(part, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 4 || cells[1] == " " || strings.HasPrefix(cells[1], "-") {
			continue // no row of the table, or its head
		}
		for _, cell := range cells[2:] {
			for _, f := range figure.FindAllString(cell, -1) {
				n++
				if !regexp.MustCompile(`\b` + strings.ReplaceAll(f, ",", "") + `\b`).MatchString(measured) {
					t.Errorf("README.md has %s, and BENCHMARKS.md has not", f)
				}
			}
		}
	}
	if n < 10 {
		t.Errorf("only %d figures found", n)
	}
	for _, m := range link.FindAllStringSubmatch(part, -1) {
		if strings.HasPrefix(m[1], "bench/results/") && !strings.Contains(measured, m[1]) {
			t.Errorf("README.md links %s, and BENCHMARKS.md does not name it", m[1])
		}
	}
}
