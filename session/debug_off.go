//go:build !proxydebug

package session

// panicsEnd: a panic ends the process after all.
const panicsEnd = false

const (
	// lendFrom is the size from which a piece of a reply is lent (lent.go), bytes.
	lendFrom = 8 << 10
	// aloneFrom is the size from which what is lent has a write of its own though the turn may have more for its client, bytes: that costs
	// less than the copy.
	aloneFrom = 64 << 10
)
