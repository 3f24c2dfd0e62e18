// Package merge joins the replies of several servers to one command into the one reply that a client gets.
//
// # Purpose
//
// A Request has the command, the way in which its parts are joined, and the facts of the proxy that this needs.
// Append makes the reply: numbers are added, arrays are put one after the other or in the order of the keys, and
// descriptions of servers are joined by their meaning, command by command. Everything is bytes in, bytes out. Package
// session collects the parts and says when they are complete.
//
// # Picture
//
//	parts: [reply][reply][error] ──> Request{Spec, Merge, Parts, ...} ── Append ──> one reply
//	                                                       │
//	                           one step after the other:   ├─ OpenArrays ── AppendNext ...   a long MGET
//	                                                       ├─ OpenConcat ── Take ...         a long KEYS
//	                                                       └─ OpenNumbers ── FoldNext ...    a long SCRIPT EXISTS
//
// Files by subject: request.go (the input, and the choice of a merge), specials.go (merges for a single command, and
// words for the documentation), missing.go (a server that is down), arrays.go, numbers.go, texts.go, scan.go. Joined
// by meaning: info.go, info_values.go, info_rules.go, logs.go, latency.go, figures.go (MEMORY STATS, FUNCTION STATS),
// role.go.
//
// # Who may call
//
// Any goroutine, but a Request belongs to one at a time, and making its reply uses up its Parts. Nothing here waits,
// and MGET, DEL, MSET, SCAN and similar commands allocate nothing.
//
// # Ownership of bytes
//
// A Request borrows its parts until its reply is made. The reply is appended to the caller's bytes, and shares no
// memory with the parts.
//
// # Limits and errors
//
// Parts are whole RESP replies, as parser.ReplyScanner finds them. Apart from that servers may say anything: parts of
// an unexpected shape make Texts.Odd, and the result is always one whole reply. A part that is taken apart needs many
// times its length while it is joined, so it may have at most 16 MiB, of INFO 4 MiB.
package merge
