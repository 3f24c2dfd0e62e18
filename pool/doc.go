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
//
// Beyond its limits a request fails at once. A large one waits in its client's input. A server that is slow gets less than 2 MiB into its
// socket's buffer. At most Config's own connections are lent at once, and 64 for each server, protocol and database wait to be lent
// again. Lanes are counted apart: 16 for each server, protocol and database. A loop that has as many lanes as it may lend connections opens
// only the first for each. A loop has connections for 256 protocols and databases (MaxRings). Those unused for the longest time make
// room. If all are in use, SELECT is refused.
//
// # When something fails
//
//   - A server is down: requests fail at once. A connection that had worked is dialled at once, and requests wait for that one attempt.
//     Dials back off from BackoffMin to BackoffMax, doubled each time, half of it by chance.
//   - A connection is lost: every pending ends. Its Failure compares its place in the output with the bytes that reached the kernel, and so
//     says whether the command may have run. Reads go to another server.
//   - A request takes longer than Timeout: its receiver is told, and its place in the ring stays for the late reply, also when that has begun
//     and its client has had none of it. One that waited for a connection is given up and never sent. A client's scripts count together (ADR 20).
//   - A connection owes replies and is silent for StallTimeout: it is closed and dialled again.
//   - The link is dead: the server's system acknowledges nothing for DialTimeout. The connection is closed and dialled again, for the system
//     would not notice for long that the link works again. What it was sending is forgotten, and does not arrive after later writes.
//   - A server refuses a write as a replica though nobody follows a topology: its connections are closed when what is owed has come, and
//     dialled again, since its name may lead elsewhere by now. What comes meanwhile waits in the output (renew.go). A script's word
//     for it is checked with ROLE (misplaced.go, ADR 16).
//   - The settings name another user: each connection is made again in the same way. Lent ones stay until they are returned. With another
//     password of the same user only the next logins use it, and logins that were refused are tried at once.
//   - A server refuses the login: that is logged and counted, and the server is down.
//   - A reply too many or too few after a script: the connection is lost before anybody gets it, and the server counts as one that does not
//     escape (fence.go, ADR 13).
//   - A server sends what is no RESP, or a reply that nobody asked for: the connection is lost.
//   - A lent connection comes back: a clean one is lent again. A dirty one is closed, which also ends what a client that is gone was waiting for.
//   - A panic: each connection that is out of step is closed (panic.go, ADR 15).
//
// A connection's states are in state.go, and transition is the only place that changes them.
//
// # What is sent again, and where
//
// In front of servers that come and go each request's bytes are kept until it is answered (Config.Resend). What a server refuses, or what never
// reached one, goes to the node that was named, or a little later where nobody can answer now. A request for a node that can't be
// reached goes to any other of a cluster, which knows better (detour), unless it is for that server only (ask.Here): what is asked of every
// server, or leaves state there. Under Sentinel no other server knows better, so it waits. What the client sends next waits (ask.Client.Hold).
// What it has sent already and is refused too waits after what waits, and is not sent while something earlier is on its way again. What a
// node could not answer for the moment is not sent before the answers to what the client had sent after it: when that has run, for keys
// of the same slot, and one of the two writes, the client is told instead. The same holds for one that a second node refuses, to which
// the slot came back meanwhile.
//
// # Servers that change
//
// Follow dials servers that are new and drains the connections of those that are gone, some sockets a turn. What waits for a server that was
// taken out of a fixed list is still sent to it. Connections that sessions have there stay while they run something (overstays). Those to a
// server that Sentinel has replaced end as soon as they owe nothing (recall), so that watched keys, subscribers and state there end as with
// a lost connection. A blocking command at a server that is gone gets DialTimeout to hear of it from the server.
//
// # Reads at replicas
//
// A connection to a cluster's replica says READONLY at the login, or when the node's role changes (adapt). A read's bytes are kept, and so is
// a reply of up to 4 KiB until it is whole, so that its client has had none of it when the server is lost. Such a read goes elsewhere at once, or
// waits while there is hope (resend_reads.go). What its client sends next waits. What it has sent goes ahead. Reads at a replica that ceases to
// be fit are taken away (withdraw), and their places in the ring stay for the late replies.
//
// Beyond its limits a request fails at once. A large one waits in its client's input. A server that is slow gets less than 2 MiB into its
// socket's buffer. At most Config's own connections are lent at once, and 64 for each server, protocol and database wait to be lent
// again. Lanes are counted apart: 16 for each server, protocol and database. A loop that has as many lanes as it may lend connections opens
// only the first for each. A loop has connections for 256 protocols and databases (MaxRings). Those unused for the longest time make
// room. If all are in use, SELECT is refused.
//
// # When something fails
//
//   - A server is down: requests fail at once. A connection that had worked is dialled at once, and requests wait for that one attempt.
//     Dials back off from BackoffMin to BackoffMax, doubled each time, half of it by chance.
//   - A connection is lost: every pending ends. Its Failure compares its place in the output with the bytes that reached the kernel, and so
//     says whether the command may have run. Reads go to another server.
//   - A request takes longer than Timeout: its receiver is told, and its place in the ring stays for the late reply, also when that has begun
//     and its client has had none of it. One that waited for a connection is given up and never sent. A client's scripts count together (ADR 20).
//   - A connection owes replies and is silent for StallTimeout: it is closed and dialled again.
//   - The link is dead: the server's system acknowledges nothing for DialTimeout. The connection is closed and dialled again, for the system
//     would not notice for long that the link works again. What it was sending is forgotten, and does not arrive after later writes.
//   - A server refuses a write as a replica though nobody follows a topology: its connections are closed when what is owed has come, and
//     dialled again, since its name may lead elsewhere by now. What comes meanwhile waits in the output (renew.go). A script's word
//     for it is checked with ROLE (misplaced.go, ADR 16).
//   - The settings name another user: each connection is made again in the same way. Lent ones stay until they are returned. With another
//     password of the same user only the next logins use it, and logins that were refused are tried at once.
//   - A server refuses the login: that is logged and counted, and the server is down.
//   - A reply too many or too few after a script: the connection is lost before anybody gets it, and the server counts as one that does not
//     escape (fence.go, ADR 13).
//   - A server sends what is no RESP, or a reply that nobody asked for: the connection is lost.
//   - A lent connection comes back: a clean one is lent again. A dirty one is closed, which also ends what a client that is gone was waiting for.
//   - A panic: each connection that is out of step is closed (panic.go, ADR 15).
//
// A connection's states are in state.go, and transition is the only place that changes them.
//
// # What is sent again, and where
//
// In front of servers that come and go each request's bytes are kept until it is answered (Config.Resend). What a server refuses, or what never
// reached one, goes to the node that was named, or a little later where nobody can answer now. A request for a node that can't be
// reached goes to any other of a cluster, which knows better (detour), unless it is for that server only (ask.Here): what is asked of every
// server, or leaves state there. Under Sentinel no other server knows better, so it waits. What the client sends next waits (ask.Client.Hold).
// What it has sent already and is refused too waits after what waits, and is not sent while something earlier is on its way again. What a
// node could not answer for the moment is not sent before the answers to what the client had sent after it: when that has run, for keys
// of the same slot, and one of the two writes, the client is told instead. The same holds for one that a second node refuses, to which
// the slot came back meanwhile.
//
// # Servers that change
//
// Follow dials servers that are new and drains the connections of those that are gone, some sockets a turn. What waits for a server that was
// taken out of a fixed list is still sent to it. Connections that sessions have there stay while they run something (overstays). Those to a
// server that Sentinel has replaced end as soon as they owe nothing (recall), so that watched keys, subscribers and state there end as with
// a lost connection. A blocking command at a server that is gone gets DialTimeout to hear of it from the server.
//
// # Reads at replicas
//
// A connection to a cluster's replica says READONLY at the login, or when the node's role changes (adapt). A read's bytes are kept, and so is
// a reply of up to 4 KiB until it is whole, so that its client has had none of it when the server is lost. Such a read goes elsewhere at once, or
// waits while there is hope (resend_reads.go). What its client sends next waits. What it has sent goes ahead. Reads at a replica that ceases to
// be fit are taken away (withdraw), and their places in the ring stay for the late replies.
package pool
