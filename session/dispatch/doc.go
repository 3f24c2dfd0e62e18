// Package dispatch decides what becomes of each command, and joins the core with the packages above it.
//
// # Purpose
//
// It looks a command up and checks it in Redis's order. Then it gives the command to what answers it: a handler, or the package for its class.
// Event loops make session.Loop here, because only this package knows all others.
//
// # Picture
//
//	session.Loop ── Dispatch ──> checks ──┬─ handler: answered here
//	                                      └─ route, by class: one server, gather, blocking, transaction, pubsub, tracking
//
// Files, by what they are about: dispatch.go, handlers.go (the commands that the proxy answers), features.go (what the core calls), connection.go,
// hello.go, login.go, document.go (writes docs/commands.md).
//
// # Who may call
//
// Everything is Loop-only, except NewRules and Document.
//
// # Ownership of bytes
//
// Requests are borrowed until return.
//
// # Limits and errors
//
// Errors have the texts of package texts.
package dispatch
