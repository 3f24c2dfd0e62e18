// Package tracking carries out CLIENT TRACKING, and other commands whose state the servers keep for a connection.
//
// # Purpose
//
// Each server keeps such state for its own keys. So the client gets its own connection to every server, for as long as
// it stays.
//
// # Picture
//
//	CLIENT TRACKING ── trackingChange ──> every server
//	server ── invalidation ──> Pin ──> the client
//	server ── invalidation ──> redirectEnd ──> the target of a redirection, on any loop
//
// Files, each of which uses only those after it:
//
//	handle.go                the commands that leave state
//	tracking.go caching.go   CLIENT TRACKING; CLIENT CACHING
//	quitting.go              QUIT of a client that gets the invalidations of others
//	redirect.go              invalidations for another client
//	pinned.go                own connections
//	state.go                 the data
//
// # Who may call
//
// Everything is Loop-only.
//
// # Ownership of bytes
//
// Pushes are borrowed until return. An unfinished one is copied.
//
// # Limits and errors
//
// A client whose state a server has lost is closed, because it could not know what it has missed.
//
// # Where state goes
//
// Servers do not know the clients of the proxy. So invalidations for another client (REDIRECT) go to a connection of the
// proxy, and redirect.go passes them on. Pushes from a server stand between replies. A client with state at all servers
// is closed when a server is added, or when its keys turn out to be elsewhere.
package tracking
