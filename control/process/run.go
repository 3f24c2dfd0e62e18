package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"ringmaster/control/admin"
	"ringmaster/control/config"
	"ringmaster/control/memory"
)

// ErrForced is the end by a second signal.
var ErrForced = errors.New("stopped at once: a second signal came; clients were cut off")

// oneRequest is how long further signals count as the same request to stop: terminals and
// supervisors often signal a process and then its whole group.
const oneRequest = 500 * time.Millisecond

// adminGrace is how long an answer of the admin server may take once all else has stopped.
const adminGrace = time.Second

// Options is what a process runs with.
type Options struct {
	// Config is the settings to begin with.
	Config *config.Config
	// Start starts the data plane: [StartPlane], or what a test puts in its place.
	Start Starter
	// Version is the program's version, for the log and the metrics.
	Version string
	// Log takes what operators should read.
	Log *slog.Logger
	// LogDropped counts the log lines that were lost; nil: none is.
	LogDropped func() uint64
	// Signals asks the process to stop: the first gently, another one at once.
	Signals <-chan os.Signal
	// Ready, unless nil, is called once clients can connect.
	Ready func(Bound)
}

// Run serves until a signal comes. The error is [ErrForced] after a second one.
func Run(o Options) error {
	p := &process{Options: o, oneRequest: oneRequest}
	return p.run()
}

// process is one run from start to stop.
type process struct {
	Options
	// stopping says that a signal to stop has come.
	stopping atomic.Bool
	// oneRequest is the constant of that name; tests make it 0.
	oneRequest time.Duration
}

func (p *process) run() error {
	maxClients, adminMax, err := raiseDescriptors(p.Config, p.Log)
	if err != nil {
		return err
	}
	ls, err := openAll(p.Config)
	if err != nil {
		return err
	}
	addrs := ls.bound()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	upstreams, err := findUpstreams(ctx, p.Config, p.Log)
	if err != nil {
		ls.close()
		return err
	}
	data, err := p.Start(planeConfig(p.Config, upstreams, ls.clients, maxClients, p.Log))
	if err != nil {
		ls.close()
		return fmt.Errorf("cannot start: %w", err)
	}
	if names := p.Config.UnknownCommands(); len(names) > 0 {
		p.Log.Warn("deny-commands names commands that ringmaster does not know: of modules, or mistyped; they are denied where a server has them",
			slog.Any("commands", names))
	}
	stopAdmin := p.serveAdmin(ls, data, upstreams, maxClients, adminMax)
	go memory.Run(ctx)
	for i, u := range upstreams {
		go u.topology.Run(ctx, data.Upstream(i))
	}
	p.tellReady(addrs, upstreams, maxClients)
	if p.Ready != nil {
		p.Ready(addrs)
	}
	err = p.stop(data, <-p.Signals)
	if !errors.Is(err, ErrForced) {
		stopAdmin()
	}
	return err
}

// tellReady logs what is served.
func (p *process) tellReady(addrs Bound, upstreams []upstream, maxClients int) {
	attrs := []any{slog.Any("listen", addrs.Clients), slog.String("admin", addrs.Admin)}
	if len(upstreams) == 1 {
		attrs = append(attrs, slog.Any("servers", upstreams[0].topology.Names()), slog.String("topology", upstreams[0].Topology))
	} else {
		for _, u := range upstreams {
			attrs = append(attrs, slog.Group("upstream "+u.Name, slog.Any("servers", u.topology.Names()), slog.String("topology", u.Topology)))
		}
	}
	p.Log.Info("ready", append(attrs, slog.Int("loops", p.Config.Loops), slog.Int("max_clients", maxClients), slog.String("version", p.Version))...)
}

// serveAdmin starts the admin server if there is one, and returns what stops it.
func (p *process) serveAdmin(ls *listeners, data Plane, upstreams []upstream, maxClients, adminMax int) (stop func()) {
	if ls.admin == nil {
		return func() {}
	}
	s := admin.New(admin.Config{
		Source:     source{data: data, upstreams: upstreams, dropped: p.LogDropped, stopping: &p.stopping},
		Commands:   commandNames(),
		Version:    p.Version,
		MaxClients: maxClients,
		MaxConns:   adminMax,
		Hosts:      adminHosts(p.Config),
		Pprof:      p.Config.Pprof,
		Logger:     p.Log,
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Serve(ls.admin); err != nil {
			p.Log.Error("the admin server ended; metrics are not served any more", slog.Any("cause", err))
		}
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), adminGrace)
		defer cancel()
		_ = s.Shutdown(ctx) // it was told to give up after the grace
		<-done
	}
}

// stop serves on for the shutdown delay, drains the data Plane, and gives both up at a second signal.
func (p *process) stop(data Plane, sig os.Signal) error {
	first := time.Now()
	p.stopping.Store(true)
	if delay := p.Config.ShutdownDelay; delay > 0 {
		p.Log.Info("stopping soon: clients are served during the delay, and /readyz answers 503", slog.String("signal", sig.String()),
			slog.Duration("shutdown_delay", delay))
		over := make(chan error)
		time.AfterFunc(delay, func() { close(over) })
		if err := p.await(over, first); err != nil {
			return err
		}
	}
	p.Log.Info("stopping: no new clients; finishing what is in flight", slog.String("signal", sig.String()),
		slog.Duration("drain_timeout", p.Config.DrainTimeout))
	ctx, cancel := context.WithTimeout(context.Background(), p.Config.DrainTimeout)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- data.Shutdown(ctx) }()
	err := p.await(done, first)
	if errors.Is(err, ErrForced) {
		return err
	}
	return p.stopped(err)
}

// await waits for done, or for another signal that is not the same request to stop as the first.
func (p *process) await(done <-chan error, first time.Time) error {
	for {
		select {
		case <-p.Signals:
			if time.Since(first) >= p.oneRequest {
				return ErrForced
			}
		case err := <-done:
			return err
		}
	}
}

func (p *process) stopped(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		p.Log.Warn("stopped; drain-timeout was over before every command was answered, and their clients were closed")
		return nil
	}
	if err != nil {
		return fmt.Errorf("stopping failed: %w", err)
	}
	p.Log.Info("stopped")
	return nil
}

// adminHosts are the names by which the admin address may be asked for.
func adminHosts(c *config.Config) []string {
	host, _, _ := net.SplitHostPort(c.Admin)
	return append([]string{strings.ToLower(host)}, c.AdminHosts...)
}
