// Package auth says who may log in to the proxy.
//
// # Purpose
//
// A Policy is the answer to AUTH and HELLO AUTH: today one user, "default", with any of several
// passwords, so that a password can be changed without a moment at which nobody gets in.
//
// # Picture
//
//	--password ──> Policy ──> session: AUTH, HELLO 3 AUTH
//
// # Who may call
//
// Any goroutine: a Policy never changes.
//
// # Ownership of bytes
//
// Arguments are borrowed until return.
//
// # Limits and errors
//
// There are none: a wrong credential is false. Passwords are compared in constant time.
package auth
