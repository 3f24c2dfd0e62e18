// Package blocking carries out commands that wait at a server: BLPOP and its like, and commands that CLIENT PAUSE holds up.
//
// # Purpose
//
// Such a command would hold up all clients that share its connection. So it goes over its client's own connection.
//
// # Picture
//
//	Block ──> session.Errand ──> Pin ── request ──> server ... waits ... ──> reply ──> Unblocked: the connection goes back
//
// Files, by what they are about: block.go, connection.go, blocked.go (the list of servers changes while it waits), pinned.go (it is sent again
// when keys move), farewell.go (the proxy stops while it waits), postpone.go (CLIENT PAUSE).
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
// The number of connections that the pool lends to clients is bounded (pool.Loop). If none is free, the command fails with an error that says so.
package blocking
