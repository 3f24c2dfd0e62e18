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
//	a reply             replies.go (in the client's order), failure.go
//	an end              ends.go (a client's), panic.go (a mistake of ours), debug_on.go and debug_off.go (does it end the process?)
//	what waits          passage.go, deadline.go, pause.go (CLIENT PAUSE), throttle.go (for answers, or for room)
//	what a client has   pin.go (connections of its own), output.go (what it has not got yet)
//	where a request is  rules.go (what becomes of each command), place.go (where its keys are), version.go (what the servers are)
//	what there is       session.go (one client), loop.go (what those of a loop, an upstream and a listener share), roster.go (clients by ID)
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
// turn to its slot (copy (c)).
//
// # Limits and errors
//
// Config bounds a client's input, output and unanswered requests. A client's requests wait while too
// many of its own are unanswered (throttle.go), and reading from it pauses while much waits; one over QueryBufferLimit is closed.
// One over OutputLimit waits until it has read (output.go).
package session
