package process

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"ringmaster/control/config"
)

// reachedLater is a data plane whose servers are reached at the third check.
type reachedLater struct {
	fakePlane
	looks int
}

func (r *reachedLater) Ready(context.Context) error {
	if r.looks++; r.looks < 3 {
		return errors.New("no connection to a:1")
	}
	return nil
}

func TestTheLogSaysWhenAllServersAreReached(t *testing.T) {
	var log output
	f := new(reachedLater)
	p := newProcess(Options{Config: new(config.Config), Log: slog.New(slog.NewTextHandler(&log, nil))})
	p.data = f
	p.logReached(t.Context())
	if f.looks != 3 || strings.Count(log.String(), "all servers are reached") != 1 {
		t.Errorf("%d looks: %s", f.looks, log.String())
	}
}

func TestNothingIsSaidOfServersThatAreNeverReached(t *testing.T) {
	for _, stopping := range []bool{false, true} {
		var log output
		p := newProcess(Options{Config: new(config.Config), Log: slog.New(slog.NewTextHandler(&log, nil))})
		p.data = new(reachedLater)
		p.stopping.Store(stopping)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		p.logReached(ctx)
		if log.String() != "" {
			t.Errorf("stopping %v: %s", stopping, log.String())
		}
	}
}
