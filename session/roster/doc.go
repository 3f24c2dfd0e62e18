// Package roster lists the sessions of a loop in the order in which they came.
//
// # Purpose
//
// Commands such as CLIENT LIST walk over all clients in pieces, while clients come and go between the pieces. Add, Remove and Find take a
// binary search. Walk goes on at an ID, so it misses nobody and shows nobody twice.
//
// # Picture
//
//	Add ▸ [1][2][gone][4][7] ── Walk from an ID ──▸ f(session)
//
// # Who may call
//
// Everything is Loop-only. The functions that are called may call Remove.
//
// # Ownership of bytes
//
// There are none.
//
// # Limits and errors
//
// Places of sessions that have gone are given back when they are more than half of the list. No function fails.
package roster
