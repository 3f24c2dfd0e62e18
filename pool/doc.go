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
//	session ── Enqueue ──> Conn ─ output ─> Socket.Write      once per turn: Pool.Flush
//	                        │
//	                      Ring: head ▸ [recv tag][recv tag][recv tag] ◂ tail
//	                        │
//	session <─ Reply/Fail ─ Conn <─ OnBytes ── bytes from the server
//
// Pool ▸ Rings (one per protocol and database) ▸ Conn (Config.Connections per server).
//
// Files, by what they are about:
//
//	the pool            loop.go (what the upstreams of an event loop share), pool.go, server.go, config.go, rings.go, words.go (of package ask), log.go, panic.go (a mistake of ours), check.go (for tests)
//	a connection        conn.go, state.go, handshake.go, loss.go; own.go (lent to one session)
//	a request, a reply  package ask (their words), package queue (what is on its way), enqueue.go, multi.go (is MULTI taken?), receive.go, answers.go (what replies say), expire.go (the timeout), busy.go (behind a script that runs on)
//	sent again          redirect.go (MOVED, ASK and their like), resend.go (what waits for that, and how it goes; who may overtake: package order), resend_reads.go
//	scripts, modules    fence.go (is the server still in step?), lane.go (nobody shares these), wrapped.go and doubt.go (is MOVED the server's word?)
//	replicas            reads.go; misplaced.go (a server that should be none)
//	what changes        follow.go (servers), configure.go (settings), renew.go (connections that must be made again), remove.go (the upstream goes)
//
// # Who may call
//
// Everything is Loop-only. The package has no sockets, no goroutines and no clock: event loops give
// it bytes and the time, and take dials and writes from it.
//
// # Ownership of bytes
//
// Enqueue copies the request into the connection's output (copy (a) of ARCHITECTURE.md), or takes
// a large request's buffer as it is. Receivers borrow reply bytes until return. An unfinished line of
// a reply is kept in Conn.rest (copy (d)).
//
// # Limits and errors
//
// Config bounds requests and bytes per connection. Every request that was enqueued gets exactly one
// end: the last piece of its reply, or Fail. A Failure says whether the request may have run.
package pool
