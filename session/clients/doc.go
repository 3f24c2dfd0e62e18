// Package clients has the commands about clients: CLIENT LIST, INFO, KILL, UNBLOCK, REPLY.
//
// # Purpose
//
// They concern the clients of the proxy, on all loops, and never the connections that servers see.
//
// # Picture
//
//	CLIENT LIST ── listing ──> every loop ── lines ──> joined by ID ──> the client
//
// Files, by what they are about: clients.go, client_list.go, client_kill.go, client_filter.go (which clients are meant), describe.go (a
// client's line).
//
// # Who may call
//
// Everything is Loop-only.
//
// # Ownership of bytes
//
// Arguments are borrowed until return. A filter copies what it needs.
//
// # Limits and errors
//
// Long lists are made in pieces, as fast as the client reads.
package clients
