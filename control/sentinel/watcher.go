package sentinel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"ringmaster/internal/refresh"
	"ringmaster/shard"
)

const (
	defaultInterval    = 2 * time.Second
	defaultMinInterval = 50 * time.Millisecond
	defaultTimeout     = time.Second
	defaultNodes       = 5

	// hurried divides Interval while a primary is down, because the sentinels' messages may be lost.
	hurried = 8
	// haste is how long refreshes are hurried for a primary that stays down.
	haste = time.Minute
	// memory is how long the previous result stands against claims with lower epochs.
	memory = time.Minute
)

// Config says which primaries are followed and how closely. Sentinels and Names are required.
type Config struct {
	// Sentinels are the first to be asked, HOST:PORT. They name others. Hostnames are resolved each time.
	Sentinels []string
	// Names are the names of the masters to follow, in the order in which they are published.
	Names []string
	// Username and Password log in to the sentinels. Without a password there is no login.
	Username, Password string
	// ServerUsername and ServerPassword log in to the servers, which are asked for their role.
	ServerUsername, ServerPassword string
	// Interval is the time between refreshes without a hint. 0 is 2 s.
	Interval time.Duration
	// MinInterval is the least time between the starts of two refreshes. 0 is 50 ms.
	MinInterval time.Duration
	// Timeout is the time in which one sentinel or server must answer, including the dial. 0 is 1 s.
	Timeout time.Duration
	// Nodes is how many sentinels a refresh asks. 0 is 5.
	Nodes int
	// Log gets the lines for operators. Nil is slog.Default().
	Log *slog.Logger
}

// Watcher follows the primaries of some names.
type Watcher struct {
	mu  sync.Mutex
	cfg Config // under mu

	log      *slog.Logger
	follower *refresh.Follower[topology, *view]

	// Only the goroutine that refreshes uses these; Discover and Run do not overlap.
	peers     []peer    // sentinels that others have named
	answering []string  // sentinels that answered the last refresh
	since     time.Time // when the topology became unsettled; zero: it is settled
	forgotten string    // names that no sentinel knew at the last refresh

	subscribed atomic.Int64 // open subscriptions
}

// New prepares a watcher. It asks no sentinel yet.
func New(c Config) *Watcher {
	c.Interval = cmp.Or(max(c.Interval, 0), defaultInterval)
	c.MinInterval = cmp.Or(max(c.MinInterval, 0), defaultMinInterval)
	c.Timeout = timeout(c.Timeout)
	c.Nodes = cmp.Or(max(c.Nodes, 0), defaultNodes)
	c.Log = cmp.Or(c.Log, slog.Default())
	w := &Watcher{cfg: c, log: c.Log}
	w.follower = refresh.NewFollower(refresh.Subject[topology, *view]{
		Find: w.find, Groups: (*topology).published, Pause: w.pause, Tell: w.tell, Least: c.MinInterval, Log: c.Log,
		Silent: "sentinels do not answer; the last known primaries stay", Heard: "sentinels answer again",
	})
	return w
}

func timeout(d time.Duration) time.Duration { return cmp.Or(max(d, 0), defaultTimeout) }

// Configure takes the Sentinels, the logins and the Timeout of c, from the next question on. It ignores the other
// fields of c. Everything known stays, including the sentinels that others have named. If the user has changed,
// subscriptions are made again after the next refresh. Any goroutine.
func (w *Watcher) Configure(c Config) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cfg.Sentinels, w.cfg.Username, w.cfg.Password, w.cfg.Timeout = c.Sentinels, c.Username, c.Password, timeout(c.Timeout)
	w.cfg.ServerUsername, w.cfg.ServerPassword = c.ServerUsername, c.ServerPassword
}

// config returns the current settings.
func (w *Watcher) config() Config {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cfg
}

// Hint says that a primary may have changed, because of a failure or a refusal. Hints are joined. The sentinels are
// asked at once, or as soon as MinInterval allows. It never waits. Any goroutine.
func (w *Watcher) Hint() { w.follower.Hint() }

// Discover asks the sentinels and returns a group for each name. The error says what each sentinel answered. Call it
// before Run, which then publishes only what differs from this.
func (w *Watcher) Discover(ctx context.Context) ([]shard.Group, error) {
	if c := w.config(); len(c.Sentinels) == 0 || len(c.Names) == 0 {
		return nil, errors.New("no sentinels, or no masters' names, are given")
	}
	return w.follower.Discover(ctx)
}

// Run follows the primaries until ctx ends. It calls publish with the groups of Config.Names, in that order, whenever
// they differ from the previous ones. The first time it does so too, unless Discover has returned them. publish must
// not wait long.
func (w *Watcher) Run(ctx context.Context, publish func([]shard.Group)) {
	listeners := newListeners(ctx, w)
	defer listeners.close()
	listeners.listen(w.answering)
	w.follower.Run(ctx, publish, func() { listeners.listen(w.answering) })
}

// pause returns the time until the next refresh without a hint.
func (w *Watcher) pause(t *topology, silent bool) time.Duration {
	settled, c := t != nil && t.settled() && !silent, w.config()
	switch {
	case settled:
		w.since = time.Time{}
		return c.Interval
	case w.since.IsZero():
		w.since = time.Now()
	case time.Since(w.since) > haste:
		return c.Interval
	}
	if t != nil && t.doubtful() {
		return c.MinInterval
	}
	return max(c.MinInterval, c.Interval/hurried)
}

// find asks the sentinels, decides between their views, and asks new primaries for their role.
func (w *Watcher) find(ctx context.Context, last *topology) (r refresh.Round[topology, *view], err error) {
	r.Answers = w.survey(ctx)
	if ctx.Err() != nil {
		return r, ctx.Err()
	}
	views := distinct(r.Answers)
	if len(views) == 0 {
		return r, fmt.Errorf("no sentinel answers: %w", explain(r.Answers))
	}
	t, unknown := decide(w.config().Names, views, last, time.Now())
	if len(unknown) > 0 && last == nil {
		return r, fmt.Errorf("the sentinels know no master %q; %w", unknown, explain(r.Answers))
	}
	w.verify(ctx, t, last)
	if ctx.Err() != nil {
		return r, ctx.Err()
	}
	w.tellUnknown(unknown)
	r.Found, r.Outvoted = t, t.outvoted
	return r, nil
}
