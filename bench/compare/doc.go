// Command compare measures ringmaster beside its peers and writes what it saw.
//
// # Purpose
//
// One run starts Redis servers, ringmaster and every other proxy that is installed, puts
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
// A peer that fails a workload is a sample with an error, shown in the report, and the
// run goes on; the exit code is 1 when that peer was ringmaster. Everything started is
// stopped at the end, and by the kernel should this process be killed.
package main
