// Package answer reads what servers say of themselves: in errors that are theirs and not the command's, and in their replies to HELLO.
//
// # Purpose
//
// A reply belongs to the client, with few exceptions: errors that say that the server can't answer a request now or not there. What
// those look like, in all versions of Redis and Valkey that are supported, stands here and nowhere else.
//
// # Picture
//
//	-MOVED 3999 10.0.0.1:7000 ─▸ Elsewhere, NamesNode, Named ─▸ slot, address
//	-LOADING … ─▸ Passing        -OOM … ─▸ OutOfMemory        HELLO's reply ─▸ VersionIn, IDIn
//
// # Who may call
//
// Any goroutine: functions of bytes.
//
// # Ownership of bytes
//
// Everything borrows its arguments until return. What is found in them points into them.
//
// # Limits and errors
//
// What is not understood is not there: false, or nothing.
package answer
