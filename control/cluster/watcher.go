package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"ringmaster/internal/refresh"
	"ringmaster/shard"
)

const (
	defaultInterval    = 5 * time.Second
	defaultMinInterval = 100 * time.Millisecond
	defaultTimeout     = time.Second
	defaultNodes       = 5

	// hurried divides Interval while a slot has no working primary, because only asking shows that a replica was
	// promoted.
	hurried = 20
	// memory is how long the previous result stands against views that say ok. Nodes say ok wrongly for a node
	// timeout at most, 15 s by default.
	memory = time.Minute
	// quiet is the time between log lines about moving slots, so that a resharding takes only a few lines.
	quiet = 5 * time.Second
)

// Config says which cluster is followed and how closely. Only Seeds is required.
type Config struct {
	// Seeds are the first nodes to be asked, HOST:PORT. They are asked again if the known nodes are silent. Hostnames
	// are resolved each time.
	Seeds []string
	// Username and Password log in to the nodes. Without a password there is no login.
	Username, Password string
	// Interval is the time between refreshes without a hint. A shorter one finds new replicas sooner and costs the
	// nodes more. 0 is 5 s.
	Interval time.Duration
	// MinInterval is the least time between the starts of two refreshes. 0 is 100 ms.
	MinInterval time.Duration
	// Timeout is the time in which one node must answer, including the dial. 0 is 1 s.
	Timeout time.Duration
	// Nodes is how many nodes a refresh asks, primaries first. 0 is 5.
	Nodes int
	// Log gets the lines for operators. Nil is slog.Default().
	Log *slog.Logger
}

// Watcher follows one cluster.
type Watcher struct {
	mu  sync.Mutex
	cfg Config // under mu

	log      *slog.Logger
	follower *refresh.Follower[topology, *view]

	// Only the goroutine that refreshes uses these; Discover and Run do not overlap.
	rotation int       // where in the list of primaries the next refresh begins
	logged   *topology // that the log describes
	unlogged bool      // the groups have changed since logged
	loggedAt time.Time
	against  time.Time // when the previous result began to stand against the views; zero: it does not
}

// New prepares a watcher. It asks no node yet.
func New(c Config) *Watcher {
	c.Interval = cmp.Or(max(c.Interval, 0), defaultInterval)
	c.MinInterval = cmp.Or(max(c.MinInterval, 0), defaultMinInterval)
	c.Timeout = timeout(c.Timeout)
	c.Nodes = cmp.Or(max(c.Nodes, 0), defaultNodes)
	c.Log = cmp.Or(c.Log, slog.Default())
	w := &Watcher{cfg: c, log: c.Log}
	w.follower = refresh.NewFollower(refresh.Subject[topology, *view]{
		Find: w.find, Groups: (*topology).published, Pause: w.pause, Tell: w.tell, Least: c.MinInterval, Log: c.Log,
		Silent: "cluster does not answer; its last map stays in use", Heard: "cluster answers again",
	})
	return w
}

func timeout(d time.Duration) time.Duration { return cmp.Or(max(d, 0), defaultTimeout) }

// Configure takes the Seeds, the login and the Timeout of c, from the next question on. It ignores the other fields
// of c. Everything known stays, so other seeds do not lead to another cluster. Any goroutine.
func (w *Watcher) Configure(c Config) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cfg.Seeds, w.cfg.Username, w.cfg.Password, w.cfg.Timeout = c.Seeds, c.Username, c.Password, timeout(c.Timeout)
}

// config returns the current settings.
func (w *Watcher) config() Config {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cfg
}

// Hint says that the map may be out of date, because of a redirect, an unknown node or a failure. Hints are joined.
// The nodes are asked at once, or as soon as MinInterval allows. It never waits. Any goroutine.
func (w *Watcher) Hint() { w.follower.Hint() }

// Discover asks the seeds, and nodes that they name, and returns the groups. The error says what each one answered.
// Call it before Run, which then publishes only what differs from this.
func (w *Watcher) Discover(ctx context.Context) ([]shard.Group, error) {
	if len(w.config().Seeds) == 0 {
		return nil, errors.New("no nodes of a cluster are named")
	}
	return w.follower.Discover(ctx)
}

// Run follows the cluster until ctx ends. It calls publish with the groups whenever they differ from the previous
// ones. The first time it does so too, unless Discover has returned them. A group whose primary belonged to an
// earlier group has that group's place. publish must not wait long.
func (w *Watcher) Run(ctx context.Context, publish func([]shard.Group)) {
	w.follower.Run(ctx, publish, nil)
}

// pause returns the time until the next refresh without a hint.
func (w *Watcher) pause(t *topology, silent bool) time.Duration {
	c := w.config()
	if t != nil && t.settled() && !silent {
		return c.Interval
	}
	return max(c.MinInterval, c.Interval/hurried)
}

// find asks the nodes and decides between their views.
func (w *Watcher) find(ctx context.Context, last *topology) (r refresh.Round[topology, *view], err error) {
	r.Answers = w.survey(ctx, w.known(last))
	if ctx.Err() != nil {
		return r, ctx.Err()
	}
	now := time.Now()
	trusted := w.against.IsZero() || now.Sub(w.against) < memory
	t, ignored := merge(distinct(r.Answers), last, trusted)
	r.Outvoted = len(ignored)
	if t == nil || len(t.groups) == 0 {
		return r, fmt.Errorf("no node describes the cluster: %w", explain(r.Answers))
	}
	if !t.remembered {
		w.against = time.Time{}
	} else if w.against.IsZero() {
		w.against = now
	}
	r.Found = t
	return r, nil
}

// tell logs the changes. It logs moves of slots between primaries only every few seconds.
func (w *Watcher) tell(_, t *topology, changed bool) {
	now := time.Now()
	if w.logged == nil {
		w.log.Info("cluster discovered", slog.Int("primaries", len(t.groups)), slog.Int("replicas", len(t.replicas())),
			slog.Int("slots", t.covered))
		w.logged, w.loggedAt = t, now
		return
	}
	if w.unlogged = w.unlogged || changed; !w.unlogged {
		w.logged = t
		return
	}
	lines := changes(w.logged, t)
	if now.Sub(w.loggedAt) < quiet && !slices.ContainsFunc(lines, func(c change) bool { return !c.moving }) {
		return
	}
	for _, c := range lines {
		w.log.Log(context.Background(), c.level, "cluster: "+c.text)
	}
	w.logged, w.loggedAt, w.unlogged = t, now, false
}

// known returns nodes to ask, in this order: primaries, beginning at another one each time, then replicas, then
// failing primaries.
func (w *Watcher) known(t *topology) []string {
	if t == nil {
		return nil
	}
	var primaries, replicas, failing []string
	for _, g := range t.groups {
		if g.primary.failing {
			failing = append(failing, g.primary.addr)
		} else {
			primaries = append(primaries, g.primary.addr)
		}
		for _, r := range g.replicas {
			replicas = append(replicas, r.addr)
		}
	}
	w.rotation += w.config().Nodes
	return slices.Concat(rotated(primaries, w.rotation), rotated(replicas, w.rotation), failing)
}

// rotated returns list rotated by a number of places.
func rotated(list []string, by int) []string {
	if len(list) == 0 {
		return nil
	}
	by %= len(list)
	return slices.Concat(list[by:], list[:by])
}
