// Package ask has the words in which requests are asked for and replies are given: what a request is, who asks, and why there may be no
// reply.
//
// # Purpose
//
// Package pool sends the requests of many clients to servers. It and those who ask must agree on what a request may want, and on whom
// to tell of what becomes of it. The package holds these agreements and nothing that works.
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
