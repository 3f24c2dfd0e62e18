package main

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata/report.md anew")

func TestReportOfARawFile(t *testing.T) {
	r, err := readRecord("testdata/raw.json")
	if err != nil {
		t.Fatal(err)
	}
	got := report(r, "testdata/raw.json")
	if *update {
		if err := os.WriteFile("testdata/report.md", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/report.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the report changed (go test -update writes it anew):\n%s", diff)
	}
}

func TestEveryTableRowHasItsHeadersCells(t *testing.T) {
	r, err := readRecord("testdata/raw.json")
	if err != nil {
		t.Fatal(err)
	}
	cells := 0
	for _, line := range strings.Split(report(r, "x.json"), "\n") {
		n := strings.Count(line, "|")
		if !strings.HasPrefix(line, "|") {
			cells = 0
			continue
		}
		if cells == 0 {
			cells = n
		}
		if n != cells {
			t.Errorf("%d bars where the table has %d: %s", n, cells, line)
		}
	}
}

func TestRawFileSurvivesWritingAndReading(t *testing.T) {
	r, err := readRecord("testdata/raw.json")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() + "/results"
	first := r.freshPath(dir)
	if err := r.write(first); err != nil {
		t.Fatal(err)
	}
	again, err := readRecord(first)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, again); diff != "" {
		t.Error(diff)
	}
	if second := r.freshPath(dir); second == first || !strings.HasSuffix(second, "2026-01-02-0123abc-2.json") {
		t.Errorf("a second run of the day would be %s", second)
	}
	if err := os.WriteFile(first, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := readRecord(first); err == nil {
		t.Error("half a file was read without an error")
	}
}
