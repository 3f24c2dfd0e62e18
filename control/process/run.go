package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"ringmaster/control/admin"
	"ringmaster/control/config"
	"ringmaster/control/memory"
	"ringmaster/internal/respclient"
)

// ErrForced is the error of Run after a second signal.
var ErrForced = errors.New("stopped at once: a second signal came; clients were cut off")

// oneRequest is how long further signals count as the same request to stop, because terminals and supervisors often
// signal a process and then its whole group.
const oneRequest = 500 * time.Millisecond

// adminGrace is how long an answer of the admin server may take after everything else has stopped.
const adminGrace = time.Second

// Options are the parts that a process runs with.
type Options struct {
	// Config has the first settings.
	Config *config.Config
	// Load reads the settings again, for a reload; nil: there is no file to read. One goroutine at a time.
	Load func() (*config.Config, error)
	// Start starts the data plane: [StartPlane], or what a test puts in its place.
	Start Starter
	// Version is the program's version, for the log and the metrics.
	Version string
	// Log gets the lines for operators, from LogLevel on. A reload changes LogLevel; nil: it can't be changed.
	Log      *slog.Logger
	LogLevel *slog.LevelVar
	// LogDropped counts the lost log lines; nil: none are lost.
	LogDropped func() uint64
	// Signals asks the process to stop: the first signal gracefully, another one at once. Reloads asks it to read its
	// settings again.
	Signals, Reloads <-chan os.Signal
	// Ready, unless nil, is called when clients can connect.
	Ready func(Bound)
}

// Run serves until a signal comes. The error is [ErrForced] after a second one.
func Run(o Options) error { return newProcess(o).run() }

// process is one run from start to stop.
type process struct {
	Options
	data Plane
	// ctx ends with the process.
	ctx context.Context
	// state is the state in force.
	state atomic.Pointer[state]
	// reloads reads the settings again.
	reloads *reloads
	// loading has a token while Load is called.
	loading chan struct{}
	// stopping says that a signal to stop has come.
	stopping atomic.Bool
	// oneRequest is the constant of that name; tests make it 0.
	oneRequest time.Duration
	// find finds the servers of an upstream, and login tries a login; tests replace both.
	find  finder
	login func(ctx context.Context, addr string, o respclient.Options) error
}

func newProcess(o Options) *process {
	return &process{Options: o, oneRequest: oneRequest, reloads: newReloads(), loading: make(chan struct{}, 1), find: findTopology, login: login}
}

func (p *process) run() error {
	var cancel context.CancelFunc
	p.ctx, cancel = context.WithCancel(context.Background())
	defer cancel()
	maxClients, adminMax, err := raiseDescriptors(p.Config, p.Log)
	if err != nil {
		return err
	}
	ls, err := openAll(p.Config)
	if err != nil {
		return err
	}
	addrs := ls.bound()
	begin := &state{config: p.Config, digest: p.Config.Digest(), generation: 1, sockets: ls.clients, maxClients: maxClients}
	if begin.tls, err = p.secure(p.Config); err != nil {
		ls.close()
		return err
	}
	if begin.upstreams, err = findUpstreams(p.ctx, p.Config, p.Log, p.find); err != nil {
		ls.close()
		return err
	}
	if p.data, err = p.Start(p.planeConfig(begin)); err != nil {
		ls.close()
		return fmt.Errorf("cannot start: %w", err)
	}
	p.state.Store(begin)
	p.warnOfUnknownCommands(p.Config)
	stopAdmin := p.serveAdmin(ls, adminMax)
	go memory.Run(p.ctx)
	go p.watchCerts(p.ctx)
	for _, u := range begin.upstreams {
		u.run(p.ctx, p.data.Upstream(u.Name))
	}
	p.reloads.start(p.reload)
	p.tellListening(addrs, begin)
	go p.logReached(p.ctx)
	if p.Ready != nil {
		p.Ready(addrs)
	}
	err = p.stop(p.serve())
	if !errors.Is(err, ErrForced) {
		stopAdmin()
	}
	return err
}

