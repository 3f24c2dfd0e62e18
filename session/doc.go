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
//	                      └─ gather ─ part, part ── merge ────┤
//	                                                          ▾
//	replies:  head ▸ [slot][slot][slot] ◂ tail      out ── Socket.Write, once per turn
//
// Files: input.go takes bytes, dispatch.go decides, replies.go keeps the order, gather.go and
// merge.go join, connection.go and hello.go answer what concerns the connection itself, crossing.go
// changes protocol and database, pin.go has a session's connections of its own, for which watch.go, block.go, state.go
// and tracking.go are, hub.go has a loop's subscriptions and resubscribe.go those that were lost, cluster.go answers
// as a node of a cluster, errors.go has every text that clients see.
//
// # Who may call
//
// Everything is Loop-only. There are no sockets, goroutines or clocks here.
//
// # Ownership of bytes
//
// Feed borrows its input until return. What is unfinished or must wait is copied to Session.in
// (copy (d) of ARCHITECTURE.md). A reply at its turn is copied to Session.out (copy (b)), a reply before its
// turn to its slot (copy (c)).
//
// # Limits and errors
//
// Config bounds a client's input, output and unanswered requests. A client's requests wait while too
// many of its own are unanswered (throttle.go), and reading from it pauses while much waits; one over QueryBufferLimit or OutputLimit is closed.
package session
