package process

import (
	"context"
	"log/slog"
	"time"
)

// The pauses between looks at whether the servers can be reached: they double from the first to the longest.
const (
	firstLook   = 50 * time.Millisecond
	longestLook = time.Second
)

// tellReached logs once that all servers but replicas are reached: clients can connect before that. Until then the pool logs what it cannot
// reach. It returns then, or when ctx ends. It runs on a goroutine of its own.
func (p *process) tellReached(ctx context.Context) {
	begin := time.Now()
	for pause := firstLook; ; pause = min(2*pause, longestLook) {
		err := p.data.Ready(ctx)
		switch {
		case p.stopping.Load():
			return
		case err == nil:
			p.Log.Info("all servers are reached", slog.Duration("took", time.Since(begin).Round(time.Millisecond)))
			return
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}
