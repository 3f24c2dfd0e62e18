package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"ringmaster/control/admin"
	"ringmaster/control/config"
	"ringmaster/control/memory"
)

// errForced is the end by a second signal.
var errForced = errors.New("stopped at once: a second signal came; clients were cut off")

// oneRequest is how long further signals count as the same request to stop: terminals and
// supervisors often signal a process and then its whole group.
const oneRequest = 500 * time.Millisecond

// adminGrace is how long an answer of the admin server may take once all else has stopped.
const adminGrace = time.Second

// run serves until a signal comes. ready, if given, is called once clients can connect.
func run(cmd *cobra.Command, c *config.Config, start starter, ready ...func(bound)) error {
	log := newLogger(cmd.ErrOrStderr(), c)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	stopOthers := watchOtherSignals(log)
	defer stopOthers()
	p := &process{
		config: c, start: start, log: log, ready: ready, logDropped: logDropped(cmd.ErrOrStderr()),
		signals: signals, oneRequest: oneRequest,
	}
	return p.run()
}

// process is one run from start to stop.
type process struct {
	config  *config.Config
	start   starter
	log     *slog.Logger
	ready   []func(bound)
	signals <-chan os.Signal
	// logDropped counts the log lines that were lost; nil: none is.
	logDropped func() uint64
	// stopping says that a signal to stop has come.
	stopping atomic.Bool
	// oneRequest is the constant of that name; tests make it 0.
	oneRequest time.Duration
}

func (p *process) run() error {
	maxClients, adminMax, err := raiseDescriptors(p.config, p.log)
	if err != nil {
		return err
	}
	ls, err := openAll(p.config)
	if err != nil {
		return err
	}
	addrs := ls.bound()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	upstreams, err := findUpstreams(ctx, p.config, p.log)
	if err != nil {
		ls.close()
		return err
	}
	data, err := p.start(planeConfig(p.config, upstreams, ls.clients, maxClients, p.log))
	if err != nil {
		ls.close()
		return fmt.Errorf("cannot start: %w", err)
	}
	if names := unknownDenied(p.config); len(names) > 0 {
		p.log.Warn("deny-commands names commands that ringmaster does not know: of modules, or mistyped; they are denied where a server has them",
			slog.Any("commands", names))
	}
	stopAdmin := p.serveAdmin(ls, data, upstreams, maxClients, adminMax)
	go memory.Run(ctx)
	for _, u := range upstreams {
		go u.topology.Run(ctx, data.Upstream(u.Name))
	}
	p.tellReady(addrs, upstreams, maxClients)
	for _, f := range p.ready {
		f(addrs)
	}
	err = p.stop(data, <-p.signals)
	if !errors.Is(err, errForced) {
		stopAdmin()
	}
	return err
}

// tellReady logs what is served.
func (p *process) tellReady(addrs bound, upstreams []upstream, maxClients int) {
	attrs := []any{slog.Any("listen", addrs.clients), slog.String("admin", addrs.admin)}
	if len(upstreams) == 1 {
		attrs = append(attrs, slog.Any("servers", upstreams[0].topology.Names()), slog.String("topology", upstreams[0].Topology))
	} else {
		for _, u := range upstreams {
			attrs = append(attrs, slog.Group("upstream "+u.Name, slog.Any("servers", u.topology.Names()), slog.String("topology", u.Topology)))
		}
	}
	p.log.Info("ready", append(attrs, slog.Int("loops", p.config.Loops), slog.Int("max_clients", maxClients), slog.String("version", version()))...)
}

// serveAdmin starts the admin server if there is one, and returns what stops it.
func (p *process) serveAdmin(ls *listeners, data plane, upstreams []upstream, maxClients, adminMax int) (stop func()) {
	if ls.admin == nil {
		return func() {}
	}
	s := admin.New(admin.Config{
		Source:     source{data: data, upstreams: upstreams, dropped: p.logDropped, stopping: &p.stopping},
		Commands:   commandNames(),
		Version:    version(),
		MaxClients: maxClients,
		MaxConns:   adminMax,
		Hosts:      adminHosts(p.config),
		Pprof:      p.config.Pprof,
		Logger:     p.log,
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Serve(ls.admin); err != nil {
			p.log.Error("the admin server ended; metrics are not served any more", slog.Any("cause", err))
		}
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), adminGrace)
		defer cancel()
		_ = s.Shutdown(ctx) // it was told to give up after the grace
		<-done
	}
}

// stop serves on for the shutdown delay, drains the data plane, and gives both up at a second signal.
func (p *process) stop(data plane, sig os.Signal) error {
	first := time.Now()
	p.stopping.Store(true)
	if delay := p.config.ShutdownDelay; delay > 0 {
		p.log.Info("stopping soon: clients are served during the delay, and /readyz answers 503", slog.String("signal", sig.String()),
			slog.Duration("shutdown_delay", delay))
		over := make(chan error)
		time.AfterFunc(delay, func() { close(over) })
		if err := p.await(over, first); err != nil {
			return err
		}
	}
	p.log.Info("stopping: no new clients; finishing what is in flight", slog.String("signal", sig.String()),
		slog.Duration("drain_timeout", p.config.DrainTimeout))
	ctx, cancel := context.WithTimeout(context.Background(), p.config.DrainTimeout)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- data.Shutdown(ctx) }()
	err := p.await(done, first)
	if errors.Is(err, errForced) {
		return err
	}
	return p.stopped(err)
}

// await waits for done, or for another signal that is not the same request to stop as the first.
func (p *process) await(done <-chan error, first time.Time) error {
	for {
		select {
		case <-p.signals:
			if time.Since(first) >= p.oneRequest {
				return errForced
			}
		case err := <-done:
			return err
		}
	}
}

func (p *process) stopped(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		p.log.Warn("stopped; drain-timeout was over before every command was answered, and their clients were closed")
		return nil
	}
	if err != nil {
		return fmt.Errorf("stopping failed: %w", err)
	}
	p.log.Info("stopped")
	return nil
}

// adminHosts are the names by which the admin address may be asked for.
func adminHosts(c *config.Config) []string {
	host, _, _ := net.SplitHostPort(c.Admin)
	return append([]string{strings.ToLower(host)}, c.AdminHosts...)
}
