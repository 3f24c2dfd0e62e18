// Package auth says who may log in to the proxy.
//
// # Purpose
//
// A Policy is the answer to AUTH and HELLO AUTH: today one user, "default", with any of several
// passwords, so that a password can be changed without a moment at which nobody gets in. Attempts slows down
// addresses from which logins fail.
//
// # Picture
//
//	--password ──> Policy ────> session: AUTH, HELLO 3 AUTH
//	                              │  ▴
//	               Attempts ◂── failed, how long to wait
//
// # Who may call
//
// Policy: any goroutine, for it never changes. Attempts: Loop-only, one for each loop.
//
// # Ownership of bytes
//
// Arguments are borrowed until return.
//
// # Limits and errors
//
// A wrong credential is false. Passwords are hashed before they are compared, in constant time. Attempts remembers a bounded
// number of addresses for a bounded time, and no wait is longer than [LongestWait].
package auth
