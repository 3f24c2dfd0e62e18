// Package dispatch decides what becomes of each command, and joins the core with what stands on it.
//
// # Purpose
//
// It looks a command up, checks it in the order in which Redis does, and hands it to what answers it: a handler here, or the package for its
// class. Event loops make their sessions' loop here, since only this package knows all others.
//
// # Picture
//
//	session.Loop ── Dispatch ──> checks ──┬─ handler: answered here
//	                                      └─ route, by class: one server, gather, blocking, transaction, pubsub, tracking
//
// Files, by what they are about: dispatch.go, handlers.go (what is answered here), features.go (what the core calls), connection.go,
// hello.go, login.go, document.go (writes docs/commands.md).
//
// # Who may call
//
// Everything is Loop-only, but for NewRules and Document.
//
// # Ownership of bytes
//
// Requests are borrowed until return.
//
// # Limits and errors
//
// Texts are those of package texts.
package dispatch
