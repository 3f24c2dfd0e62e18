// Package redisbench runs redis-benchmark and reads what it printed.
//
// # Purpose
//
// The closed-loop workloads of a comparison are made by redis-benchmark, because it is
// what operators run and believe. Its CSV output has no percentile above 99, so the
// full report is read.
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
// An error reply, a refused or lost connection, or a report without its figures is an
// error that quotes redis-benchmark. Give Run a context with a deadline:
// redis-benchmark 7.0 spins for ever when a connection cannot be made after others could.
package redisbench
