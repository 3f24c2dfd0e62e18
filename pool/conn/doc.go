// Package conn has one connection to a server: its state, what was sent on it, and whose each reply is.
//
// # Purpose
//
// A Conn puts the requests of many clients on one socket, in the order in which they come, and hands each reply to the receiver of the
// oldest request. It logs in, notices when its server stands still or is out of step, and is dialled again when it is lost. It knows its
// own server and no other: what concerns several is for its Keeper, package pool.
//
// # Picture
//
//	Enqueue ──▸ Conn ─ queue.Output ─▸ Socket.Write          once per turn: Loop.Flush
//	             │
//	            queue.Ring: head ▸ [recv tag][recv tag] ◂ tail
//	             │
//	Reply, Fail ◂┴◂ OnBytes ── bytes from the server
//	             │
//	            Keeper: what package pool is told and asked
//
// An Upstream is what the connections to one upstream share, a Loop what all of an event loop do, and a Group those of one protocol and
// database.
//
// Files, by what they are about:
//
//	who takes part      conn.go (the connection, what it shares with others, its Keeper), server.go, config.go, health.go (of replicas), loop.go, log.go
//	a connection        state.go, dial.go, handshake.go, probe.go (does the server escape?), loss.go, upkeep.go (ticks; it must be made again), stale.go, owned.go (lent to one owner), replica.go
//	a request, a reply  enqueue.go, commands.go (our own), multi.go (is MULTI taken?), write.go, receive.go, expire.go (the timeout)
//	scripts, modules    fences.go and fence.go (is the server still in step?), wrapped.go (as a transaction)
//	mistakes of ours    panic.go, distrust.go, check.go; fortests.go
//
// # Who may call
//
// Package pool, and under its names package session and the event loop. Everything is Loop-only. The package has no sockets, no goroutines
// and no clock.
//
// # Ownership of bytes
//
// Enqueue copies the request into the connection's output, or takes a large request's buffer as it is. Receivers borrow reply bytes
// until return, and may have them until OnBytes ends (Loop.Lend). An unfinished line of a reply is kept in Conn.rest.
//
// # Limits and errors
//
// Config bounds requests and bytes per connection. Every request that was enqueued gets exactly one end: the last piece of its reply,
// Fail, or the Keeper takes it to send it again. No state is reached that the drawing of State lacks.
package conn
