package replicas

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"ringmaster/internal/respclient"
	"ringmaster/pool"
	"ringmaster/shard"
)

const (
	// slowest and fastest bound the time between two rounds, which otherwise is a quarter of MaxLag.
	slowest = time.Second
	fastest = 50 * time.Millisecond
	// beyond is how much longer than MaxLag the samples of a primary's offset are kept, so that the lag of slower
	// replicas is known too.
	beyond = 10 * time.Second
)

// Config says how replicas are watched.
type Config struct {
	// MaxLag is the largest lag with which a replica is read from; 0 is no bound.
	MaxLag time.Duration
	// Interval is the time between two rounds; 0 is a quarter of MaxLag, at most a second.
	Interval time.Duration
	// Username and Password log in to the servers. Without a password there is no login.
	Username, Password string
	// Timeout is the time in which a server must answer, including the dial.
	Timeout time.Duration
	// Zone is the proxy's own zone; empty: unknown. Zones are the servers' zones, by address or name. A server that
	// is not listed may report its own.
	Zone  string
	Zones map[string]string
	// Discover asks primaries without replicas for theirs.
	Discover bool
	// Log gets the lines for operators. Nil is slog.Default().
	Log *slog.Logger
}

// Watcher watches the replication of some servers.
type Watcher struct {
	log     *slog.Logger
	changed chan struct{} // gets a token when something may have changed
	hinted  chan struct{}

	mu     sync.Mutex
	cfg    Config
	groups []*group
	ended  []*group // to be stopped
}

// New prepares a watcher. It asks no server yet.
func New(c Config) *Watcher {
	c.pace()
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return &Watcher{cfg: c, log: c.Log, changed: make(chan struct{}, 1), hinted: make(chan struct{}, 1)}
}

// pace sets the interval where none is given.
func (c *Config) pace() {
	if c.Interval <= 0 {
		c.Interval = slowest
		if c.MaxLag > 0 {
			c.Interval = min(max(c.MaxLag/4, fastest), slowest)
		}
	}
}

// keep returns how long samples are kept.
func (c *Config) keep() time.Duration { return c.MaxLag + beyond }

// options returns the options for a connection to a server.
func (c *Config) options() respclient.Options {
	return respclient.Options{Username: c.Username, Password: c.Password, Timeout: c.Timeout}
}

// Configure takes c from the next question on, without its Discover and Log. Everything known stays. A connection is
// made again if the user or the timeout has changed, or if the password has changed after a refusal. Any goroutine.
func (w *Watcher) Configure(c Config) {
	c.pace()
	w.mu.Lock()
	c.Discover, c.Log = w.cfg.Discover, w.cfg.Log
	w.cfg = c
	w.mu.Unlock()
	w.wake() // zones count at once
	w.Hint()
}

// config returns the current settings.
func (w *Watcher) config() Config {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cfg
}

// Follow switches to new groups. Primaries with the same address keep their state. Any goroutine.
func (w *Watcher) Follow(groups []shard.Group) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.groups
	w.groups = nil
	for _, g := range groups {
		var one *group
		if i := slices.IndexFunc(before, func(o *group) bool { return shard.SameAddr(o.primary.server.Addr, g.Primary.Addr) }); i >= 0 {
			one = before[i]
			one.primary.server = g.Primary
			before = slices.Delete(before, i, i+1)
		} else {
			one = w.newGroup(g)
		}
		one.setReplicas(g.Replicas)
		w.groups = append(w.groups, one)
	}
	w.ended = append(w.ended, before...)
	w.wake()
}

// Ask asks every server once. It returns when all have answered or timed out, or ctx has ended. Call it before Run.
func (w *Watcher) Ask(ctx context.Context) {
	var wg sync.WaitGroup
	for _, g := range w.current() {
		wg.Go(func() { g.round(ctx, time.Hour) }) // in effect without limit
	}
	wg.Wait()
}

// Run watches until ctx ends. It calls publish at once, whenever the health has changed, and when it is confirmed
// after a Hint. It calls look at first, after a Hint, and whenever the replicas in Groups may have changed. Neither
// may wait long.
func (w *Watcher) Run(ctx context.Context, publish func(pool.Health), look func()) {
	var wg sync.WaitGroup
	defer wg.Wait()
	var health pool.Health
	var hinted time.Time
	for {
		w.restart(ctx, &wg)
		look()
		if now := w.Health(); health == nil || !maps.EqualFunc(now, health, same) || time.Since(hinted) < w.confirmed() {
			health = now
			publish(health)
		}
		select {
		case <-ctx.Done():
			return
		case <-w.changed:
		case <-w.hinted:
			hinted = time.Now()
			w.hurry()
		}
	}
}

// same reports whether two findings are equal except for their age.
func same(a, b pool.ServerHealth) bool {
	a.At, b.At, a.Heard, b.Heard = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	return a == b
}

// confirmed returns how long after a Hint every server that answers has answered.
func (w *Watcher) confirmed() time.Duration {
	c := w.config()
	return 2*c.Interval + c.Timeout
}

// restart starts new groups and stops removed ones.
func (w *Watcher) restart(ctx context.Context, wg *sync.WaitGroup) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, g := range w.ended {
		if g.cancel != nil {
			g.cancel()
		} else {
			wg.Go(g.close) // Ask has connected to it
		}
	}
	w.ended = nil
	for _, g := range w.groups {
		if g.cancel == nil {
			var one context.Context
			one, g.cancel = context.WithCancel(ctx)
			wg.Go(func() { g.run(one) })
		}
	}
}

// wake wakes Run.
func (w *Watcher) wake() { signal(w.changed) }

// Hint says that a server may have been lost or have come back. All servers are asked soon. It never waits. Any
// goroutine.
func (w *Watcher) Hint() { signal(w.hinted) }

// hurry makes every group ask its servers soon.
func (w *Watcher) hurry() {
	for _, g := range w.current() {
		signal(g.hints)
	}
}

// signal leaves a token in c, which has room for one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (w *Watcher) current() []*group {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.groups)
}

// Groups returns the current groups with their replicas, given or found. Any goroutine.
func (w *Watcher) Groups() []shard.Group {
	w.mu.Lock()
	defer w.mu.Unlock()
	var groups []shard.Group
	for _, g := range w.groups {
		one := shard.Group{Primary: g.primary.server}
		for _, r := range g.replicas {
			one.Replicas = append(one.Replicas, r.server)
		}
		groups = append(groups, one)
	}
	return groups
}

// Health returns what is known now, for the data plane. Any goroutine.
func (w *Watcher) Health() pool.Health {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := pool.Health{}
	for _, g := range w.groups {
		for _, r := range g.replicas {
			h[r.server.Addr] = pool.ServerHealth{Reads: r.verdict.reads, Near: w.near(r), At: r.asked, Heard: r.heard}
		}
	}
	for _, g := range w.groups { // a primary that another one lists as its replica is a primary
		h[g.primary.server.Addr] = pool.ServerHealth{Silent: g.silent, Near: w.near(g.primary), At: g.primary.asked, Heard: g.primary.heard}
	}
	return h
}

func (w *Watcher) near(p *peer) bool { return w.cfg.Zone != "" && w.zone(p) == w.cfg.Zone }

// zone returns a server's zone, "" if unknown.
func (w *Watcher) zone(p *peer) string {
	for _, key := range []string{p.server.Addr, p.server.Name} {
		if z := w.cfg.Zones[key]; z != "" {
			return z
		}
	}
	return p.zone
}
