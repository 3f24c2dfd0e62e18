// Package eventloop is the only package that knows gnet: it carries bytes between sockets and the
// sessions and pools of its loops.
//
// # Purpose
//
// A Server runs N loops. Each loop owns its clients, their sessions, its connections to the servers and
// all their buffers, so that nothing on the data path is locked or handed over.
//
// # Picture
//
//	accept ──> least busy loop                      (goroutine per listener)
//	 loop: ┌─ poll ─ client readable ─> Session.Feed ─┐
//	       │         server readable ─> Conn.OnBytes ─┤   everything is only queued
//	       │                                          ▾
//	       └──────── end of the turn: Resume, Pool.Flush, Env.Flush   one write per connection
//	dial, half-closed clients' last bytes                (short goroutines)
//	tick ──> every loop: deadlines, backoff, full sockets (one goroutine)
//
// gnet has no call at the end of a turn: the first callback that leaves something to write arms one
// with EventLoop.Execute. With a single request under way there is nothing to wait for, and it is
// written at once.
//
// What others want of a loop they post (mailbox.go): posts run in their order, which gnet's own queues do not keep.
//
// Files, by what they are about:
//
//	the server          server.go, config.go, apply.go (settings that change), handler.go (gnet's callbacks), notices.go (what is told of clients)
//	a loop              loop.go (its turn), mailbox.go, peers.go (the other loops), panic.go, timer.go, crowd.go
//	a client            accept.go, door.go (what it comes in by), client.go, halfclose.go
//	servers             upstream.go (on a loop), dial.go, serverconn.go
//	the system          epoll_linux.go, epoll_other.go (pausing a socket), tcpinfo_linux.go, tcpinfo_other.go
//	checks              debug_on.go, debug_off.go
//
// # Who may call
//
// Server's methods: Any goroutine. All else is Loop-only, except what accept.go, apply.go, door.go, upstream.go, dial.go, timer.go,
// notices.go and halfclose.go say.
//
// # Ownership of bytes
//
// gnet's read buffer is borrowed for the length of a callback and always taken whole. Write either
// reaches the kernel or is copied by gnet.
//
// # Limits and errors
//
// A socket's handle is dropped in OnClose before anything else, because gnet writes to the raw
// descriptor number, which may be another client's by then. Closing never happens inside the callback
// that asks for it, but at the turn's end.
//
// # When what is written
//
// At the turn's end sessions whose wait is over go on, then server connections are written, then clients, and this again up to four times.
// Then dials start, and sockets that were given up are closed. Written at once instead are:
//
//   - a lone request: nothing was in flight and the latest turns heard hardly more than one client each. Without the look back, the first
//     client of a turn would go alone under load;
//   - replies when nothing is in flight any more, or when one connection to one server is all there is, so that no other reply can join;
//   - 128 KiB of output for one server.
//
// gnet runs its task queue until it is empty before it polls again. A loop that put the next piece of a job there would hear nobody. So it writes a
// byte to its seed instead, which the next poll hears like any socket.
//
// A tick comes every 10 ms, every 1 ms while a socket's buffer is full. The ticker also tells the process whether many clients are heard at a time
// (crowd.go), and Go gets processors accordingly (ADR 9). After huge values it collects garbage, so that one does not stand in memory several times.
//
// # When something fails
//
//   - A client shuts its write half: its session is kept for what it is owed (ADR 7).
//   - Descriptors run out: a reserve descriptor is used to accept the client and refuse it (accept.go).
//   - A listener or an upstream is removed: one change is posted to all loops (apply.go). The socket is closed and its clients are drained. An
//     upstream goes when no client uses it and its servers owe nothing.
package eventloop
