package process

import (
	"context"
	"log/slog"
	"time"
)

// The pauses between checks of whether the servers can be reached. They double from the first to the longest.
const (
	firstLook   = 50 * time.Millisecond
	longestLook = time.Second
)

// logReached logs once when all servers except replicas are reached. Clients can connect before that, and the pool
// logs the servers that it can't reach. It returns after the log line, or when ctx ends. It runs on a goroutine of
// its own.
func (p *process) logReached(ctx context.Context) {
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
