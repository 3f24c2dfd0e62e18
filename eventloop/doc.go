// Package eventloop carries bytes between sockets and the sessions and pools of its loops. It is the only package
// that knows gnet.
//
// # Purpose
//
// A Server runs N loops. Each loop owns its clients, their sessions, its connections to the servers and
// all their buffers, so that nothing on the data path is locked or handed over.
//
// # Picture
//
//	accept ──> least busy loop                      (goroutine per listener)
//	handshakes of TLS clients                       (short goroutines, before their loop gets them)
//	 loop: ┌─ poll ─ client readable ─> Session.Feed ─┐
//	       │         server readable ─> Conn.OnBytes ─┤   everything is only queued
//	       │                                          ▾
//	       └──────── end of the turn: Resume, Pool.Flush, Env.Flush   one write per connection
//	dial, half-closed clients' last bytes                (short goroutines)
//	tick ──> every loop: deadlines, backoff, full sockets (one goroutine)
//
// gnet has no call at the end of a turn, so the first callback that leaves something to write arms one with
// EventLoop.Execute. A single request under way is written at once, because there is nothing to wait for.
//
// Other goroutines post their requests to a loop (mailbox.go). Posts run in their order, which gnet's own queues do
// not keep.
//
// Files by subject:
//
//	the server          server.go, config.go, apply.go (settings that change), handler.go (gnet's callbacks), notices.go (log lines about clients)
//	a loop              loop.go (its turn), mailbox.go, peers.go (the other loops), panic.go, timer.go, crowd.go
//	a client            accept.go, door.go (where it comes in), client.go, halfclose.go; with TLS handshake.go (before), tlsclient.go
//	servers             upstream.go (on a loop), dial.go, serverconn.go
//	the system          epoll_linux.go, epoll_other.go (pausing a socket), tcpinfo_linux.go, tcpinfo_other.go,
//	                    write.go, write_linux.go, write_other.go (writing at once), inherit_linux.go, inherit_other.go
//	                    (options of clients' sockets)
//	checks              debug_on.go, debug_off.go
//
// # Who may call
//
// Server's methods: Any goroutine. Everything else is Loop-only, except where accept.go, apply.go, door.go,
// upstream.go, dial.go, handshake.go, timer.go, notices.go and halfclose.go say otherwise.
//
// # Ownership of bytes
//
// gnet's read buffer is borrowed for one callback and always taken whole. Up to 64 KiB are given to the kernel without
// gnet (write.go). What it does not take, and anything larger, goes to gnet, which copies what the kernel leaves.
//
// # Limits and errors
//
// OnClose drops a socket's handle before anything else, because gnet writes to the raw descriptor number, which may
// be another client's by then. A socket is never closed inside the callback that asks for it, but at the turn's end.
//
// # The order of writes
//
// At the turn's end, sessions whose wait is over go on, then server connections are written, then clients. This
// repeats up to four times. Then dials start, and marked sockets are closed. These are written at once instead:
//
//   - a lone request: nothing was in flight, and in the latest turns hardly more than one client sent anything.
//     Without this look back, the first client of a turn would always go alone under load;
//   - replies, when nothing is in flight any more, or when there is only one connection to one server, so that no
//     other reply can join;
//   - 128 KiB of output for one server.
//
// gnet runs its task queue until it is empty before it polls again. A loop that put the next piece of a job there
// would not read any socket meanwhile. So it writes a byte to its seed instead, which the next poll reads like any
// socket.
//
// A tick comes every 10 ms, every 1 ms while a socket's buffer is full. The ticker also tells the process whether
// many clients send at a time (crowd.go), and Go gets processors accordingly (ADR 9). After huge values it collects
// garbage, so that a value is not in memory several times.
//
// # When something fails
//
//   - A client shuts its write half: its session is kept for what it is owed (ADR 7).
//   - A client that speaks TLS sends records that are no good: it gets an alert and is closed (tlsclient.go). Its
//     close_notify counts as the end of its write half.
//   - Descriptors run out: a reserve descriptor is used to accept the client and refuse it (accept.go).
//   - A listener or an upstream is removed: one change is posted to all loops (apply.go). The socket is closed and
//     its clients are drained. An upstream is removed when no client uses it and its servers owe nothing.
package eventloop
