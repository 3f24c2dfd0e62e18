// Package clients carries out the commands about clients: CLIENT LIST, INFO, KILL, UNBLOCK, REPLY.
//
// # Purpose
//
// They concern the proxy's clients, on all loops, and not the connections that servers see.
//
// # Picture
//
//	CLIENT LIST ── listing ──> every loop ── lines ──> joined by ID ──> the client
//
// Files: client_list.go, client_kill.go, clients.go (the others), client_filter.go (which clients are meant), describe.go
// (a client's line).
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
// Long lists are written in pieces, as fast as the client reads.
package clients
