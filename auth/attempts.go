package auth

import (
	"net/netip"
	"time"
)

// Password guessing is slowed down by address. After some failures in a short time the address gets a gate, and
// attempts from there wait until it opens before they are checked. Each further failure moves the gate. A wait after
// the check would reveal at once that a password is right.
//
// Other clients of the same address wait too, because nothing distinguishes them from the one that guesses. Therefore
// no wait is longer than LongestWait, and attempts with the right password do not move the gate. An attacker with
// many connections gets one try on each in that time.
const (
	// FreeFailures is how many failures in a row cost an address nothing; one of them is forgiven every ForgiveEvery.
	FreeFailures = 20
	ForgiveEvery = time.Second
	// GateStep is how far a failure that is not free moves the gate.
	GateStep = 100 * time.Millisecond
	// LongestWait bounds the wait of an attempt. It is shorter than most clients' own timeouts.
	LongestWait = 2 * time.Second
	// longestGrudge bounds how far in the future the last failure is forgiven.
	longestGrudge = 60 * time.Second
	// maxAddresses bounds the addresses that are remembered. When there are more, one of those with the fewest failures is forgotten.
	maxAddresses = 4096
	// looked is how many addresses are compared to find one to forget.
	looked = 8
)

// Attempts remembers failed logins by address. Loop-only. Loops do not share it. Each of several loops gives an
// address only a share of the free failures, and moves the gate further, so that all of them together give no more
// than these constants allow.
type Attempts struct {
	burst, forgive, step int64 // ns; burst and forgive as in address.clear
	from                 map[netip.Addr]address
}

// address is the record of one address. Times are ns of the loop's clock.
type address struct {
	// clear is when all its failures are forgiven. Each failure moves it by forgive. While clear - now > burst,
	// failures move the gate, too.
	clear int64
	// gate is when attempts are checked again.
	gate int64
}

// NewAttempts makes the Attempts of one of several loops.
func NewAttempts(loops int) *Attempts {
	n := int64(max(loops, 1))
	forgive := n * int64(ForgiveEvery)
	return &Attempts{burst: max(FreeFailures/n, 3) * forgive, forgive: forgive, step: n * int64(GateStep), from: map[netip.Addr]address{}}
}

// Quiet reports whether no address has failed lately.
func (a *Attempts) Quiet() bool { return len(a.from) == 0 }

// Wait returns how long an attempt from an address must wait before it is checked, ns.
func (a *Attempts) Wait(from netip.Addr, now int64) int64 {
	return max(a.from[origin(from)].gate-now, 0)
}

// Failed records a failed attempt.
func (a *Attempts) Failed(from netip.Addr, now int64) {
	from = origin(from)
	e, known := a.from[from]
	if !known {
		a.makeRoom(now)
	}
	e.clear = min(max(e.clear, now)+a.forgive, now+max(int64(longestGrudge), a.burst+a.forgive))
	if e.clear-now > a.burst {
		e.gate = min(max(e.gate, now)+a.step, now+int64(LongestWait))
	}
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

// origin returns what counts as one address. For IPv6 these are the first 64 bits, which belong to one user.
func origin(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		if p, err := addr.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return addr
}
