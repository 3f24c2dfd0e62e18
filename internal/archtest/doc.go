// Package archtest holds the rules of the architecture as tests.
//
// # Purpose
//
// A drawing of the allowed imports decays, but a failing test does not. Every rule here is checked on the source of
// the whole module. Each has a reason, which is printed when the rule is broken.
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
// A file has at most 600 lines and a function at most 150, generated code excepted. An exception to a rule stands in
// the tables of this package, with its reason, and nowhere else.
package archtest
