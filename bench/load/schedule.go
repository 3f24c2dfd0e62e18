package load

import "time"

// schedule gives the due time of every request of a run, in nanoseconds since its start.
type schedule struct {
	rate  float64 // requests per second, over all connections
	total int     // requests in the run
}

func newSchedule(rate float64, length time.Duration) schedule {
	return schedule{rate: rate, total: int(rate * length.Seconds())}
}

// due returns when request i, 0 <= i < total, must be sent. It is computed from i and not from the previous request,
// so that rounding errors do not add up.
func (s schedule) due(i int) int64 { return int64(float64(i) / s.rate * 1e9) }
