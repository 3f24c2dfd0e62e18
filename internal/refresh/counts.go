package refresh

import "time"

// Counts counts a watcher's refreshes, for the admin address and metrics.
type Counts struct {
	// Refreshes counts the refreshes, Failures those without a result.
	Refreshes, Failures uint64
	// Changes counts the results that differed from the previous one, and the first.
	Changes uint64
	// Asked counts the questions to servers, Silent those that were not answered with a view.
	Asked, Silent uint64
	// Outvoted counts the views that were not followed, at least in part, because they were out of date or in a
	// minority.
	Outvoted uint64
	// LastGood is the time of the latest result; zero: there was none.
	LastGood time.Time
}

// Age is the time since the last result, 0 before the first.
func (c *Counts) Age() time.Duration {
	if c.LastGood.IsZero() {
		return 0
	}
	return time.Since(c.LastGood)
}

// Count adds a refresh with its answers; good says whether it had a result.
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
