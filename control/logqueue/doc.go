// Package logqueue keeps a slow or absent reader of the log from holding up the goroutines that log.
//
// # Purpose
//
// Standard error may be a pipe that is full, or that nobody reads any more. A write to it then waits, or fails, and an event loop that logs would
// stop with all its clients. Here lines wait in a queue of bounded size, and one goroutine writes them. What does not fit
// is dropped and counted, and the log says so as soon as it can.
//
// # Picture
//
//	loops, control plane ── Write, never waits ──▸ queue ──▸ one goroutine ──▸ standard error
//	                              └── full: dropped, counted
//
// # Who may call
//
// Any goroutine. OnLost is called before others write.
//
// # Ownership of bytes
//
// Write borrows its line until return.
//
// # Limits and errors
//
// [MaxLines] lines and [MaxBytes] bytes wait at most. A line that could not be written is dropped and counted, too. Close waits a bounded
// time for what is queued.
package logqueue
