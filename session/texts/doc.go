// Package texts has every error that the proxy itself gives to clients.
//
// # Purpose
//
// Each text stands here and nowhere else, so that it can be compared with Redis's in one place. Where Redis has words they are those of
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
// What a client has sent is quoted in part only, without line breaks, so that nobody can forge a reply.
package texts
