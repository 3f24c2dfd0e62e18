// Package order knows which requests of a client may be sent again, and when, so that none overtakes another.
//
// # Purpose
//
// A client's requests for keys of one hash slot must not run in another order than they were sent in, unless they only read. Some may
// be refused by a server and sent again to another, while those that the client sent after them are on their way. A slot may even come
// back to a server that has refused some of them: then that server runs the rest. The package holds what decides about this, without
// connections or bytes.
//
// # Picture
//
//	refused ─▸ waits ─ Waits … Taken ─▸ sent again on a connection ─ SentOn … Arrived ─▸ answered
//	             ▴                          │
//	             └──── refused once more ───┘        MustNotRunAgain: one after it has run meanwhile (Ran)
//
// A Book has an Order for each client of which a request waits or is on its way again. Clients are not in it otherwise.
//
// # Who may call
//
// Package pool, from its loop: everything is Loop-only.
//
// # Ownership of bytes
//
// None: requests are known by their places in the order of their client.
//
// # Limits and errors
//
// A Book holds as many orders as there are requests sent again; package pool bounds those. Some empty orders are kept to be used again.
package order
