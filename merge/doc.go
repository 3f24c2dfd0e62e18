// Package merge joins the replies of several servers to one command into the one reply that a client gets.
//
// # Purpose
//
// A Request says what was asked, how its parts are joined, and what the joining has to know of the proxy. Append makes
// the reply: numbers are added, arrays put one after the other or in the order of the keys, and what describes a server
// is joined by its meaning, command by command. Everything is bytes in, bytes out: package session collects the parts
// and says when they are complete.
//
// # Picture
//
//	parts: [reply][reply][error] ──> Request{Spec, Merge, Parts, ...} ── Append ──> one reply
//	                                                       │
//	                           one step after the other:   ├─ OpenArrays ── AppendNext ...   a long MGET
//	                                                       ├─ OpenConcat ── Take ...         a long KEYS
//	                                                       └─ OpenNumbers ── FoldNext ...    a long SCRIPT EXISTS
//
// Files, by what they are about: request.go (what goes in, and which merge it takes), specials.go (the merges that belong to one
// command, and words for the documentation), missing.go (a server that is down), arrays.go, numbers.go, texts.go, scan.go; joined by
// meaning: info.go, info_values.go, info_rules.go, logs.go, latency.go, figures.go (MEMORY STATS, FUNCTION STATS), role.go.
//
// # Who may call
//
// Any goroutine, but a Request belongs to one at a time, and its Parts are used up when its reply is made. Nothing
// here waits, and MGET, DEL, MSET, SCAN and their like allocate nothing.
//
// # Ownership of bytes
//
// A Request borrows its parts until its reply is made. The reply is appended to the caller's bytes, and holds none of the
// parts'.
//
// # Limits and errors
//
// Parts are whole replies of RESP, as parser.ReplyScanner finds them; apart from that servers may say anything: what has another
// shape than the command's replies have makes Texts.Odd, and the reply is always one whole reply. What is taken apart
// takes many times its length while it is joined, so that a part may have at most 16 MiB, of INFO 4 MiB.
package merge
