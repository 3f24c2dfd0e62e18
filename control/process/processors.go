package process

import (
	"log/slog"
	"os"
	"runtime"

	"ringmaster/control/config"
)

// processors gives Go as many processors as there are loops while few clients send at a time, and its default while
// many do: docs/adr/0009-threads.md. It returns nil, for "do not change the number", if GOMAXPROCS is set in the
// environment, if the default leaves nothing to spare, or with --lock-thread, which was measured without it.
func processors(c *config.Config, log *slog.Logger) func(crowded bool) {
	if os.Getenv("GOMAXPROCS") != "" || c.LockThread || c.Loops >= runtime.GOMAXPROCS(0) {
		return nil
	}
	return func(crowded bool) {
		if crowded {
			runtime.SetDefaultGOMAXPROCS()
		} else {
			runtime.GOMAXPROCS(c.Loops)
		}
		log.Debug("processors changed", slog.Bool("crowded", crowded), slog.Int("gomaxprocs", runtime.GOMAXPROCS(0)))
	}
}
