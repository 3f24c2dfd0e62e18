// Package logqueue keeps a slow or absent reader of the log from holding up the goroutines that log.
//
// # Purpose
//
// Standard error may be a full pipe, or one that has lost its reader. A write to it then waits or fails, and an event
// loop that logs would stop with all its clients. Here lines wait in a queue of bounded size, and one goroutine
// writes them. Lines that do not fit are dropped and counted, and the log says so as soon as it can.
//
// # Picture
//
//	loops, control plane ── Write, never waits ──▸ queue ──▸ one goroutine ──▸ standard error
//	                              └── full: dropped, counted
//
// # Who may call
//
// Any goroutine. Call OnLost before the first Write.
//
// # Ownership of bytes
//
// Write borrows its line until return.
//
// # Limits and errors
//
// At most [MaxLines] lines and [MaxBytes] bytes wait. A line that could not be written is dropped and counted, too.
// Close waits a bounded time for the queued lines.
package logqueue
