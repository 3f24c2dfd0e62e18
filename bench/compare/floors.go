package main

import "fmt"

// floor is a figure that ringmaster must reach.
type floor struct {
	workload string
	text     string
	metric   Metric
	base     string  // peer that the figure is divided by, "" for the figure itself
	limit    float64 // in the metric's unit, or a ratio
	atLeast  bool    // otherwise at most
	aim      float64 // what we want beyond the floor, 0 for nothing
	show     func(float64) string
}

// floors in the order of the report.
var floors = []floor{
	{workload: "get-c50", text: "throughput against direct", metric: Throughput, base: direct, limit: 1, atLeast: true, aim: 1.15},
	{workload: "set-c50", text: "throughput against direct", metric: Throughput, base: direct, limit: 1, atLeast: true, aim: 1.15},
	{workload: "get-c50", text: "CPU per command against nutcracker", metric: CPU, base: nutcracker, limit: 0.85},
	{workload: "set-c50", text: "CPU per command against nutcracker", metric: CPU, base: nutcracker, limit: 0.85},
	{workload: "get-c50-p32", text: "throughput against direct", metric: Throughput, base: direct, limit: 0.95, atLeast: true, aim: 1.1},
	{workload: "set-c50-p32", text: "throughput against direct", metric: Throughput, base: direct, limit: 0.95, atLeast: true, aim: 1.1},
	{workload: "get-c50-p32", text: "CPU per command against nutcracker", metric: CPU, base: nutcracker, limit: 0.25},
	{workload: "set-c50-p32", text: "CPU per command against nutcracker", metric: CPU, base: nutcracker, limit: 0.25},
	{workload: "get-c1", text: "CPU per command against nutcracker", metric: CPU, base: nutcracker, limit: 1},
	{workload: "set-c1", text: "CPU per command against nutcracker", metric: CPU, base: nutcracker, limit: 1},
	{workload: "get-c1-fine", text: "CPU per command against nutcracker", metric: CPU, base: nutcracker, limit: 1},
	{workload: "get-c1-fine", text: "p50 against nutcracker", metric: P50, base: nutcracker, limit: 1},
	{workload: "mget100", text: "throughput against nutcracker", metric: Throughput, base: nutcracker, limit: 1.5, atLeast: true},
	{workload: "idle-silent", text: "RSS per client", metric: PerClient, limit: 1536, show: bytesText},
	{workload: "idle-used", text: "RSS per client", metric: PerClient, limit: 1536, show: bytesText},
	{workload: "huge", text: "growth of RSS", metric: PeakGrowth, limit: 250e6, show: megabytes},
	{workload: "huge", text: "RSS returns, time", metric: ReturnTime, limit: 150, show: seconds},
	// At most a tenth more expensive in front of a cluster.
	{workload: "get-c50-s3", text: "CPU per command against itself in front of a cluster", metric: CPU, base: inCluster, limit: 0.91, atLeast: true},
	{workload: "set-c50-s3", text: "CPU per command against itself in front of a cluster", metric: CPU, base: inCluster, limit: 0.91, atLeast: true},
	{workload: "get-c50-p32-s3", text: "CPU per command against itself in front of a cluster", metric: CPU, base: inCluster, limit: 0.91, atLeast: true},
	{workload: "get-c50", text: "CPU per command against predixy (aim)", metric: CPU, base: predixy, limit: 0.75},
	{workload: "get-c50-p32", text: "CPU per command against predixy (aim)", metric: CPU, base: predixy, limit: 0.75},
}

// verdict is a floor judged by a summary.
type verdict struct {
	measured, limit, aim, result string
}

// judge compares the figures of s with the floor. A smoke run neither passes nor fails.
func (f floor) judge(s summary, smoke bool) verdict {
	show := f.show
	if show == nil {
		show = func(v float64) string { return fmt.Sprintf("%.2f", v) }
	}
	v := verdict{measured: "–", limit: sign(f.atLeast) + " " + show(f.limit), aim: "–", result: "not measured"}
	if f.aim != 0 {
		v.aim = sign(f.atLeast) + " " + show(f.aim)
	}
	got := s.value(f.workload, ringmaster, f.metric)
	if f.base != "" {
		got = s.ratio(f.workload, ringmaster, f.base, f.metric)
	}
	failed := s.errors[cell{f.workload, ringmaster}] != ""
	stuck := f.metric == ReturnTime && got.n == 0 && s.value(f.workload, ringmaster, PeakGrowth).n > 0
	if got.n > 0 {
		v.measured = show(got.median)
	}
	switch {
	case failed:
		v.result = "**fail**, see below"
	case stuck && !smoke:
		v.measured, v.result = "did not return", "**fail**"
	case got.n == 0:
	case smoke:
		v.result = "smoke run, not judged"
	case !f.holds(got.median, f.limit):
		v.result = "**fail**"
	case f.aim != 0 && f.holds(got.median, f.aim):
		v.result = "pass, aim reached"
	default:
		v.result = "pass"
	}
	return v
}

func (f floor) holds(v, limit float64) bool {
	if f.atLeast {
		return v >= limit
	}
	return v <= limit
}

func sign(atLeast bool) string {
	if atLeast {
		return "≥"
	}
	return "≤"
}

func bytesText(v float64) string { return fmt.Sprintf("%.0f B", v) }
func megabytes(v float64) string { return fmt.Sprintf("%.1f MB", v/1e6) }
func seconds(v float64) string   { return fmt.Sprintf("%.1f s", v) }
