package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// report writes BENCHMARKS.md for the record read from path.
func report(r *Record, path string) string {
	var b strings.Builder
	b.WriteString("# Benchmarks\n\n")
	fmt.Fprintf(&b, "Every figure below was measured by one run of `scripts/bench-compare` and is in its raw file, `bench/results/%s`.\n", filepath.Base(path))
	fmt.Fprintf(&b, "This page is made from that file: `scripts/bench-compare report bench/results/%s > BENCHMARKS.md`.\n\n", filepath.Base(path))
	provenance(&b, r)
	reading(&b, r)
	b.WriteString(tables(r))
	return b.String()
}

// tables is what a run prints: floors first, then ratios, then figures.
func tables(r *Record) string {
	var b strings.Builder
	s := summarize(r)
	ratioTable(&b, r, s)
	floorTable(&b, s, r.Quick)
	for _, w := range workloads {
		workloadTable(&b, r, s, w)
	}
	failures(&b, r, s)
	return b.String()
}

func provenance(b *strings.Builder, r *Record) {
	m := r.Machine
	changed := ""
	if r.Changed {
		changed = ", with uncommitted changes"
	}
	b.WriteString("| | |\n|---|---|\n")
	row(b, "command", "`"+r.Command+"`")
	row(b, "commit", r.Commit+changed)
	row(b, "when", fmt.Sprintf("%s, %s long", r.Started.Format(time.RFC3339), r.Ended.Sub(r.Started)))
	row(b, "machine", fmt.Sprintf("%s, %d cores, %d MB, Linux %s; load average %s before, %s after", m.CPU, m.Cores, m.MemoryMB, m.Kernel, m.LoadStart, m.LoadEnd))
	row(b, "Go", m.Go)
	for _, name := range slices.Sorted(maps.Keys(r.Versions)) {
		if version := r.Versions[name]; version != seeCommit("") {
			row(b, name, version)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Skipped)) {
		row(b, name, "not measured: "+r.Skipped[name])
	}
	for _, part := range slices.Sorted(maps.Keys(r.Pins)) {
		row(b, "processors of the "+part, r.Pins[part])
	}
	b.WriteString("\n")
	if r.Interrupted {
		b.WriteString("**The run was interrupted; the following is only a part of it.**\n\n")
	}
}

func reading(b *strings.Builder, r *Record) {
	fmt.Fprintf(b, `## How to read it

Client, proxy and Redis share the machine, so read the ratios; a single figure means little. Peers took turns
(A B C A B C …), in %d rounds with samples of about %g s. A figure is the median over the rounds; the lowest and the highest are in brackets. A ratio is
computed within each round, and the table has the median of these ratios, so it need not equal the quotient of two medians.

*CPU* is the proxy's user and system time by the kernel's accounting, divided by the commands. *servers' CPU* is the same for all redis-servers together, and *client's CPU* for
redis-benchmark. *CPU bound* is the throughput that this CPU would allow if no core were ever idle: the cores divided by the CPU of client, proxy and servers for a command, or one core for
redis-benchmark or a server, whichever is less. If it lies below direct's commands/s, no proxy of that cost reaches direct on this machine. *RSS* is the proxy's at the end of a sample,
after all earlier samples of the same process. p99.9 is the first percentile at or above 99.9 that redis-benchmark lists. With a pipeline, latencies are those of a whole pipeline.

`, r.Rounds, r.Seconds)
	if slices.Contains(r.Peers, limit) {
		b.WriteString("*× limit* compares with a program that does nothing but serve the clients. A proxy does that and also asks servers, but in larger batches if it is slower.\n\n")
	}
	if r.counted() {
		b.WriteString(`*Reads* and *writes* are system calls. *Voluntary switches* is how often a thread gave up its processor to wait. All threads of the proxy count; direct's figures are Redis's.
HAProxy and Envoy use recv or send, which the kernel does not count; ringmaster counts its sends itself. *Turns* are those in which ringmaster's loop wrote something.

`)
	}
	for _, p := range peers {
		if slices.Contains(r.Peers, p.name) {
			fmt.Fprintf(b, "- **%s**: %s\n", p.name, p.about)
		}
	}
	b.WriteString("\n")
}

