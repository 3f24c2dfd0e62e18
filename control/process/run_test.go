package process

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ringmaster/control/config"
	"ringmaster/control/topology"
	"ringmaster/eventloop"
	"ringmaster/pool"
	"ringmaster/shard"
	"ringmaster/stats"
)

// fakePlane is a data plane that accepts nothing and stops when told.
type fakePlane struct {
	config   eventloop.Config
	shutdown func(ctx context.Context) error
}

func (f *fakePlane) Snapshot(context.Context) ([]stats.Loop, error) { return nil, nil }
func (f *fakePlane) Ready(context.Context) error                    { return nil }

func (f *fakePlane) Upstream(int) topology.Data { return f }
func (f *fakePlane) Follow(*shard.Map)          {}
func (f *fakePlane) Judge(pool.Health)          {}

func (f *fakePlane) Shutdown(ctx context.Context) error {
	for _, l := range f.config.Listeners {
		l.Close()
	}
	if f.shutdown != nil {
		return f.shutdown(ctx)
	}
	return nil
}

// output is a buffer that two goroutines may use.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// stopping runs a process whose first signal has come; again is the second.
func stopping(t *testing.T, f *fakePlane, oneRequest time.Duration, again chan os.Signal) error {
	t.Helper()
	p := &process{
		Options: Options{Config: &config.Config{DrainTimeout: time.Minute}, Log: slog.New(slog.DiscardHandler), Signals: again}, oneRequest: oneRequest,
	}
	return p.stop(f, syscall.SIGTERM)
}

func TestASecondSignalEndsAtOnce(t *testing.T) {
	release, again := make(chan struct{}), make(chan os.Signal)
	defer close(release)
	f := &fakePlane{shutdown: func(context.Context) error {
		again <- syscall.SIGTERM
		<-release
		return nil
	}}
	if err := stopping(t, f, 0, again); !errors.Is(err, ErrForced) {
		t.Errorf("%v", err)
	}
}

// TestClientsAreServedDuringTheShutdownDelay: readiness ends with the signal, and the drain begins after the delay.
func TestClientsAreServedDuringTheShutdownDelay(t *testing.T) {
	for _, delay := range []time.Duration{0, 20 * time.Millisecond} {
		var log output
		drained := false
		p := &process{
			Options: Options{
				Config: &config.Config{ShutdownDelay: delay, DrainTimeout: time.Minute}, Log: slog.New(slog.NewTextHandler(&log, nil)), Signals: make(chan os.Signal),
			},
		}
		f := &fakePlane{shutdown: func(context.Context) error {
			drained = true
			if err := (source{data: &fakePlane{}, stopping: &p.stopping}).Ready(context.Background()); !errors.Is(err, errStopping) {
				t.Errorf("it is ready: %v", err)
			}
			if served := strings.Contains(log.String(), "clients are served during the delay"); served != (delay > 0) {
				t.Errorf("delay %v: the log says %s", delay, log.String())
			}
			return nil
		}}
		if err := (source{data: f, stopping: &p.stopping}).Ready(context.Background()); err != nil {
			t.Errorf("before the signal: %v", err)
		}
		if err := p.stop(f, syscall.SIGTERM); err != nil || !drained {
			t.Errorf("%v, drained %v", err, drained)
		}
	}
}

func TestASecondSignalEndsTheShutdownDelay(t *testing.T) {
	again := make(chan os.Signal, 1)
	again <- syscall.SIGTERM
	p := &process{Options: Options{Config: &config.Config{ShutdownDelay: time.Hour}, Log: slog.New(slog.DiscardHandler), Signals: again}}
	if err := p.stop(&fakePlane{shutdown: func(context.Context) error { t.Error("it drains"); return nil }}, syscall.SIGTERM); !errors.Is(err, ErrForced) {
		t.Errorf("%v", err)
	}
}

func TestTheSameSignalSentTwiceIsOneRequest(t *testing.T) {
	again := make(chan os.Signal)
	f := &fakePlane{shutdown: func(context.Context) error {
		again <- syscall.SIGTERM // returns only once it was taken
		return nil
	}}
	if err := stopping(t, f, time.Hour, again); err != nil {
		t.Errorf("%v", err)
	}
}
