// Package archtest holds the rules of the architecture as tests.
//
// # Purpose
//
// A drawing of who may import whom decays; a failing test does not. Every rule here is
// checked on the source of the whole module and carries the reason it exists, which is
// printed where it is broken.
//
// # Picture
//
//	cmd ─► control/process ─► control/topology ─► eventloop, control ─► session ─► pool ─► auth, merge, pool's parts ─► parser, command, shard, stats
//
// # Who may call
//
// Nobody: the package has tests only.
//
// # Ownership of bytes
//
// None.
//
// # Limits and errors
//
// A file has at most 600 lines and a function at most 150, generated code excepted.
// A rule that must be broken in one place is broken in the tables of this package, with
// the reason beside it, and nowhere else.
package archtest