// serve waits for the signal to stop, and handles those to reload.
func (p *process) serve() os.Signal {
	for {
		select {
		case sig := <-p.Signals:
			return sig
		case <-p.Reloads:
			p.reloads.ask()
		}
	}
}

func (p *process) warnOfUnknownCommands(c *config.Config) {
	if names := c.UnknownCommands(); len(names) > 0 {
		p.Log.Warn("deny-commands has names that ringmaster does not know; they may be mistyped, or be commands of modules, which are denied on servers that have them",
			slog.Any("commands", names))
	}
}

// tellListening logs the addresses that are served.
func (p *process) tellListening(addrs Bound, s *state) {
	attrs := []any{slog.Any("listen", addrs.Clients), slog.String("admin", addrs.Admin)}
	if len(s.upstreams) == 1 {
		attrs = append(attrs, slog.Any("servers", s.upstreams[0].topology.Names()), slog.String("topology", s.upstreams[0].Topology))
	} else {
		for _, u := range s.upstreams {
			attrs = append(attrs, slog.Group("upstream "+u.Name, slog.Any("servers", u.topology.Names()), slog.String("topology", u.Topology)))
		}
	}
	p.Log.Info("listening", append(attrs, slog.Int("loops", s.config.Loops), slog.Int("max_clients", s.maxClients), slog.String("version", p.Version))...)
}

// serveAdmin starts the admin server if there is one, and returns what stops it.
func (p *process) serveAdmin(ls *listeners, adminMax int) (stop func()) {
	if ls.admin == nil {
		return func() {}
	}
	s := admin.New(admin.Config{
		Source: source{p}, Commands: commandNames(), Version: p.Version, MaxConns: adminMax, Pprof: p.Config.Pprof, Logger: p.Log,
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Serve(ls.admin); err != nil {
			p.Log.Error("the admin server ended; metrics are no longer served", slog.Any("cause", err))
		}
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), adminGrace)
		defer cancel()
		_ = s.Shutdown(ctx) // the error only says that the grace is over
		<-done
	}
}

// stop lets a reload end, serves on for the shutdown delay, and drains the data plane. It gives up at a second
// signal.
func (p *process) stop(sig os.Signal) error {
	first := time.Now()
	p.stopping.Store(true)
	if err := p.await(p.reloads.stop(), first); err != nil {
		return err
	}
	c := p.state.Load().config
	if delay := c.ShutdownDelay; delay > 0 {
		p.Log.Info("stopping after the delay; until then clients are served, and /readyz answers 503", slog.String("signal", sig.String()),
			slog.Duration("shutdown_delay", delay))
		over := make(chan error)
		time.AfterFunc(delay, func() { close(over) })
		if err := p.await(over, first); err != nil {
			return err
		}
	}
	p.Log.Info("stopping; new clients are refused, and commands in flight may finish", slog.String("signal", sig.String()),
		slog.Duration("drain_timeout", c.DrainTimeout))
	ctx, cancel := context.WithTimeout(context.Background(), c.DrainTimeout)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- p.data.Shutdown(ctx) }()
	err := p.await(done, first)
	if errors.Is(err, ErrForced) {
		return err
	}
	return p.stopped(err)
}

// await waits for done, or for a signal that is a second request to stop.
func (p *process) await(done <-chan error, first time.Time) error {
	for {
		select {
		case <-p.Signals:
			if time.Since(first) >= p.oneRequest {
				return ErrForced
			}
		case <-p.Reloads:
			p.Log.Warn("reload refused; nothing has changed", slog.Any("cause", admin.ErrStopping))
		case err := <-done:
			return err
		}
	}
}

func (p *process) stopped(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		p.Log.Warn("stopped; drain-timeout ended before all commands were answered, so their clients were closed")
		return nil
	}
	if err != nil {
		return fmt.Errorf("stopping failed: %w", err)
	}
	p.Log.Info("stopped")
	return nil
}