// ratioTable compares ringmaster with the others, with a line for each closed workload.
func ratioTable(b *strings.Builder, r *Record, s summary) {
	b.WriteString("## ringmaster in ratios\n\nThroughput: higher is better. CPU: lower is better.\n\n| workload |")
	others := slices.DeleteFunc(slices.Clone(r.Peers), func(p string) bool { return p == ringmaster })
	for _, p := range others {
		fmt.Fprintf(b, " throughput × %s |", p)
	}
	proxies := slices.DeleteFunc(slices.Clone(others), func(p string) bool { return p == direct })
	for _, p := range proxies {
		fmt.Fprintf(b, " CPU × %s |", p)
	}
	b.WriteString("\n|---" + strings.Repeat("|--:", len(others)+len(proxies)) + "|\n")
	for _, w := range workloads {
		if w.once || w.name == "open-half" || !s.measured(w.name, ringmaster) {
			continue
		}
		cells := []string{w.name}
		for _, p := range others {
			cells = append(cells, ratioText(s.ratio(w.name, ringmaster, p, Throughput)))
		}
		for _, p := range proxies {
			cells = append(cells, ratioText(s.ratio(w.name, ringmaster, p, CPU)))
		}
		row(b, cells...)
	}
	b.WriteString("\n")
}

func floorTable(b *strings.Builder, s summary, smoke bool) {
	b.WriteString("## Floors\n\n| workload | what | measured | floor | aim | result |\n|---|---|--:|--:|--:|---|\n")
	for _, f := range floors {
		v := f.judge(s, smoke)
		row(b, f.workload, f.text, v.measured, v.limit, v.aim, v.result)
	}
	row(b, "GET, SET, pipelined GET", "allocations per command", "–", "0", "–", "held by the allocation tests, not by this program")
	b.WriteString("\n")
}

// column is one column of a workload's table.
type column struct {
	title string
	text  func(s summary, workload, peer string) string
}

func ratioTo(base string, m Metric) func(summary, string, string) string {
	return func(s summary, w, p string) string { return ratioText(s.ratio(w, p, base, m)) }
}

func plain(m Metric, format string) func(summary, string, string) string {
	return func(s summary, w, p string) string {
		return figureText(s.value(w, p, m), func(v float64) string { return fmt.Sprintf(format, v) })
	}
}

func unit(m Metric, show func(float64) string) func(summary, string, string) string {
	return func(s summary, w, p string) string { return figureText(s.value(w, p, m), show) }
}

func medianOnly(m Metric, format string) func(summary, string, string) string {
	return func(s summary, w, p string) string {
		f := s.value(w, p, m)
		f.low, f.high = f.median, f.median
		return figureText(f, func(v float64) string { return fmt.Sprintf(format, v) })
	}
}

var speedColumns = []column{
	{"throughput × direct", ratioTo(direct, Throughput)},
	{"throughput × nutcracker", ratioTo(nutcracker, Throughput)},
	{"CPU × nutcracker", ratioTo(nutcracker, CPU)},
	{"CPU × limit", ratioTo(limit, CPU)},
	{"commands/s", plain(Throughput, "%.0f")},
	{"p50 ms", medianOnly(P50, "%.3f")},
	{"p99 ms", medianOnly(P99, "%.3f")},
	{"p99.9 ms", medianOnly(P999, "%.3f")},
	{"CPU µs/command", plain(CPU, "%.2f")},
	{"servers' CPU µs/command", medianOnly(ServerCPU, "%.2f")},
	{"client's CPU µs/command", medianOnly(ClientCPU, "%.2f")},
	{"CPU bound, commands/s", medianOnly(Ceiling, "%.0f")},
	{"RSS", unit(RSS, megabytes)},
}

var openColumns = []column{
	{"p50 × direct", ratioTo(direct, P50)},
	{"p99 × direct", ratioTo(direct, P99)},
	{"p99 × nutcracker", ratioTo(nutcracker, P99)},
	{"CPU × nutcracker", ratioTo(nutcracker, CPU)},
	{"CPU × limit", ratioTo(limit, CPU)},
	{"offered/s", medianOnly(Rate, "%.0f")},
	{"p50 ms", plain(P50, "%.3f")},
	{"p99 ms", plain(P99, "%.3f")},
	{"p99.9 ms", plain(P999, "%.3f")},
	{"generator late, p99 ms", medianOnly(SendLag, "%.3f")},
	{"CPU µs/command", medianOnly(CPU, "%.2f")},
}

// doneColumns make the second table of a workload.
var doneColumns = []column{
	{"reads", unit(Reads, count)},
	{"writes", unit(Writes, count)},
	{"voluntary switches", unit(Switches, count)},
	{"turns", unit(Turns, count)},
}

