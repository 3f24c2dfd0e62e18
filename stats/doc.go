// Package stats counts what one event loop does.
//
// # Purpose
//
// Plain counters and latency histograms, cheap enough to be kept for every
// command, and one table ([Metrics]) that names each of them. /metrics, the
// documentation and the name lint are all derived from that table.
//
// # Picture
//
//	loop 0: Loop --CopyTo--> copy --\
//	loop 1: Loop --CopyTo--> copy ---+--> View --Each--> samples (name, labels, value)
//	loop 2: Loop --CopyTo--> copy --/
//	        (on the loop)           (on the reader's goroutine)
//
// # Who may call
//
// A [Loop] belongs to one event loop: every method and field is Loop-only. A copy
// made by [Loop.CopyTo] belongs to the receiver. The table and the
// names are immutable: Any goroutine.
//
// # Ownership of bytes
//
// [Loop.Error] borrows the reply line until return; a code seen for the first
// time is copied. Nothing else takes bytes.
//
// # Limits and errors
//
// Memory is bounded whatever servers and clients send: one histogram of
// [Buckets] counters for each command used, at most [MaxCodes] distinct error
// codes per loop of at most [MaxCodeLen] bytes; the rest counts under "other".
// IDs out of range are counted nowhere. No function fails or panics.
package stats
