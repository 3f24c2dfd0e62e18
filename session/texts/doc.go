// Package texts has every error text that the proxy itself gives to clients.
//
// # Purpose
//
// All texts stand here, so that they can be compared with Redis's in one place. Where Redis has a text it is that of
// Redis 7.0, unless a comment names another version.
//
// # Picture
//
//	a feature ── texts.NoPermission(name) ──> "NOPERM this user has no permissions ..." ── parser.AppendError ──> the client
//
// # Who may call
//
// Any goroutine.
//
// # Ownership of bytes
//
// Arguments are borrowed until return. Results belong to the caller.
//
// # Limits and errors
//
// Words of a client are shortened before they are quoted, and parser.AppendError removes line breaks, so that nobody
// can forge a reply.
package texts
