// Package session is one client: it turns the client's bytes into requests for servers and puts the
// replies back in the client's order.
//
// # Purpose
//
// A Session parses what its client sends, looks each command up, and answers it itself, passes it
// to one server, or splits it over several and joins the replies.
//
// # Picture
//
//	Feed ─ run ─ dispatch ┬─ local ───────────────────────────┐
//	                      ├─ pass ── pool.Conn ── Reply ──────┤
//	                      └─ gather ─ part, part ── join ─────┤
//	                                                          ▾
//	replies:  head ▸ [slot][slot][slot] ◂ tail      out ── Socket.Write, once per turn
//
// Files, from the highest floor to the lowest. A floor is built on those below it, so that a reader can stop at any:
//
//	the loop's turn     turn.go (ticks, the turn's end, idle clients), doors.go (clients, listeners and upstreams come and go)
//	a request           input.go (from bytes to Loop.Dispatch), send.go (to one server), crossing.go (another protocol or database)
//	what is long        emission.go (replies made in pieces), ask.go (the other loops), foreign.go (other protocols)
//	a reply             replies.go (in the client's order), lent.go (large ones are not copied), failure.go
//	an end              ends.go (a client's), panic.go (a mistake of ours), debug_on.go and debug_off.go (does it end the process?)
//	what waits          waits.go (for what), passage.go, errand.go, pause.go (CLIENT PAUSE), throttle.go (for answers, or for room)
//	what a client has   pin.go (connections of its own), output.go (what it has not got yet)
//	where a request is  rules.go (what becomes of each command), place.go (where its keys are), version.go (what the servers are)
//	what there is       session.go (one client), loop.go (what those of a loop, an upstream and a listener share)
//	what it stands on   feature.go (what the core calls), work.go (work in pieces), config.go (settings), notice.go (what operators should
//	                    read), witness.go (what is asked to learn why a server refuses)
//
// Parts of a session that need no session are packages: slots (the ring of its unanswered requests), intake (its input that waits), pace
// (how many requests it may have under way), texts (the errors that it gets).
//
// Packages that stand on it, from the lowest to the highest: gather (several servers); guard, discovery, blocking; tracking, pubsub, facade;
// transaction; clients; dispatch, which knows all others. The core knows none of them: it calls what Loop.Dispatch, Loop.Route and
// Loop.Features hold. What a feature keeps for a client or an upstream stands in a field of the core whose type only the feature knows.
//
// # Who may call
//
// Everything is Loop-only. There are no sockets, goroutines or clocks here.
//
// # Ownership of bytes
//
// Feed borrows its input until return. What is unfinished or must wait is copied to Session.Input
// (copy (d) of ARCHITECTURE.md). A reply at its turn is copied to Session.Out (copy (b)), a reply before its
// turn to its slot (copy (c)). A large piece at its turn stays in the server's bytes, which are the client's output until the pool asks
// for them (lent.go).
//
// # Limits and errors
//
// Config bounds a client's input, output and unanswered requests. A client's requests wait while too
// many of its own are unanswered (throttle.go), and reading from it pauses while much waits; one over QueryBufferLimit is closed.
// One over OutputLimit waits until it has read (output.go).
//
// # What can grow
//
// Whatever a client can make grow has a limit:
//
//   - A client that sends faster than servers answer is not dispatched until half of what it has under way is answered (throttle.go). Its
//     window is MaxInFlight requests and MaxInFlightBytes of them. When 256 KiB of its input wait, its socket is not read any more (ADR 3).
//   - Large replies stand before those of everybody on a shared connection. A client of which nothing is known has two requests under way and
//     one more with each reply. It begins again after a reply of 256 KiB and after a rest, and the mean size of its replies bounds the window
//     (ADR 21).
//   - A client that does not read gets 16 requests at a time from 1 MiB of unread output on. With large replies it gets one, and from 4 MiB
//     on none. At OutputLimit it gets none. A reply that has begun comes whole.
//   - All clients together have ClientMemory. Above it those with unread output wait. Ticks look how far clients read (output.go): a client
//     that reads nothing for ClientReadTimeout while it is over one of the two limits is closed. Far above ClientMemory, so is the one that
//     holds most. What nobody asked for can't wait: a subscriber is closed at SubscriberOutputLimit.
//   - A long reply that the proxy makes or joins is made as its client reads (emission.go): nothing from 1 MiB of unread output on. What it
//     is made of counts as the client's output until it is used.
//   - A client whose requests the proxy answers itself rests when these answers have made the turn long, and goes on after the next poll.
//   - A request that never ends is closed at QueryBufferLimit. Memory follows what came, not what was announced. A transaction counts too.
//   - A large request waits in its client's input while a slow server has no room for it.
//
// # Long work
//
// Nobody may keep a loop for longer than a few milliseconds. What a client, or the number of clients, can make longer is a job (work.go).
// It does its first piece at once if the turn has not seen too much work, and the others between polls, each job in its turn. Work is counted
// in units of about a third of a nanosecond, since a loop has no clock. A reply that is made in pieces is handed out at its turn, as
// fast as its client reads. The jobs:
//
//	CLIENT LIST                          each loop makes its lines, another job sorts them by ID. Clients that come meanwhile are not in it
//	CLIENT LIST ID                       each client is described once, then repeated as often as it was asked for
//	CLIENT KILL, a lost feed's clients   Closings closes some at a time; turn.go does so at each tick
//	many short answers of the proxy's    the client rests: input.go
//	EXEC of commands the proxy answers   package transaction, locals.go
//	SUBSCRIBE, UNSUBSCRIBE of many       package pubsub, subscribe.go. What is published meanwhile comes after the confirmations
//	PUBSUB NUMSUB, PUBLISH in MULTI      package pubsub, numsub.go, publish.go
//	MGET, MSET, DEL of many words        package gather, division.go: the keys are grouped in pieces, as a passage. Each server still gets its
//	                                     part as one command, since a part that is cut would be two moments of that server
//	joining MGET, KEYS, SCRIPT EXISTS    package gather, joining.go
//	joining INFO, SLOWLOG, LATENCY       one at a time, as many as a turn may have. Each is bounded by what servers say (package merge)
//	CLUSTER GETKEYSINSLOT                package facade, slotwalk.go
//
// Done in one go:
//
//   - The list of a request's words is made when the last has come: 25 ms for a million.
//   - A part of a command, and a transaction, go into a connection's output whole, since nobody's command may come between: 3 ms for 10 MB.
//   - A message goes to all its subscribers at once, and PUBLISH is compared with every pattern, as in Redis: their order with other messages
//     would have to be kept otherwise.
//   - The names of a client's subscriptions are listed when it leaves them all: 10 ms for 100,000.
//   - What a change of the servers makes a loop do for every client and topic. No client can cause it.
//
// # When something fails
//
//   - A reply that was lost in the middle closes the client, and nothing is appended.
//   - A passage that waits for something else than a request of its own ends by the timeout (Passage.Limit). What servers confirm later is undone.
//   - A connection of a client's own is lost: what it owed fails. With watched keys EXEC answers nil. With other state the client is closed.
//   - A client breaks the protocol: it gets what it is owed, then Redis's words, then the end. One that speaks HTTP gets nothing (foreign.go).
//   - A client goes: its requests stay in the rings. Their replies are dropped and counted.
//   - A client is silent for IdleTimeout: it is closed, unless it waits or subscribes.
//   - A panic closes the client for which the loop was at work (panic.go, ADR 15).
//   - A listener is removed: its clients are drained in pieces, and cut when their time is over (doors.go).
package session
