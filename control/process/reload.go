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
	// loadTimeout bounds the reading of the settings.
	loadTimeout = 10 * time.Second
	// buildTimeout bounds the steps before anything changes, such as finding new servers.
	buildTimeout = 30 * time.Second
	// applyTimeout bounds how long the loops may take to apply a plan.
	applyTimeout = 30 * time.Second
)

// errNoFile is the error of a reload without a file.
var errNoFile = errors.New("there is no file to read again, and flags and the environment can't change while ringmaster runs; " +
	"put the settings into a file, and start ringmaster with --config")

// reload reads the settings again and applies them. The error says why nothing has changed. One goroutine at a time.
// When ctx ends, nothing changes unless the loops have the new settings already.
func (p *process) reload(ctx context.Context) (*admin.Reloaded, error) {
	begun := time.Now()
	m, err := p.merge(ctx)
	switch {
	case err != nil:
	case len(m.Changed) > 0:
		err = p.applySettings(ctx, m)
	default:
		err = p.renewCerts()
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

// list returns names in a form that an encoder writes as a list even if it is empty.
func list(names []string) []string { return append([]string{}, names...) }

// merge reads the settings and compares them with those in force.
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

// errLoad says that reading the settings took too long.
var errLoad = errors.New("the files with settings and passwords can't be read in time; they may be pipes, or on a disk that does not answer")

// load reads the settings. A file that blocks, such as a pipe without a writer, can't hold it up: it gives up, and
// can read again after the blocked reading has ended.
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

// applySettings builds the parts that the settings need, has the loops apply the plan, and ends the parts that are no
// longer needed.
func (p *process) applySettings(ctx context.Context, m *config.Merged) error {
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

// build is a new state while it is made. One of keep and forget must follow: keep puts the opened parts into use, and
// forget closes them.
type build struct {
	*process
	merged  *config.Merged
	old     *state
	next    *state
	handed  []net.Listener    // by listener: its new socket; nil: it keeps its current one
	changes map[string]change // by upstream: the prepared change of its topology
	found   []*upstream       // new ones
	undo    []func()          // what forget calls, the last first
	finish  []func()          // what keep calls
}

// all takes all steps that can fail. It may wait.
func (b *build) all(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, buildTimeout)
	defer cancel()
	for _, step := range []func(context.Context) error{b.readCerts, b.openSockets, b.findServers, b.tryLogins, b.prepare, b.raise} {
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

// plan makes the plan for the data plane.
func (b *build) plan() eventloop.Plan {
	c := b.next.config
	plan := eventloop.Plan{
		MaxClients: b.next.maxClients, MaxOwn: c.PinnedConnections, ClientMemory: c.ClientMemory,
		FarewellTime: farewellTime(c), DrainTimeout: c.DrainTimeout,
		MaxHandshakes: c.MaxHandshakes, HandshakeTimeout: c.HandshakeTimeout,
	}
	for i, l := range c.Listeners {
		plan.Listeners = append(plan.Listeners, listenerConfig(c, l, b.handed[i], b.next.tlsConfig(i)))
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

// forget closes what was opened, and the process goes on unchanged.
func (b *build) forget() {
	for i := len(b.undo) - 1; i >= 0; i-- {
		b.undo[i]()
	}
}

// keep puts the build into use after the loops have applied it, and ends the parts that are no longer needed.
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
