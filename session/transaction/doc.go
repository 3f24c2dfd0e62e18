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
//
// # Special cases
//
// With SELECT in a transaction, the batch ends with a SELECT back, because the connection is everybody's, and the session crosses. What is
// for all shards, such as FLUSHALL, runs in its place where the transaction does, and then, when EXEC has told of that, at the other shards,
// before the client gets the answer (everywhere.go). A server that lacks memory refuses commands when they are queued. While one may, each
// command is tried there after a MULTI that is discarded (shortage.go). What a server had against a command stands in EXECABORT. Commands
// that the proxy answers are not sent: they run when EXEC's reply is there, and their answers are put in their places (locals.go).
// Watched keys that moved make EXEC answer nil (watch.go).
package transaction
