// Package certs reads certificates from files, for listeners that speak TLS, and reads them again when they change.
//
// # Purpose
//
// The data plane wants a [tls.Config] that stays. Certificates live for weeks or days. So a [Server] has a tls.Config
// that asks it, for each new client, which certificates count now.
//
// # Picture
//
//	files ── Read ──> Material ── Use ──> Server <── GetConfigForClient ── handshakes
//	          └── error: the old one stays
//
// # Who may call
//
// Any goroutine.
//
// # Ownership of bytes
//
// A Material never changes. Handshakes under way keep the one that they began with.
//
// # Limits and errors
//
// A file has at most 1 MiB and must be a regular file, because a pipe could block. An error names the setting whose
// file is wrong.
package certs
