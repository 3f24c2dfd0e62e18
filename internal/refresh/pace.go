package refresh

import (
	"context"
	"time"
)

// Pace says when to ask again.
type Pace struct {
	least time.Duration
	hints chan struct{}
}

// NewPace makes a pace whose refreshes begin at least this far apart.
func NewPace(least time.Duration) *Pace { return &Pace{least: least, hints: make(chan struct{}, 1)} }

// Hint asks for a refresh at once, or as soon as the least time allows. Hints are joined. It never waits. Any goroutine.
func (p *Pace) Hint() {
	select {
	case p.hints <- struct{}{}:
	default:
	}
}

// Run calls refresh after first, then each time after the result of pause, and after hints, until ctx ends. One
// goroutine.
func (p *Pace) Run(ctx context.Context, first time.Duration, refresh func(), pause func() time.Duration) {
	timer := time.NewTimer(first)
	defer timer.Stop()
	last := time.Now().Add(-p.least)
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-p.hints:
			// This refresh also answers the hints that come during the wait.
			if !Sleep(ctx, p.least-time.Since(last)) {
				return
			}
			p.forgetHints()
		}
		last = time.Now()
		refresh()
		timer.Reset(pause())
	}
}

func (p *Pace) forgetHints() {
	select {
	case <-p.hints:
	default:
	}
}

// Sleep waits for d; false: ctx has ended. Any goroutine.
func Sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
