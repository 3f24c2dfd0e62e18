// Package discovery asks servers about commands that the table lacks.
//
// # Purpose
//
// Modules bring commands that nobody can list in advance. A client that uses one waits while a server is asked with COMMAND INFO. What
// it says is remembered, so that the next client does not wait.
//
// # Picture
//
//	an unknown name ── LookupLearned ──> known: a command.Spec
//	                                └─> ask: Discover ── COMMAND INFO ──> Remember ── the request is dispatched again
//
// Files, by what they are about: learn.go (what is remembered), learning.go (a question under way), decode.go (the server's answer),
// learn_check.go (for tests).
//
// # Who may call
//
// Everything is Loop-only.
//
// # Ownership of bytes
//
// A request that waits is copied.
//
// # Limits and errors
//
// MaxLearned, MaxUnknown and MaxQuestions bound what is remembered and asked. A question has the timeout of any request.
package discovery
