// Package parser finds the frames of RESP2 and RESP3 in bytes, reads their values and writes frames.
//
// # Purpose
//
// A request is found together with its arguments, which are slices of the input. Of a reply only the end is found,
// and nothing is built from it. Code that needs the contents of a reply reads it again after its end is known:
// value.go reads numbers, texts and elements in place, and tree.go builds a tree for the control plane.
//
// # Picture
//
//	client bytes ──> RequestParser.Next ──> Request{Raw, Args}   (whole requests only)
//	server bytes ──> ReplyScanner.Scan  ──> pieces of one reply, then Done
//	a whole reply ─┬> ElementsOf, Text, Integer, ...   (slices of it)
//	               └> ParseValue ──> Value             (a tree)
//
// Both parsers keep their place between calls, so that a frame in a thousand pieces is read once. Neither recurses,
// because the open nesting is a count. Only ParseValue recurses, up to its limit. A piece of a reply ends between
// elements, in a bulk string, or in a line of over 16 KiB. Shorter lines are in one piece, and so is an error's code.
//
// # Who may call
//
// RequestParser and ReplyScanner are Loop-only: a parser belongs to one connection. The functions that
// read values or append frames may be called from any goroutine.
//
// # Ownership of bytes
//
// Input is borrowed until return. Args and Raw point into it (or into the Request's own scratch
// for inline and odd requests) and are valid until the next call that uses the same Request.
// Texts and elements of a reply point into the reply, and are valid as long as it is.
//
// # Limits and errors
//
// A reader of a value reports when there is none, and no reply makes a reader panic. ParseValue has a bound for the
// depth and one for the number of values.
//
// Limits have Redis's own defaults. If a peer breaks the protocol, there is a *ProtocolError with Redis's text, and
// the connection can't be read further. The result does not depend on how the input was cut. One error comes sooner
// than in Redis: a NUL in a length, after which Redis waits for a line of 64 KiB.
//
// Sources: the RESP specification (RESP2 and RESP3) and Redis 7.0, networking.c
// (processInlineBuffer, processMultibulkBuffer) and sds.c (sdssplitargs).
package parser
