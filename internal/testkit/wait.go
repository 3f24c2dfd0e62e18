package testkit

import (
	"testing"
	"time"
)

// Patience bounds every wait of this package for an event that should be quick.
const Patience = 20 * time.Second

const pollEvery = 2 * time.Millisecond

// Until polls ok until it holds, and ends the test if it does not hold within Patience; what names the condition.
func Until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	if !Eventually(Patience, ok) {
		t.Fatalf("waited %v for: %s", Patience, what)
	}
}

// Eventually polls ok until it holds and reports whether it did within limit.
// Any goroutine.
func Eventually(limit time.Duration, ok func() bool) bool {
	if ok() {
		return true
	}
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	end := time.NewTimer(limit)
	defer end.Stop()
	for {
		select {
		case <-tick.C:
			if ok() {
				return true
			}
		case <-end.C:
			return ok()
		}
	}
}
