package auth

import (
	"net/netip"
	"time"
)

// Guessing passwords is slowed down by address: after some failures in a short time each further attempt from there waits for its turn
// before it is checked. A wait after the check would tell at once that a password is right.
//
// Clients behind the same address wait too, for nothing tells them apart from the one that guesses; therefore no wait is longer than
// LongestWait, and the right password is let in after it. Whoever has many connections gets a try on each in that time.
const (
	// FreeFailures is how many failures in a row cost an address nothing; one of them is forgiven every ForgiveEvery.
	FreeFailures = 20
	ForgiveEvery = time.Second
	// TurnEvery is the time between two attempts from an address whose failures are not free any more.
	TurnEvery = 100 * time.Millisecond
	// LongestWait bounds how long an attempt waits; it is shorter than most clients' own timeouts.
	LongestWait = 2 * time.Second
	// longestGrudge bounds how much later than now the last failure is forgiven.
	longestGrudge = 60 * time.Second
	// maxAddresses bounds the addresses that are remembered. When there are more, one of those with the fewest failures is forgotten.
	maxAddresses = 4096
	// looked is how many addresses are looked at to find one to forget.
	looked = 8
)

// Attempts remembers failed logins by address. Loop-only. Loops do not share it: each of several gives an address its share of the
// failures and turns, so that all together give no more than these constants say.
type Attempts struct {
	burst, forgive, turn int64 // ns; burst and forgive as in address.clear
	from                 map[netip.Addr]address
}

// address is what is remembered of one address. Times are ns of the loop's clock.
type address struct {
	// clear is when all its failures are forgiven: each moves it by forgive. The address waits while clear - now > burst.
	clear int64
	// turn is when the latest attempt that waits has its turn.
	turn int64
}

// NewAttempts makes the share of one of several loops.
func NewAttempts(loops int) *Attempts {
	n := int64(max(loops, 1))
	forgive := n * int64(ForgiveEvery)
	return &Attempts{burst: max(FreeFailures/n, 3) * forgive, forgive: forgive, turn: n * int64(TurnEvery), from: map[netip.Addr]address{}}
}

// Quiet reports whether no address has failed lately.
func (a *Attempts) Quiet() bool { return len(a.from) == 0 }

// Wait is how long an attempt from an address must wait before it is checked, ns. It takes the address's next turn.
func (a *Attempts) Wait(from netip.Addr, now int64) int64 {
	from = origin(from)
	e, known := a.from[from]
	if !known || e.clear-now <= a.burst {
		return 0
	}
	e.turn = min(max(e.turn, now)+a.turn, now+int64(LongestWait))
	a.from[from] = e
	return e.turn - now
}

// Failed notes a failed attempt.
func (a *Attempts) Failed(from netip.Addr, now int64) {
	from = origin(from)
	e, known := a.from[from]
	if !known {
		a.makeRoom(now)
	}
	e.clear = min(max(e.clear, now)+a.forgive, now+max(int64(longestGrudge), a.burst+a.forgive))
	a.from[from] = e
}

// makeRoom forgets addresses whose failures are forgiven, and one more if there are too many.
func (a *Attempts) makeRoom(now int64) {
	var least netip.Addr
	first, n := int64(0), 0
	for from, e := range a.from { // in random order
		if n++; n > looked {
			break
		}
		if e.clear <= now {
			delete(a.from, from)
		} else if first == 0 || e.clear < first {
			least, first = from, e.clear
		}
	}
	if len(a.from) >= maxAddresses {
		delete(a.from, least)
	}
}

// origin is what counts as one address: of IPv6 the first 64 bits, which one user has.
func origin(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		if p, err := addr.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return addr
}
