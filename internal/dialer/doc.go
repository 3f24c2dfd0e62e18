// Package dialer connects to servers that come and go.
//
// # Purpose
//
// When the first packet of a connection is lost, the system sends it again after a second, twice that, and so on: a host that
// can be reached again is not noticed before, and a dial with a timeout of a second has one chance only. [Dial] has several.
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
// None are held.
//
// # Limits and errors
//
// At most four attempts at a time, all over when Dial returns. An attempt that fails with another reason than the time, such
// as a refusal, ends them all. A server to which a connection takes longer than a quarter of the timeout sees some that are
// closed unused.
package dialer
