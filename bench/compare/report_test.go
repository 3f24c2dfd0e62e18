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
	checkTables(t, report(r, "x.json"))
}

func checkTables(t *testing.T, text string) {
	t.Helper()
	cells := 0
	for _, line := range strings.Split(text, "\n") {
		n := strings.Count(line, "|") - strings.Count(line, `\|`)
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

// The files of earlier runs lack the limit and the counts of system calls.
func TestOlderRawFilesStillGiveAReport(t *testing.T) {
	older := []string{
		"2026-11-22-ccb2155.json", "2026-11-22-ccb2155-huge.json", "2026-11-25-f958638.json", "2026-11-25-fa03b43.json", "2026-11-26-751b9f2.json",
		"2026-11-26-b909d9d.json", "2026-11-26-f8f2732.json", "2026-11-26-f8f2732-c50.json", "2026-11-26-f8f2732-cluster.json", "2026-11-26-f8f2732-more.json",
	}
	for _, name := range older {
		r, err := readRecord("../results/" + name)
		if err != nil {
			t.Fatal(err)
		}
		text := report(r, name)
		checkTables(t, text)
		for _, w := range workloads {
			if s := summarize(r); s.measured(w.name, ringmaster) && !strings.Contains(text, "## "+w.name+": ") {
				t.Errorf("%s: no table of %s", name, w.name)
			}
		}
		for _, recent := range []string{"× limit", "1,000 commands", "oluntary switches"} {
			if strings.Contains(text, recent) {
				t.Errorf("%s: the report names %q, which was not measured", name, recent)
			}
		}
	}
}

func TestColumnsWithoutAnyFigureAreLeftOut(t *testing.T) {
	s := summarize(&Record{Samples: []Sample{
		{Workload: "w", Peer: ringmaster, Values: map[Metric]float64{Reads: 1000, Turns: 12}},
		{Workload: "w", Peer: "haproxy", Values: map[Metric]float64{Reads: 2000}},
	}})
	var b strings.Builder
	peerTable(&b, s, "w", []string{ringmaster, "haproxy"}, doneColumns)
	want := `| peer | reads | turns |
|---|--:|--:|
| ringmaster | 1000 | 12.0 |
| haproxy | 2000 | – |
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
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
