// Package dialer connects to servers that come and go.
//
// # Purpose
//
// If the first packet of a connection is lost, the system sends it again after a second, then two, and so on. So it
// notices late that a host can be reached again, and a dial with a timeout of one second has only one chance. [Dial]
// has several.
//
// # Picture
//
//	0        ¼        ½        ¾       timeout
//	├ attempt ────────────────────────▸│
//	         ├ attempt ───────────────▸│     the first that connects wins
//	                  ├ attempt ──────▸│
//	                           ├ ... ─▸│
//
// # Who may call
//
// Any goroutine; it blocks.
//
// # Ownership of bytes
//
// No bytes are kept.
//
// # Limits and errors
//
// There are at most four attempts at a time, and all are over when Dial returns. An attempt that fails for another
// reason than a timeout, such as a refusal, ends all of them. If a connection takes longer than a quarter of the
// timeout, the server sees some connections that are closed unused.
package dialer
