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
// Files, by what they are about:
//
//	the session         session.go, its limits config.go, what all sessions of a loop share loop.go, those of one upstream env.go, those of one listener door.go, their end idle.go
//	a request           input.go, throttle.go, output.go (what the client has not got yet, clients that do not read), rename.go, rules.go (what becomes of each command),
//	                    send.go (to one server), reads.go (to replicas), fenced.go (scripts and modules)
//	its reply           replies.go, failure.go, version.go (what the servers are)
//	what stands on it   feature.go (what the core calls)
//	a mistake of ours   panic.go; debug_on.go and debug_off.go (does it end the process?)
//	what takes long     work.go (in pieces), emission.go (replies made so), roster.go (the clients by ID), closings.go (many clients), ask.go (the other loops)
//	who comes           foreign.go (other protocols), notice.go (what operators should read)
//	what waits          passage.go, deadline.go; crossing.go (protocol, database), pause.go (CLIENT PAUSE)
//	own connections     pin.go
//	servers that change env.go Follow; elsewhere.go (what is sent again from here; all else in package pool, redirect.go)
//	what is removed     remove.go (doors and upstreams)
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
// turn to its slot (copy (c)).
//
// # Limits and errors
//
// Config bounds a client's input, output and unanswered requests. A client's requests wait while too
// many of its own are unanswered (throttle.go), and reading from it pauses while much waits; one over QueryBufferLimit is closed.
// One over OutputLimit waits until it has read (output.go).
package session
