package stats

import (
	"math/bits"
)

// The bounds of a histogram, in powers of two of nanoseconds: below 1.024 µs is
// one bucket, from 68.7 s on is another, and every power of two between is split
// in four, so a value is known to within 25 %.
const (
	minExp   = 10
	maxExp   = 36
	subBits  = 2
	subCount = 1 << subBits

	// Buckets is the number of counters in a Histogram.
	Buckets = (maxExp-minExp)*subCount + 2
)

// Histogram counts durations in log-spaced buckets. The zero value is empty.
//
// Invariant: Count() == sum of Counts.
type Histogram struct {
	// Counts[i] holds the durations d with UpperBound(i-1) <= d < UpperBound(i).
	Counts [Buckets]uint64
	// Sum is the total of all durations in nanoseconds.
	Sum uint64
}

// Observe counts one duration in nanoseconds; a negative one counts as 0. Loop-only.
func (h *Histogram) Observe(ns int64) {
	if ns < 0 {
		ns = 0
	}
	h.Counts[bucket(uint64(ns))]++
	h.Sum += uint64(ns)
}

// bucket returns the index of the counter for a duration in nanoseconds, in [0, Buckets).
func bucket(ns uint64) int {
	exp := bits.Len64(ns) - 1
	if exp < minExp {
		return 0
	}
	if exp >= maxExp {
		return Buckets - 1
	}
	sub := int(ns>>(uint(exp)-subBits)) & (subCount - 1)
	return 1 + (exp-minExp)*subCount + sub
}

// UpperBound returns the exclusive upper bound of bucket i in nanoseconds. The last bucket has none, so it returns
// the largest uint64. Any goroutine.
func UpperBound(i int) uint64 {
	switch {
	case i <= 0:
		return 1 << minExp
	case i >= Buckets-1:
		return 1<<64 - 1
	}
	exp, sub := (i-1)/subCount+minExp, (i-1)%subCount
	return 1<<exp + uint64(sub+1)<<(exp-subBits)
}

// Count returns the number of durations observed.
func (h *Histogram) Count() uint64 {
	var n uint64
	for _, c := range h.Counts {
		n += c
	}
	return n
}

// Below returns the number of durations under 1<<exp nanoseconds, exact for exponents from 10 to 36.
func (h *Histogram) Below(exp int) uint64 {
	end := 1 + (exp-minExp)*subCount
	var n uint64
	for i := 0; i < end && i < Buckets; i++ {
		n += h.Counts[i]
	}
	return n
}

// Add counts all of other's durations too.
func (h *Histogram) Add(other *Histogram) {
	for i, c := range other.Counts {
		h.Counts[i] += c
	}
	h.Sum += other.Sum
}