var idleColumns = []column{
	{"× nutcracker", ratioTo(nutcracker, PerClient)},
	{"RSS per client", unit(PerClient, bytesText)},
	{"clients", plain(Clients, "%.0f")},
	{"RSS with them", unit(RSS, megabytes)},
}

var hugeColumns = []column{
	{"value", unit(ValueSize, megabytes)},
	{"highest growth of RSS", unit(PeakGrowth, megabytes)},
	{"back after", func(s summary, w, p string) string {
		if f := s.value(w, p, ReturnTime); f.n > 0 || s.value(w, p, PeakGrowth).n == 0 {
			return figureText(f, seconds)
		}
		return "not within " + figureText(s.value(w, p, PollDuration), seconds)
	}},
	{"still held then", unit(AfterGrowth, megabytes)},
	{"SET", unit(SetDuration, func(v float64) string { return fmt.Sprintf("%.2f s", v) })},
	{"GET", unit(GetDuration, func(v float64) string { return fmt.Sprintf("%.2f s", v) })},
}

func columnsOf(workload string) []column {
	switch {
	case workload == "open-half":
		return openColumns
	case strings.HasPrefix(workload, "idle"):
		return idleColumns
	case workload == "huge":
		return hugeColumns
	}
	return speedColumns
}

func workloadTable(b *strings.Builder, r *Record, s summary, w workload) {
	present := slices.DeleteFunc(slices.Clone(r.Peers), func(p string) bool { return !s.measured(w.name, p) })
	if len(present) == 0 {
		return
	}
	fmt.Fprintf(b, "## %s: %s\n\nMade by: %s.\n\n", w.name, w.title, w.note)
	peerTable(b, s, w.name, present, columnsOf(w.name))
	if done := filled(s, w.name, present, doneColumns); len(done) > 0 {
		b.WriteString("\nWhat each did for 1,000 commands:\n\n")
		peerTable(b, s, w.name, present, done)
	}
	for _, p := range slices.Sorted(maps.Keys(w.skip)) {
		if slices.Contains(r.Peers, p) {
			fmt.Fprintf(b, "\nNot applicable to %s: %s.\n", p, w.skip[p])
		}
	}
	b.WriteString("\n")
}

// peerTable has a line for each peer. A column without any figure is left out.
func peerTable(b *strings.Builder, s summary, workload string, present []string, columns []column) {
	columns = filled(s, workload, present, columns)
	b.WriteString("| peer |")
	for _, c := range columns {
		fmt.Fprintf(b, " %s |", c.title)
	}
	b.WriteString("\n|---" + strings.Repeat("|--:", len(columns)) + "|\n")
	for _, p := range present {
		cells := []string{p}
		for _, c := range columns {
			cells = append(cells, c.text(s, workload, p))
		}
		row(b, cells...)
	}
}

// filled returns the columns in which some peer has a figure.
func filled(s summary, workload string, present []string, columns []column) []column {
	return slices.DeleteFunc(slices.Clone(columns), func(c column) bool {
		return !slices.ContainsFunc(present, func(p string) bool { return c.text(s, workload, p) != nothing })
	})
}

func failures(b *strings.Builder, r *Record, s summary) {
	if len(s.errors) == 0 {
		return
	}
	b.WriteString("## What failed\n\n")
	for _, w := range workloads {
		for _, p := range r.Peers {
			if text := s.errors[cell{w.name, p}]; text != "" {
				fmt.Fprintf(b, "- %s, %s: %s\n", w.name, p, firstLine(text))
			}
		}
	}
	b.WriteString("\n")
}

func row(b *strings.Builder, cells ...string) {
	for _, c := range cells {
		b.WriteString("| " + strings.ReplaceAll(c, "|", `\|`) + " ")
	}
	b.WriteString("|\n")
}

func ratioText(f figure) string {
	return figureText(f, func(v float64) string { return fmt.Sprintf("%.2f", v) })
}

func count(v float64) string {
	if v < 100 {
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

// nothing is the text of a figure that was not measured.
const nothing = "–"

// figureText writes "1.10 (1.05–1.20)", or nothing if nothing was measured.
func figureText(f figure, show func(float64) string) string {
	if f.n == 0 {
		return nothing
	}
	low, high := show(f.low), show(f.high)
	if low == high {
		return show(f.median)
	}
	return fmt.Sprintf("%s (%s–%s)", show(f.median), low, high)
}

// firstLine is the beginning of text, fit for a table or a list.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	if len(line) > 200 {
		line = line[:200] + "…"
	}
	return line
}
