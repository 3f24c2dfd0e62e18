package eventloop

import "time"

// Go wakes a thread for every idle processor when a loop yields, as gnet's do at each empty poll. With few clients
// that costs more than the commands; with many it makes no difference (docs/adr/0009-threads.md). So the server
// reports whether its loops are crowded, and the process gives Go processors accordingly.

// crowded is the mean number of clients that send in a turn from which a loop counts as crowded, in 256ths.
const crowded = 2 * 256

// calmAfter is how long no loop must have been crowded before the server counts as calm. It is long, because changing
// the processors stops the world for some microseconds.
const calmAfter = 2 * time.Second

// crowd watches the loops for the ticker. Only the ticker's goroutine.
type crowd struct {
	tell  func(bool)    // nil: there is no receiver
	now   bool          // the last reported value; a server begins crowded
	calm  time.Duration // when the last loop ceased to be crowded
	quiet bool          // calm is set
}

// look handles one tick; at is the time since the start.
func (c *crowd) look(loops []*loop, at time.Duration) {
	if c.tell == nil {
		return
	}
	for _, l := range loops {
		if l.crowd.Load() >= crowded {
			c.quiet = false
			c.set(true)
			return
		}
	}
	if !c.quiet {
		c.quiet, c.calm = true, at
	}
	if at-c.calm >= calmAfter {
		c.set(false)
	}
}

func (c *crowd) set(to bool) {
	if c.now != to {
		c.now = to
		c.tell(to)
	}
}
