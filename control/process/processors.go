package process

import (
	"log/slog"
	"os"
	"runtime"

	"ringmaster/control/config"
)

// processors gives Go as many processors as there are loops while few clients are heard, and its default while
// many are: docs/adr/0009-threads.md. It returns nil, for "leave them alone", when GOMAXPROCS is set in
// the environment, when the default leaves nothing to spare, or with --lock-thread, which was measured without.
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
