// Command compare measures ringmaster and its peers and records the results.
//
// # Purpose
//
// One run starts Redis servers, ringmaster, every other proxy that is installed, and
// bench/limit, which is what a proxy of one thread can hardly be cheaper than. It puts
// the same workloads on each in turn (A B C A B C …), and keeps every sample in a raw
// file. Reports are made from raw files only, so a figure in BENCHMARKS.md can always be
// traced to the run that gave it.
//
// # Picture
//
//	main ──► arena: servers and peers, started
//	  │        │
//	  │     workloads × rounds × peers ──► samples ──► bench/results/*.json
//	  └─ report FILE ──► summary (medians, ratios) ──► tables, floors ──► BENCHMARKS.md
//
// # Who may call
//
// scripts/bench-compare and make bench. Nothing imports it.
//
// # Ownership of bytes
//
// Nothing is shared.
//
// # Limits and errors
//
// A figure that is not to be had is left out of the sample, and the report leaves out a column without figures. So raw
// files that are older than a metric still give a report.
//
// If a peer fails a workload, the sample has an error, the report shows it, and the run goes on. The exit code is 1
// if that peer was ringmaster. Everything started is stopped at the end, or by the kernel if this process is killed.
package main
