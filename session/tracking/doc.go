// Package tracking has what a client leaves on connections of its own: CLIENT TRACKING and other state that servers keep.
//
// # Purpose
//
// Each server keeps the state for its keys. So such a client has a connection of its own to every server, for as long as it stays.
//
// # Picture
//
//	CLIENT TRACKING ── trackingChange ──> every server
//	server ── invalidation ──> Pin ──> the client, or by way of a redirection another client
//
// Files, by what they are about: tracking.go, tracking_redirect.go (invalidations for another client), state.go (other commands that
// leave state), quitting.go (a connection ends when the servers have taken notice), redirect_check.go (for tests).
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
// A client whose state a server has lost is closed: it could not know what it has missed.
//
// # Who keeps what
//
// Servers don't know the proxy's clients. So they send invalidations for another client (REDIRECT) to a connection of the proxy's own, and
// tracking_redirect.go passes them on. What a server sends unasked stands between replies. A client with state at all servers is closed when
// there is a new server, or when keys turn out to be elsewhere.
package tracking
