// Package intake keeps the input of one client that can't be used yet.
//
// # Purpose
//
// A client's bytes come in pieces that know nothing of requests. What is unfinished, or must wait, is copied here (copy (d) of
// ARCHITECTURE.md), and used later from where it stands. A large request that stands here alone is handed on with its buffer.
//
// # Picture
//
//	buf   [ used ][ unfinished or waiting ]      Lacks: how much more completes the request
//	              ▴ Waiting
//
// # Who may call
//
// Everything is Loop-only. There are no clocks and no I/O here.
//
// # Ownership of bytes
//
// A Buffer owns its memory, which comes from a pool.Buffers, until Drop returns it or whoever takes it from Whole calls Disown. Store borrows its bytes until
// return. What Waiting gives is valid until the next Store, Left, Drop or Disown.
//
// # Limits and errors
//
// The caller bounds what is stored (session.Config.QueryBufferLimit). A length that a client only announces makes the buffer at most
// sixteen times as large as what has come. No function fails.
package intake
