package parser

import (
	"bytes"
	"math"
)

// Limits bound one request frame. Redis 7.0 has the same, under the names given.
type Limits struct {
	// MaxBulk is the length in bytes of one argument (proto-max-bulk-len).
	MaxBulk int
	// MaxArgs is the number of arguments (INT_MAX), and at most that.
	MaxArgs int
	// MaxInline is the length in bytes of an inline request or of a length line
	// (PROTO_INLINE_MAX_SIZE).
	MaxInline int
}

// The limits for a client that has not logged in (Redis 6.2.6 and later).
const (
	unauthenticatedArgs = 10
	unauthenticatedBulk = 16384
)

// DefaultLimits are the limits of Redis 7.0.
func DefaultLimits() Limits {
	return Limits{MaxBulk: 512 << 20, MaxArgs: math.MaxInt32, MaxInline: 64 << 10}
}

// AnyLimits are for a request that was accepted earlier, under limits that may have changed since.
func AnyLimits() Limits {
	return Limits{MaxBulk: 1 << 40, MaxArgs: math.MaxInt32, MaxInline: 64 << 10}
}

// ProtocolError says how a peer broke the protocol, in Redis's words without the "ERR ".
type ProtocolError struct {
	Text string
	// Offset is the place in the frame where it was noticed, in bytes.
	Offset int
}

func (e *ProtocolError) Error() string { return "Protocol error: " + e.Text }

var anyLimits = AnyLimits()

// Reparse parses a request that was accepted before and kept; !ok: raw is not one whole request with a command. req points into raw.
// Any goroutine.
func Reparse(raw []byte) (req Request, ok bool) {
	var p RequestParser
	done, err := p.Next(raw, &anyLimits, &req)
	return req, done && err == nil && len(req.Args) > 0
}

// CloneWords copies the words of a request, which are borrowed.
func CloneWords(words [][]byte) [][]byte {
	c := make([][]byte, len(words))
	for i, w := range words {
		c[i] = bytes.Clone(w)
	}
	return c
}
