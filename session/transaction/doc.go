// Package transaction has MULTI, EXEC, DISCARD and WATCH.
//
// # Purpose
//
// It queues a client's commands and sends nothing before EXEC. EXEC sends all of them as one batch, so that no other client's command comes
// between them.
//
// # Picture
//
//	MULTI ─ Queue ─ Queue ─ EXEC ── exec ─ execNow ─ send ──> server
//	                                                             │
//	the client <── answering <── execreply <── outcome ──────────┘
//
// Four files tell the story of a plain MULTI, with dispatch.go of package dispatch: multi.go (queues), exec.go (sends), outcome.go (has the
// replies). They work on what is in transaction.go. The other files have one question each:
//
//	locate.go     which server has the keys?
//	proving.go    does the server take MULTI?
//	watch.go      WATCH
//	locals.go     commands that the proxy answers, until EXEC; answering.go: their answers
//	allshards.go  commands for all shards
//	shortage.go   a server lacks memory
//	execreply.go  secrets and counts of subscribers in EXEC's reply
//	resend.go     the transaction is sent again
//
// # Who may call
//
// Everything is Loop-only.
//
// # Ownership of bytes
//
// Queued commands are copied. A transaction has at most QueryBufferLimit bytes.
//
// # Limits and errors
//
// If a command is refused when it is queued, EXEC answers EXECABORT with the server's error, if there is one. A transaction is sent again
// only if nothing of it has run.
//
// # Special cases
//
// SELECT: the batch ends with a SELECT of the database before, because clients share the connection. The session then crosses to the new
// database.
//
// Commands for all shards, such as FLUSHALL: the transaction runs them at its server. After EXEC's reply the other shards run them, and
// then the client gets the reply.
//
// A server that lacks memory refuses commands when they are queued. While a server may lack memory, the proxy tries each command there
// between MULTI and DISCARD.
//
// Commands that the proxy answers are not sent. The proxy runs them after EXEC's reply and puts their answers in their places.
//
// Watched keys: if they move to another server, EXEC answers nil.
package transaction
