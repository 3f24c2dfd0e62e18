package refresh

import "time"

// Counts are of a watcher's refreshes, for the admin address and metrics.
type Counts struct {
	// Refreshes counts the times that somebody was asked, Failures those that had no result.
	Refreshes, Failures uint64
	// Changes counts the results that differed from the one before, the first included.
	Changes uint64
	// Asked counts who was asked, Silent those who did not answer, or not with a view.
	Asked, Silent uint64
	// Outvoted counts the views that were not followed, or not in everything: of a minority, or out of date.
	Outvoted uint64
	// LastGood is when a refresh last had a result; zero before the first time.
	LastGood time.Time
}

// Age is the time since the last result, 0 before the first.
func (c *Counts) Age() time.Duration {
	if c.LastGood.IsZero() {
		return 0
	}
	return time.Since(c.LastGood)
}

// Count adds a refresh and what it took; good says whether it had a result.
func Count[V any](c *Counts, answers []Answer[V], outvoted int, good bool) {
	c.Refreshes++
	if good {
		c.LastGood = time.Now()
	} else {
		c.Failures++
	}
	c.Asked += uint64(len(answers))
	c.Outvoted += uint64(outvoted)
	for _, a := range answers {
		if a.Err != nil {
			c.Silent++
		}
	}
}
