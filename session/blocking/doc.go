// Package blocking has what waits at a server on purpose: BLPOP and its like, and what CLIENT PAUSE holds up.
//
// # Purpose
//
// Such a command would hold up all who share its connection. So it goes over a connection of its client's own.
//
// # Picture
//
//	Block ──> session.Errand ──> Pin ── request ──> server ... waits ... ──> reply ──> Unblocked: the connection goes back
//
// Files, by what they are about: block.go, blocked.go (the list of servers changes meanwhile), apart.go (sent again), farewell.go (the
// proxy stops meanwhile), postpone.go (CLIENT PAUSE).
//
// # Who may call
//
// Everything is Loop-only.
//
// # Ownership of bytes
//
// A request that waits in the proxy is copied.
//
// # Limits and errors
//
// Connections of clients' own are bounded (pool.Loop). Without a free one the command fails, and says so.
package blocking
