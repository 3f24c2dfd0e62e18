// Package slots is the ring of one client's unanswered requests: a record for each, which is the place of its reply.
//
// # Purpose
//
// Servers answer in any order and a client gets its replies in the order of its requests. Reserve and Add give each request a tag. A reply that
// comes before its turn waits in the record's buffer; End takes the head off when all of its reply has been written.
//
// # Picture
//
//	head ▸ [Slot][Slot][Slot] ◂ tail      tag t stands at slots[t mod len(slots)]
//
// # Who may call
//
// Everything is Loop-only. There are no clocks and no I/O here.
//
// # Ownership of bytes
//
// A Slot owns its Buf, which comes from a pool.Buffers, until its user takes it or Drop returns it.
//
// # Limits and errors
//
// The ring grows to any number of requests; package session bounds them (Config.MaxInFlight). A tag must be one that
// Add has returned and End has not taken off. No function fails.
package slots
