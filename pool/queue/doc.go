// Package queue has what one connection to a server has on its way: bytes that are to be written, requests that a reply is owed to, and
// their bytes, should they have to be sent again.
//
// # Purpose
//
// A connection is these three queues and a state. The queues are apart from it, so that each is tested alone.
//
// # Picture
//
//	request ──▸ Output: [chunk][chunk][chunk…   ──▸ socket
//	       └──▸ Ring: head ▸ [Pending][Pending] ◂ tail      the next reply is the head's
//	       └──▸ History: [raw][raw]                         of those Pendings that have a Size
//
// # Who may call
//
// Package pool, from its loop: everything is Loop-only.
//
// # Ownership of bytes
//
// Output and History copy what they are given, but for Output.Take, which takes a buffer. Output borrows its chunks from the loop's
// Buffers. A Pending holds its Receiver until it ends.
//
// # Limits and errors
//
// A queue grows as its owner lets it: package pool admits requests. An empty queue keeps a bounded amount of memory, and Buffers keeps a
// bounded amount at hand. With -tags proxydebug a released buffer is overwritten.
package queue
