// Package gather sends one command to several servers and joins their replies into the one that the client gets.
//
// # Purpose
//
// A Gather has one reply slot of its client, and one part for each server. It receives the parts' replies. When all parts have ended, package
// merge joins them.
//
// # Picture
//
//	Split, AllShards, Scan ... ── Ask ──> part, part, part ── Reply/Fail ──> countEnd ── merge ──> the client's reply
//
// Files, by what they are about: gather.go (the parts and their end), split.go (one command, keys of several servers), division.go (groups
// the keys), joining.go (tells package merge what to join), servers.go (commands for all servers), scan.go, busy.go and bypass.go (a script
// holds up a server), gather_check.go (for tests).
//
// # Who may call
//
// Everything is Loop-only.
//
// # Ownership of bytes
//
// A part's reply is copied to the part (copy (c) of ARCHITECTURE.md). The join copies it into the client's output (copy (b)).
//
// # Limits and errors
//
// A part that fails becomes an error in its place. A loop keeps up to MaxFree gathers to use them again.
package gather
