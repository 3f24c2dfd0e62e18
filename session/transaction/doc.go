// Package transaction has MULTI, EXEC, DISCARD and WATCH.
//
// # Purpose
//
// Nothing of a transaction is sent before EXEC. Then all of it goes out as one batch, between which nobody else's commands can come.
//
// # Picture
//
//	MULTI ─ Queue ─ Queue ─ EXEC ── exec ─ execNow ─ sendTransaction ──> server
//	                                                                        │
//	the client <── join (what the proxy answers) <── outcome (the replies) ─┘
//
// Files, by what they are about: transaction.go, locals.go (commands that the proxy answers), outcome.go (the replies), everywhere.go
// (commands for all shards), proving.go (does the server take MULTI?), shortage.go (a server lacks memory), watch.go, piece.go (sent again),
// hidden.go (what clients are not told).
//
// # Who may call
//
// Everything is Loop-only.
//
// # Ownership of bytes
//
// What is queued is copied, up to QueryBufferLimit.
//
// # Limits and errors
//
// A command that is refused when it is queued makes EXEC answer EXECABORT. Nothing of a transaction is sent twice, unless none of it
// has run.
package transaction
