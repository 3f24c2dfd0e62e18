// Package parser finds the frames of RESP2 and RESP3 in bytes, reads their values and writes frames.
//
// # Purpose
//
// A request is found together with its arguments, which are slices of the input. Of a reply
// only the end is found: nothing is built from it. Those who need what is in a reply look again, after
// its end is known: value.go reads numbers, texts and elements where they stand, and tree.go
// builds a tree for the control plane.
//
// # Picture
//
//	client bytes ──> RequestParser.Next ──> Request{Raw, Args}   (whole requests only)
//	server bytes ──> ReplyScanner.Scan  ──> pieces of one reply, then Done
//	a whole reply ─┬> ElementsOf, Text, Integer, ...   (slices of it)
//	               └> ParseValue ──> Value             (a tree)
//
// Both parsers keep their place between calls, so that a frame in a thousand pieces is read once.
// Neither recurses: what nesting is left to read is a count. Only ParseValue does, as deep as it is allowed to. A piece of a reply ends between
// elements, in a bulk, or in a line of over 16 KiB; shorter lines are in one piece, so that an
// error's code word is.
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
// Whoever reads a value is told when it is not there; no reply makes a reader panic. ParseValue has
// a bound for the depth and one for the number of values.
//
// Limits carry Redis's own defaults. A peer that breaks the protocol gives a *ProtocolError
// whose text is Redis's; the connection cannot be read further. What is broken does not depend on
// how the input was cut. One thing is said sooner than Redis says it: a NUL in a length, behind
// which Redis waits for 64 KiB of line.
//
// Sources: the RESP specification (RESP2 and RESP3) and Redis 7.0, networking.c
// (processInlineBuffer, processMultibulkBuffer) and sds.c (sdssplitargs).
package parser
