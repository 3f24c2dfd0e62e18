// Package ask defines what package pool and its callers exchange: requests, the receivers of their replies, and the failures that take a
// reply's place.
//
// # Purpose
//
// Package pool sends the requests of many clients to servers. This package has the types that pool and its callers share. It does no
// work of its own.
//
// # Picture
//
//	Request ── Raw, Keys, Manner, Carrier ──▸ package pool ──▸ a server
//	   │
//	   └─ Recv ◂── Reply, or Fail with a Failure ──┘
//	        │
//	        └─ Client: whose it is, and in which order
//
// # Who may call
//
// Those who ask, and package pool with its parts. Everything is Loop-only, but for KeysIn.
//
// # Ownership of bytes
//
// A Request's Raw is borrowed for one call, and its Buf is taken. A Receiver borrows the bytes of a reply until it returns.
//
// # Limits and errors
//
// A request has exactly one end: the last piece of its reply, or a Failure. That says whether the request may have run.
package ask
