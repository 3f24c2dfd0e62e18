package process

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"ringmaster/control/admin"
	"ringmaster/control/config"
)

// stopping starts a process in front of f, with the settings of c.
func stopping(t *testing.T, f *fakePlane, c *config.Config, signals chan os.Signal) *process {
	t.Helper()
	p := newProcess(Options{Config: c, Log: slog.New(slog.DiscardHandler), Signals: signals})
	p.data = f
	p.state.Store(&state{config: c})
	p.reloads.start(p.reload)
	return p
}

func TestASecondSignalEndsAtOnce(t *testing.T) {
	release, again := make(chan struct{}), make(chan os.Signal)
	defer close(release)
	f := &fakePlane{shutdown: func(context.Context) error {
		again <- syscall.SIGTERM
		<-release
		return nil
	}}
	p := stopping(t, f, &config.Config{DrainTimeout: time.Minute}, again)
	p.oneRequest = 0
	if err := p.stop(syscall.SIGTERM); !errors.Is(err, ErrForced) {
		t.Errorf("%v", err)
	}
}

// TestClientsAreServedDuringTheShutdownDelay: readiness ends with the signal, and the drain begins after the delay.
func TestClientsAreServedDuringTheShutdownDelay(t *testing.T) {
	for _, delay := range []time.Duration{0, 20 * time.Millisecond} {
		var log output
		drained := false
		f := new(fakePlane)
		p := stopping(t, f, &config.Config{ShutdownDelay: delay, DrainTimeout: time.Minute}, make(chan os.Signal))
		p.Log = slog.New(slog.NewTextHandler(&log, nil))
		f.shutdown = func(context.Context) error {
			drained = true
			if err := (source{p}).Ready(context.Background()); !errors.Is(err, admin.ErrStopping) {
				t.Errorf("it is ready: %v", err)
			}
			if served := strings.Contains(log.String(), "until then clients are served"); served != (delay > 0) {
				t.Errorf("delay %v: the log says %s", delay, log.String())
			}
			return nil
		}
		if err := (source{p}).Ready(context.Background()); err != nil {
			t.Errorf("before the signal: %v", err)
		}
		if err := p.stop(syscall.SIGTERM); err != nil || !drained {
			t.Errorf("%v, drained %v", err, drained)
		}
	}
}

func TestASecondSignalEndsTheShutdownDelay(t *testing.T) {
	again := make(chan os.Signal, 1)
	again <- syscall.SIGTERM
	f := &fakePlane{shutdown: func(context.Context) error { t.Error("it drains"); return nil }}
	p := stopping(t, f, &config.Config{ShutdownDelay: time.Hour}, again)
	p.oneRequest = 0
	if err := p.stop(syscall.SIGTERM); !errors.Is(err, ErrForced) {
		t.Errorf("%v", err)
	}
}

func TestTheSameSignalSentTwiceIsOneRequest(t *testing.T) {
	again := make(chan os.Signal)
	f := &fakePlane{shutdown: func(context.Context) error {
		again <- syscall.SIGTERM // returns after it was received
		return nil
	}}
	if err := stopping(t, f, &config.Config{DrainTimeout: time.Minute}, again).stop(syscall.SIGTERM); err != nil {
		t.Errorf("%v", err)
	}
}
