// Package auth says who may log in to the proxy.
//
// # Purpose
//
// A Policy decides on AUTH and HELLO AUTH. Today there is one user, "default", with any of several passwords, so that
// a password can be changed without locking anyone out. Attempts slows down addresses from which logins fail.
//
// # Picture
//
//	--password ──> Policy ────> session: AUTH, HELLO 3 AUTH
//	                              │  ▴
//	               Attempts ◂── failed, how long to wait
//
// # Who may call
//
// Policy: any goroutine, because it never changes. Attempts: Loop-only, one for each loop.
//
// # Ownership of bytes
//
// Arguments are borrowed until return.
//
// # Limits and errors
//
// Check returns false for a wrong credential. Passwords are hashed before they are compared, in constant time.
// Attempts remembers a bounded number of addresses for a bounded time, and no wait is longer than [LongestWait].
package auth
