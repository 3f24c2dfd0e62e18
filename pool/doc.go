// Package pool holds the connections of one event loop to the servers: their states, the requests
// each owes a reply to, and their deadlines.
//
// # Purpose
//
// Many sessions put requests on few connections. A Conn keeps the requests in the order they were
// sent (its Ring), so that the next reply belongs to the ring's head.
//
// # Picture
//
//	session ── Enqueue ──> Conn ─> a server                    packages conn, queue, ask
//	                        │ Keeper
//	                       Pool ─ Rings, lanes, lent connections
//	                        │
//	                     resends: what was refused or lost     package order
//
// Pool ▸ Rings (one per protocol and database) ▸ Conn (Config.Connections per server).
//
// Files, by what they are about:
//
//	the pool            pool.go (with what it consists of), life.go (from New to Stop), servers.go, rings.go, keeper.go (what connections tell), tick.go, words.go (of the packages below), check.go (for tests)
//	connections         own.go (lent to one session), lane.go and apart.go (nobody shares these), busy.go (behind a script that runs on)
//	sent again          redirect.go (MOVED, ASK and their like), doubt.go (is MOVED the server's word?), resend.go (what waits), retry.go (when and how it goes), resend_reads.go
//	replicas            reads.go; misplaced.go (a server that should be none)
//	what changes        follow.go (servers), configure.go (settings), remove.go (the upstream goes)
//
// # Who may call
//
// Everything is Loop-only. The package has no sockets, no goroutines and no clock: event loops give
// it bytes and the time, and take dials and writes from it. Its parts are packages of their own, whose words it repeats: who stands
// above it imports none of them.
//
// # Ownership of bytes
//
// What waits to be sent again is a copy of its own. Of the rest see package conn.
//
// # Limits and errors
//
// Config bounds requests and bytes per connection. Every request that was enqueued gets exactly one
// end: the last piece of its reply, or Fail. A Failure says whether the request may have run.
package pool
