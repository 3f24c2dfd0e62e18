package refresh

import "time"

// Counters tell how often a topology was asked for. The names are keys of /topology.
type Counters struct {
	// Refreshes counts the times that somebody was asked, Failures those that found no topology.
	Refreshes, Failures uint64
	// Changes counts the topologies that differed from the one before, the first included.
	Changes uint64
	// Asked counts who was asked, Silent who did not answer, or not with a view.
	Asked, Silent uint64
	// Outvoted counts the views that were not followed, or not in everything.
	Outvoted uint64
	// LastGood is when a topology was found last; zero before the first time.
	LastGood time.Time
}

// Count adds a refresh, what it found apart.
func Count[V any](c *Counters, answers []Answer[*V], outvoted int) {
	c.Refreshes++
	c.Asked += uint64(len(answers))
	c.Outvoted += uint64(outvoted)
	for _, a := range answers {
		if a.View == nil {
			c.Silent++
		}
	}
}

// Age is the time since LastGood, 0 before the first time.
func (c *Counters) Age() time.Duration {
	if c.LastGood.IsZero() {
		return 0
	}
	return time.Since(c.LastGood)
}
