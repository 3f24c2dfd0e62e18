package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"time"

	"ringmaster/control/admin"
	"ringmaster/control/config"
	"ringmaster/eventloop"
)

const (
	// loadTimeout bounds how long the settings may take to be read.
	loadTimeout = 10 * time.Second
	// buildTimeout bounds what is done before anything changes, such as finding new servers.
	buildTimeout = 30 * time.Second
	// applyTimeout bounds how long the loops may take to go by a plan.
	applyTimeout = 30 * time.Second
)

// errNoFile is why nothing is read again without a file.
var errNoFile = errors.New("there is no file to read again, and flags and the environment can't change while ringmaster runs; " +
	"put the settings into a file, and start ringmaster with --config")

// reload reads the settings again and goes by them. The error says why nothing has changed. One goroutine at a time; when ctx ends,
// nothing changes unless the loops go by the new settings already.
func (p *process) reload(ctx context.Context) (*admin.Reloaded, error) {
	begun := time.Now()
	m, err := p.merge(ctx)
	if err == nil && len(m.Changed) > 0 {
		err = p.goBy(ctx, m)
	}
	took := slog.Duration("took", time.Since(begun).Round(time.Microsecond))
	now := p.state.Load()
	if err != nil {
		if ctx.Err() != nil {
			err = admin.ErrStopping
		}
		p.Log.Error("reload refused; nothing has changed", slog.Any("problems", err.Error()),
			slog.Uint64("generation", now.generation), took)
		return nil, err
	}
	attrs := []any{slog.Any("changed", list(m.Changed)), slog.Uint64("generation", now.generation), took}
	if len(m.NeedsRestart) > 0 {
		p.Log.Warn("settings reloaded; those in needs_restart keep their old values until ringmaster is restarted", append(attrs, slog.Any("needs_restart", m.NeedsRestart))...)
	} else {
		p.Log.Info("settings reloaded", attrs...)
	}
	return &admin.Reloaded{Generation: now.generation, Hash: now.digest, Changed: list(m.Changed), NeedsRestart: list(m.NeedsRestart)}, nil
}

// list is names, which an encoder writes as a list though it be empty.
func list(names []string) []string { return append([]string{}, names...) }

// merge reads the settings and says what differs from those in force.
func (p *process) merge(ctx context.Context) (*config.Merged, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if p.Load == nil {
		return nil, errNoFile
	}
	next, err := p.load(ctx)
	if err != nil {
		return nil, err
	}
	return p.state.Load().config.Merge(next), nil
}

// errLoad is why settings are not waited for any longer.
var errLoad = errors.New("the files with settings and passwords can't be read in time; they may be pipes, or on a disk that does not answer")

// load reads the settings. No file can hold it up, such as a pipe that nobody writes to: it gives up then, and reads again when that has
// come to an end.
func (p *process) load(ctx context.Context) (*config.Config, error) {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	select {
	case p.loading <- struct{}{}:
	case <-ctx.Done():
		return nil, errLoad
	}
	var next *config.Config
	var err error
	done := make(chan struct{})
	go func() {
		defer func() {
			if cause := recover(); cause != nil { // of the library that reads YAML
				err = fmt.Errorf("the settings can't be read: %v", cause)
			}
			close(done)
			<-p.loading
		}()
		next, err = p.Load()
	}()
	select {
	case <-done:
		return next, err
	case <-ctx.Done():
		return nil, errLoad
	}
}

// goBy builds what the settings need, has the loops go by it, and ends what is needed no more.
func (p *process) goBy(ctx context.Context, m *config.Merged) error {
	old := p.state.Load()
	b := &build{process: p, merged: m, old: old, next: &state{config: m.Config, digest: m.Config.Digest(), generation: old.generation + 1}}
	if err := b.all(ctx); err != nil {
		b.forget()
		return err
	}
	applying, cancel := context.WithTimeout(context.WithoutCancel(ctx), applyTimeout)
	defer cancel()
	switch err := p.data.Apply(applying, b.plan()); {
	case err == nil:
	case errors.Is(err, context.DeadlineExceeded):
		p.Log.Error("some event loops do not use the new settings yet", slog.Any("cause", err))
	default:
		b.forget()
		return fmt.Errorf("the event loops refuse the settings: %w", err)
	}
	b.keep()
	return nil
}

// build is the new state on its way. What it opens is closed by forget, or goes on by keep: one of them must follow.
type build struct {
	*process
	merged  *config.Merged
	old     *state
	next    *state
	handed  []net.Listener    // by listener: its socket; nil: it keeps the one that it has
	changes map[string]change // by upstream: what its topology has made ready
	found   []*upstream       // new ones
	undo    []func()          // of forget, the last first
	finish  []func()          // of keep
}

// all makes everything that can fail. It may wait.
func (b *build) all(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, buildTimeout)
	defer cancel()
	for _, step := range []func(context.Context) error{b.openSockets, b.findServers, b.tryLogins, b.prepare, b.raise} {
		if err := step(waiting); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// raise makes room for more clients.
func (b *build) raise(context.Context) (err error) {
	b.next.maxClients, _, err = raiseDescriptors(b.next.config, b.Log)
	return err
}

// plan is what the data plane shall go by.
func (b *build) plan() eventloop.Plan {
	c := b.next.config
	plan := eventloop.Plan{
		MaxClients: b.next.maxClients, MaxOwn: c.PinnedConnections, ClientMemory: c.ClientMemory,
		FarewellTime: farewellTime(c), DrainTimeout: c.DrainTimeout,
	}
	for i, l := range c.Listeners {
		plan.Listeners = append(plan.Listeners, listenerConfig(c, l, b.handed[i]))
	}
	for _, u := range b.next.upstreams {
		planned := b.upstreamConfig(u, nil)
		if change := b.changes[u.Name]; change != nil {
			planned.Map = change.Map()
		} else if b.old.upstream(u.Name) == nil {
			planned.Map = u.topology.Initial()
		}
		plan.Upstreams = append(plan.Upstreams, planned)
	}
	return plan
}

// forget closes what was opened: the process goes on as it was.
func (b *build) forget() {
	for i := len(b.undo) - 1; i >= 0; i-- {
		b.undo[i]()
	}
}

// keep goes on with what was built, and ends what is needed no more. The loops go by it already.
func (b *build) keep() {
	for _, f := range b.finish {
		f()
	}
	for _, u := range b.found {
		u.run(b.ctx, b.data.Upstream(u.Name))
	}
	for _, u := range b.old.upstreams {
		if b.next.upstream(u.Name) == nil {
			u.end()
		}
	}
	if b.LogLevel != nil {
		b.LogLevel.Set(b.next.config.LogLevel)
	}
	b.state.Store(b.next)
	if !slices.Equal(b.next.config.UnknownCommands(), b.old.config.UnknownCommands()) {
		b.warnOfUnknownCommands(b.next.config)
	}
}
