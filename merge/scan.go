package merge

import (
	"math"
	"strconv"

	"ringmaster/parser"
)

// ScanPlace is the position of a SCAN over several shards. The client's cursor is the shard's own cursor times a
// base, plus the shard's number. 0 is both the start and, from the last shard, the end.
type ScanPlace struct {
	// Shard is the number of the shard that is asked. Base is larger than every shard's number.
	Shard, Base uint64
	// Shards are the numbers of all shards, the lowest first. There is at least one.
	Shards []int
}

// ParseCursor reads a cursor as Redis does: decimal digits that fit 64 bits. Borrows b until return. Any goroutine.
func ParseCursor(b []byte) (uint64, bool) {
	if len(b) == 0 || len(b) > 20 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b), 10, 64)
	return n, err == nil
}

// joinScan replaces the shard's cursor by the client's.
func (r *Request) joinScan(dst []byte) []byte {
	b := r.Parts[0].Reply
	cursor, rest, ok := SplitScan(b)
	if !ok {
		return r.odd(dst)
	}
	next, ok := r.Scan.next(cursor)
	if !ok {
		return parser.AppendError(dst, r.Texts.Cursor)
	}
	dst = parser.AppendArray(dst, 2)
	var digits [20]byte
	dst = parser.AppendBulk(dst, strconv.AppendUint(digits[:0], next, 10))
	return append(dst, rest...)
}

// next returns the client's cursor for the shard's.
func (p ScanPlace) next(cursor uint64) (uint64, bool) {
	if cursor == 0 {
		next := p.After(p.Shard)
		if uint64(next) <= p.Shard {
			return 0, true
		}
		return uint64(next), true
	}
	if cursor > (math.MaxUint64-p.Shard)/p.Base {
		return 0, false
	}
	return cursor*p.Base + p.Shard, true
}

// After returns the number of the shard after n. After the last comes the first. Any goroutine.
func (p ScanPlace) After(n uint64) int {
	for _, s := range p.Shards {
		if uint64(s) > n {
			return s
		}
	}
	return p.Shards[0]
}

// SplitScan reads the cursor of a SCAN's reply, and returns the rest unchanged; false: b is no such reply. Rest
// points into b. Any goroutine.
func SplitScan(b []byte) (cursor uint64, rest []byte, ok bool) {
	n, start, ok := parser.ArrayHeader(b)
	if !ok || n != 2 {
		return 0, nil, false
	}
	digits, next := parser.BulkAt(b, start)
	if next == 0 {
		return 0, nil, false
	}
	cursor, ok = ParseCursor(digits)
	return cursor, b[next:], ok
}
