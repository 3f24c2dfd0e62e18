package sentinel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"ringmaster/internal/refresh"
	"ringmaster/shard"
)

const (
	defaultInterval    = 2 * time.Second
	defaultMinInterval = 50 * time.Millisecond
	defaultTimeout     = time.Second
	defaultNodes       = 5

	// hurried is the part of Interval at which sentinels are asked while a primary is down: their messages may be lost.
	hurried = 8
	// haste is how long a primary that stays down is worth hurrying.
	haste = time.Minute
	// memory is how long what was found before stands against claims with lower epochs.
	memory = time.Minute
)

// Config says which primaries are followed and how closely. Sentinels and Names are needed.
type Config struct {
	// Sentinels are those to begin with, HOST:PORT; others are learnt from them. Hostnames are resolved each time.
	Sentinels []string
	// Names are those of the masters that are followed, in the order in which they are published.
	Names []string
	// Username and Password log in to the sentinels; without a password nothing is sent.
	Username, Password string
	// ServerUsername and ServerPassword log in to the servers, which are asked for their role.
	ServerUsername, ServerPassword string
	// Interval is the time between refreshes that nobody asked for. 0 is 2 s.
	Interval time.Duration
	// MinInterval is the least time between the starts of two refreshes. 0 is 50 ms.
	MinInterval time.Duration
	// Timeout is what one sentinel or server has to answer in, the connection included. 0 is 1 s.
	Timeout time.Duration
	// Nodes is how many sentinels are asked at a refresh. 0 is 5.
	Nodes int
	// Log takes what operators should read. Nil is slog.Default().
	Log *slog.Logger
}

// Watcher follows the primaries of some names.
type Watcher struct {
	cfg  Config
	log  *slog.Logger
	pace *refresh.Pace

	// Of whoever runs a refresh; Discover and Run do not overlap.
	peers     []peer    // sentinels that others have named
	heard     []string  // who answered the last refresh
	silent    bool      // it had no result
	since     time.Time // when it began that something is not settled; zero: all is
	forgotten string    // names that no sentinel knew at the last refresh

	mu      sync.Mutex
	current *topology // nil before the first discovery
	groups  []shard.Group
	status  Status
}

// New prepares a watcher; it asks nobody yet.
func New(c Config) *Watcher {
	if c.Interval <= 0 {
		c.Interval = defaultInterval
	}
	if c.MinInterval <= 0 {
		c.MinInterval = defaultMinInterval
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	if c.Nodes <= 0 {
		c.Nodes = defaultNodes
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return &Watcher{cfg: c, log: c.Log, pace: refresh.NewPace(c.MinInterval)}
}

// Hint says that a primary may have changed: a failure was seen, or a refusal. Hints are joined, and the sentinels are asked
// at once or as soon as MinInterval allows. It never waits. Any goroutine.
func (w *Watcher) Hint() { w.pace.Hint() }

// Discover asks the sentinels and returns a group for each name. The error says what each of them answered. Before Run; Run
// then publishes what differs from this.
func (w *Watcher) Discover(ctx context.Context) ([]shard.Group, error) {
	if len(w.cfg.Sentinels) == 0 || len(w.cfg.Names) == 0 {
		return nil, errors.New("no sentinels, or no names of masters, are given")
	}
	if _, err := w.refresh(ctx); err != nil {
		return nil, err
	}
	return w.published(), nil
}

// Run follows the primaries until ctx ends and calls publish with the groups whenever they differ from those before, the
// first time unless Discover has returned them. They are those of Config.Names, in that order. publish must not wait long.
func (w *Watcher) Run(ctx context.Context, publish func([]shard.Group)) {
	ears := newEars(ctx, w)
	defer ears.close()
	ears.listen(w.heard)
	wait := time.Duration(0)
	if w.topology() != nil {
		wait = w.pause()
	}
	w.pace.Run(ctx, wait, func() {
		changed, err := w.refresh(ctx)
		if err == nil && changed {
			publish(w.published())
		}
		ears.listen(w.heard)
	}, w.pause)
}

// pause is the time until the next refresh that nobody asks for.
func (w *Watcher) pause() time.Duration {
	t := w.topology()
	settled := t != nil && t.settled() && !w.silent
	switch {
	case settled:
		w.since = time.Time{}
		return w.cfg.Interval
	case w.since.IsZero():
		w.since = time.Now()
	case time.Since(w.since) > haste:
		return w.cfg.Interval
	}
	if t != nil && t.doubtful() {
		return w.cfg.MinInterval
	}
	return max(w.cfg.MinInterval, w.cfg.Interval/hurried)
}

func (w *Watcher) topology() *topology {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.current
}

func (w *Watcher) published() []shard.Group {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.groups
}

// refresh asks the sentinels and takes what they say. changed says whether the groups did.
func (w *Watcher) refresh(ctx context.Context) (changed bool, err error) {
	last := w.topology()
	answers := w.survey(ctx)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	views := distinct(answers)
	if len(views) == 0 {
		err := fmt.Errorf("no sentinel answers: %w", explain(answers))
		w.failed(answers, err)
		return false, err
	}
	t, unknown := decide(w.cfg.Names, views, last, time.Now())
	if len(unknown) > 0 && last == nil {
		err := fmt.Errorf("the sentinels know no master %q; %w", unknown, explain(answers))
		w.failed(answers, err)
		return false, err
	}
	w.verify(ctx, t, last)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	w.tellUnknown(unknown)
	return w.take(t, last, answers), nil
}

// failed keeps what was known. It is logged once, until somebody answers again.
func (w *Watcher) failed(answers []answer, err error) {
	if !w.silent && w.topology() != nil {
		w.log.Warn("sentinels cannot be asked; the last primaries stay", slog.Any("cause", err))
	}
	w.silent = true
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status.Refreshes++
	w.status.Failures++
	w.status.count(answers, 0)
}

// take makes t the current topology and reports whether the groups changed.
func (w *Watcher) take(t, last *topology, answers []answer) bool {
	if w.silent && last != nil {
		w.log.Info("sentinels answer again")
	}
	w.silent = false
	groups := t.published()
	w.mu.Lock()
	w.status.Refreshes++
	w.status.count(answers, t.outvoted)
	w.status.LastGood = time.Now()
	changed := !reflect.DeepEqual(groups, w.groups)
	if changed {
		w.groups = groups
		w.status.Changes++
	}
	w.current = t
	w.mu.Unlock()
	w.tell(last, t)
	return changed
}
