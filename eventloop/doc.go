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
package eventloop
