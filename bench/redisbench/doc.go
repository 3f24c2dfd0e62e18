// Package redisbench runs redis-benchmark and reads its output.
//
// # Purpose
//
// redis-benchmark makes the closed-loop workloads of a comparison, because operators run and trust it. Its CSV output
// has no percentile above 99, so the full report is read.
//
// # Picture
//
//	Spec ──► redis-benchmark ──► text ──► Parse ──► Result
//
// # Who may call
//
// Any goroutine.
//
// # Ownership of bytes
//
// Nothing is shared.
//
// # Limits and errors
//
// An error reply, a refused or lost connection, or a report without its figures is an error that quotes
// redis-benchmark. Give Run a context with a deadline: redis-benchmark 7.0 spins forever if a connection fails after
// others have succeeded.
package redisbench
