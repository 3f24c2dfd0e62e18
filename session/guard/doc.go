// Package guard keeps clients, administrators among them, from what would harm the proxy or its servers.
//
// # Purpose
//
// It hides the servers' passwords in replies, refuses what would lock the proxy out of its servers, and slows down those who guess
// passwords.
//
// # Picture
//
//	CONFIG GET ── PassHiding ──> servers ──> the reply without secrets
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
