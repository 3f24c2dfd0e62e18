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
//	a request           input.go, throttle.go, unread.go (clients that do not read), rename.go, rules.go (what becomes of each command), dispatch.go,
//	                    send.go (to one server), reads.go (to replicas), handlers.go (what is answered here)
//	what the table lacks learn.go, learning.go (asks a server), decode.go
//	parts of the proxy  feature.go (what the core calls), features.go (all)
//	a mistake of ours   panic.go; debug_on.go and debug_off.go (does it end the process?)
//	what is not told    secrets.go (of the servers' passwords), lockout.go (what even an administrator may not do)
//	its reply           replies.go, push.go (what comes unasked), failure.go, errors.go (every text that clients see), wire.go (small forms), version.go (what the
//	                    servers are)
//	what takes long     work.go (in pieces), emission.go (replies made so), roster.go (the clients by ID), closings.go (many clients), ask.go (the other loops)
//	several shards      gather.go, division.go (whose keys go where), joining.go (by package merge, long replies in pieces), scan.go,
//	                    servers.go (what is asked of each server)
//	the proxy's answers connection.go, hello.go, clients.go, client_list.go, client_kill.go, client_filter.go, describe.go (their
//	                    lines), cluster.go and slotwalk.go (as a node of a cluster)
//	scripts, modules    fenced.go (what follows them, and where they go)
//	who comes           login.go, gate.go (who guesses), foreign.go (other protocols), notice.go (what operators should read)
//	what waits          passage.go, deadline.go; crossing.go (protocol, database), pause.go and postpone.go (CLIENT PAUSE), busy.go and aside.go (scripts that run on)
//	a transaction       transaction.go, locals.go (what the proxy answers), outcome.go, everywhere.go (at all shards), proving.go,
//	                    shortage.go, watch.go, piece.go (sent again), hidden.go (what is not told)
//	own connections     pin.go; block.go, apart.go (sent again), blocked.go (and a list changes), farewell.go (and the proxy stops), state.go, tracking.go, tracking_redirect.go, quitting.go
//	messages            subscribe.go, hub.go, placing.go, publish.go, numsub.go, glob.go, resubscribe.go, rehome.go, moving.go (a list of servers changes)
//	servers that change env.go Follow; elsewhere.go (what is sent again from here; all else in package pool, redirect.go)
//	what is removed     remove.go (doors and upstreams)
//	for tests           hub_check.go, learn_check.go, redirect_check.go
//
// document.go writes docs/commands.md.
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
// many of its own are unanswered (throttle.go), and reading from it pauses while much waits; one over QueryBufferLimit is closed.
// One over OutputLimit waits until it has read (unread.go).
package session
