package auth

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

// guesses returns how many passwords an attacker gets checked in d, with this many connections from one address. The
// attacker gives up each attempt that waits longer than patience, and connects again.
func guesses(a *Attempts, from string, conns int, d time.Duration, longest *int64) (n int) {
	addr := netip.MustParseAddr(from)
	due := make([]int64, conns)
	for now := int64(0); now < int64(d); now += int64(10 * time.Millisecond) {
		for i := range due {
			if due[i] > now {
				continue
			}
			if due[i] > 0 {
				due[i] = 0
				n++
				a.Failed(addr, now)
				continue
			}
			wait := a.Wait(addr, now)
			*longest = max(*longest, wait)
			if wait > 0 {
				due[i] = now + wait
				continue
			}
			n++
			a.Failed(addr, now)
		}
	}
	return n
}

func TestGuessingIsSlowedForAllConnectionsOfAnAddressTogether(t *testing.T) {
	const minute = time.Minute
	for _, c := range []struct{ conns, most int }{
		{1, 640}, {10, 660}, {20, 700}, {100, 100*30 + 200},
	} {
		var longest int64
		n := guesses(NewAttempts(1), "10.0.0.1", c.conns, minute, &longest)
		if n > c.most || n < FreeFailures {
			t.Errorf("%d connections: %d guesses in a minute, want at most %d", c.conns, n, c.most)
		}
		if longest > int64(LongestWait) {
			t.Errorf("%d connections: one waits %v", c.conns, time.Duration(longest))
		}
	}
}

func TestLoopsTogetherGiveNoMoreThanOne(t *testing.T) {
	for _, loops := range []int{2, 4, 8} {
		n := 0
		for range loops {
			var longest int64
			n += guesses(NewAttempts(loops), "10.0.0.1", 1, time.Minute, &longest)
		}
		if n > 680 {
			t.Errorf("%d loops: %d guesses in a minute", loops, n)
		}
	}
}

func TestNobodyElseIsSlowed(t *testing.T) {
	a := NewAttempts(1)
	var longest int64
	for _, from := range []string{"10.0.0.1", "2001:db8:1:1::1"} {
		guesses(a, from, 100, time.Minute, &longest)
	}
	now := int64(time.Minute)
	for from, slowed := range map[string]bool{
		"10.0.0.1": true, "::ffff:10.0.0.1": true, "2001:db8:1:1:ffff::2": true, "2001:db8:1:1::1%eth0": true,
		"10.0.0.2": false, "2001:db8:1:2::1": false, "::1": false,
	} {
		if got := a.Wait(netip.MustParseAddr(from), now) > 0; got != slowed {
			t.Errorf("%s is slowed: %v", from, got)
		}
	}
	if a.Wait(netip.Addr{}, now) > 0 {
		t.Error("clients of a unix socket are slowed")
	}
}

func TestAFewMistakesCostNothingAndAllAreForgiven(t *testing.T) {
	for _, loops := range []int{1, 8} {
		a, from := NewAttempts(loops), netip.MustParseAddr("10.0.0.1")
		for range 3 {
			if a.Wait(from, 0) > 0 {
				t.Errorf("%d loops: waits after a mistake or two", loops)
			}
			a.Failed(from, 0)
		}
		for range 1000 {
			a.Failed(from, 0)
		}
		if a.Wait(from, 0) == 0 {
			t.Errorf("%d loops: does not wait after 1,000 failures", loops)
		}
		if wait := a.Wait(from, int64(longestGrudge)); wait > 0 {
			t.Errorf("%d loops: waits %v a minute later", loops, time.Duration(wait))
		}
	}
}

func TestAddressesThatAreRememberedAreBounded(t *testing.T) {
	a := NewAttempts(1)
	victim := netip.MustParseAddr("10.0.0.1")
	for i := range 10 * maxAddresses {
		a.Failed(netip.MustParseAddr(fmt.Sprintf("2001:db8:%x:%x::1", i/65536, i%65536)), int64(i))
		if i%100 == 0 {
			a.Failed(victim, int64(i)) // keeps guessing
		}
		if len(a.from) > maxAddresses {
			t.Fatalf("%d addresses", len(a.from))
		}
	}
	if a.Wait(victim, 10*maxAddresses) == 0 {
		t.Error("an address that fails most is forgotten for those that failed once")
	}
}
