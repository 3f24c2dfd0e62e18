// Package guard keeps clients and administrators from harming the proxy or its servers.
//
// # Purpose
//
// It blanks the servers' passwords in replies, refuses commands that would lock the proxy out of its servers, and slows down clients that guess
// passwords.
//
// # Picture
//
//	CONFIG GET ── PassHiding ──> servers ──> the reply with blanks
//	CONFIG SET ── RefusesLockout ──> NOPERM
//	AUTH       ── WaitAtGate ──> later
//
// Files, by what they are about: secrets.go, lockout.go, gate.go.
//
// # Who may call
//
// Everything is Loop-only.
//
// # Ownership of bytes
//
// Requests and replies are borrowed until return.
//
// # Limits and errors
//
// The gate remembers a bounded number of addresses (package auth). Texts are those of package texts.
package guard
