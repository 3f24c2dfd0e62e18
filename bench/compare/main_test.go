package main

import (
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestRecordedCommandNamesNoDirectory(t *testing.T) {
	o, err := parseFlags([]string{"-rounds", "3", "-only", "get|set", "-ringmaster", "/some/where/ringmaster", "-out", "/else/where/raw.json"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if want := "scripts/bench-compare -only='get|set' -out=raw.json -ringmaster=ringmaster -rounds=3"; o.command != want {
		t.Errorf("got %s\nwant %s", o.command, want)
	}
}

func TestBadFlagsAreRefused(t *testing.T) {
	for _, args := range [][]string{
		{"-only", "("}, {"-rounds", "0"}, {"-scale", "-1"}, {"-rate", "-1"}, {"stray"}, {"-nosuch"},
	} {
		if _, err := parseFlags(args, io.Discard); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}

func TestQuickRunsFewerWorkloadsUnlessTheyAreNamed(t *testing.T) {
	count := func(args ...string) (n int) {
		o, err := parseFlags(args, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		for i := range workloads {
			if o.wants(&workloads[i]) {
				n++
			}
		}
		return n
	}
	if all, quick := count(), count("-quick"); all != len(workloads) || quick >= all || quick == 0 {
		t.Errorf("%d of %d workloads, %d when quick", all, len(workloads), quick)
	}
	if n := count("-quick", "-only", "^get-c200$"); n != 1 {
		t.Errorf("a named workload was left out of a quick run: %d", n)
	}
}

func TestProgramThatTheEnvironmentNamesTakesPart(t *testing.T) {
	program, err := exec.LookPath("true")
	if err != nil {
		t.Skip(err)
	}
	for _, name := range []string{"PREDIXY", "ENVOY"} {
		t.Setenv(name, program)
		peer := strings.ToLower(name)
		chosen, binaries, err := findPeers(&options{peers: []string{direct, peer}}, &Record{})
		if err != nil || len(chosen) != 2 || binaries[peer] != program {
			t.Errorf("%s: %d peers, %v, %v", name, len(chosen), binaries, err)
		}
		for _, w := range workloads {
			if why := w.skip[peer]; why != "" {
				t.Errorf("%s is left out of %s: %s", peer, w.name, why)
			}
		}
	}
}

func TestUnknownPeersAndMissingProgramsAreErrors(t *testing.T) {
	t.Setenv("PREDIXY", "")
	for list, want := range map[string]string{
		"direct,nosuch": `no peer "nosuch"`,
		"predixy":       "$PREDIXY does not name a binary",
	} {
		_, _, err := findPeers(&options{peers: strings.Split(list, ",")}, &Record{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", list, err, want)
		}
	}
}

// The whole way with real programs: start, fill, measure, write, report, stop.
func TestSmokeRunOfRealServers(t *testing.T) {
	list := strings.Join([]string{direct, limit, ringmaster}, ",")
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("no redis-server: ", err)
	}
	if _, err := exec.LookPath("nutcracker"); err == nil {
		list += "," + nutcracker
	}
	raw := filepath.Join(t.TempDir(), "raw.json")
	o, err := parseFlags([]string{"-quick", "-scale", "0.2", "-rate", "500", "-peers", list, "-only", "^(get-c1|get-c1-fine|mget100|open-half|idle-used|huge)$", "-out", raw}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	o.idle, o.huge, o.returnLimit = 20, 300_000, 0
	var out, progress strings.Builder
	if err := compare(o, &out, &progress); err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	r, err := readRecord(raw)
	if err != nil {
		t.Fatal(err)
	}
	s := summarize(r)
	if len(s.errors) > 0 {
		t.Fatalf("%v", s.errors)
	}
	for _, p := range r.Peers {
		for w, m := range map[string]Metric{"get-c1": P999, "get-c1-fine": P50, "open-half": P99, "huge": SetDuration, "idle-used": Clients} {
			if got := s.value(w, p, m); s.measured(w, p) && (got.n != 1 || got.median <= 0) {
				t.Errorf("%s %s %s: %+v", w, p, m, got)
			}
		}
	}
	for _, w := range []string{"get-c1", "get-c1-fine", "mget100", "open-half"} {
		if got := s.ratio(w, ringmaster, limit, CPU); got.n != 1 || got.median <= 0 {
			t.Errorf("%s: CPU × limit: %+v", w, got)
		}
		if got := s.value(w, ringmaster, Turns); got.n != 1 || got.median <= 0 || got.median > 10_000 {
			t.Errorf("%s: turns for 1,000 commands: %+v", w, got)
		}
	}
	// One client without a pipeline: a read and a write for each command, and few others.
	if got := s.value("get-c1-fine", limit, Writes); s.value("get-c1-fine", limit, Switches).n == 1 && (got.median < 999 || got.median > 1500) {
		t.Errorf("limit: %v writes for 1,000 commands", got.median)
	}
	if s.measured("huge", limit) || s.value("mget100", limit, ServerCPU).n != 0 {
		t.Error("limit has figures of servers, which it does not have")
	}
	if strings.Contains(list, nutcracker) && s.value("mget100", nutcracker, CPU).median <= 0 {
		t.Error("no CPU time for nutcracker's MGET")
	}
	if s.measured("mget100", direct) {
		t.Error("one MGET over three servers was measured without a proxy")
	}
	if !strings.Contains(out.String(), "## Floors") || strings.Contains(report(r, raw), "/"+filepath.Base(o.dir)) {
		t.Error("the tables lack the floors, or the report names a directory of this machine")
	}
}
