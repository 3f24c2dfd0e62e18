// Package discovery asks servers about commands that the table lacks.
//
// # Purpose
//
// Modules bring commands that no table can have in advance. A client that uses one waits while the proxy asks a server with COMMAND INFO. The
// proxy remembers the answer, so the next client does not wait.
//
// # Picture
//
//	an unknown name ── LookUp ──> known: a command.Spec
//	                         └──> ask: Discover ── COMMAND INFO ──> Remember ── the request is dispatched again
//
// Files, by what they are about: known.go (what is remembered), question.go (a question under way), decode.go (the server's answer),
// known_check.go (for tests).
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
// MaxKnown, MaxUnknown and MaxQuestions bound what is remembered and asked. A question has the timeout of any request.
package discovery
