package e2e

import (
	"slices"
	"testing"

	"ringmaster/internal/testkit"
)

// everyLoop is connections to a proxy, enough to meet every loop of it: a new one goes to the loop that has the fewest. Each loop
// hears of changes by itself, and what one does says nothing of the others.
type everyLoop []*testkit.Conn

func dialEveryLoop(t *testing.T, addr string) everyLoop {
	t.Helper()
	var all everyLoop
	for range 8 {
		all = append(all, testkit.Dial(t, addr))
	}
	return all
}

// until waits until ok holds of all of them, one after the other.
func (all everyLoop) until(t *testing.T, what string, ok func(c *testkit.Conn) bool) {
	t.Helper()
	testkit.Until(t, what, func() bool {
		return !slices.ContainsFunc(all, func(c *testkit.Conn) bool { return !ok(c) })
	})
}

func (all everyLoop) close() {
	for _, c := range all {
		c.Close()
	}
}
