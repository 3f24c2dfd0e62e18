// Command compare measures ringmaster and its peers and records the results.
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
// If a peer fails a workload, the sample has an error, the report shows it, and the run goes on. The exit code is 1
// if that peer was ringmaster. Everything started is stopped at the end, or by the kernel if this process is killed.
package main
