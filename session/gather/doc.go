// Package gather sends one command to several servers and joins their replies into the one that the client gets.
//
// # Purpose
//
// A Gather has one reply slot of its client and a part for each server. It is the receiver of the parts, and package merge joins them
// when all have ended.
//
// # Picture
//
//	Split, AllShards, Scan ... ── Ask ──> part, part, part ── Reply/Fail ──> end ── merge ──> the client's reply
//
// Files, by what they are about: gather.go (the parts and their end), division.go (whose keys go where), joining.go (long replies in pieces),
// scan.go, servers.go (what is asked of each server), busy.go and aside.go (scripts that run on), gather_check.go (for tests).
//
// # Who may call
//
// Everything is Loop-only.
//
// # Ownership of bytes
//
// A part's reply is copied to the part (copy (c) of ARCHITECTURE.md), and into the client's output when it is joined (copy (b)).
//
// # Limits and errors
//
// A part that fails becomes an error in its place. Gathers are used again, up to maxFree of them.
package gather
