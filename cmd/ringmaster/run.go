package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
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
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	p := &process{
		config: c, start: start, log: newLogger(cmd.ErrOrStderr(), c), ready: ready,
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
	// oneRequest is the constant of that name; tests make it 0.
	oneRequest time.Duration
}

func (p *process) run() error {
	maxClients, err := raiseDescriptors(p.config, p.log)
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
	top, err := newTopology(ctx, p.config, p.log)
	if err != nil {
		ls.close()
		return err
	}
	data, err := p.start(planeConfig(p.config, top, ls.clients, maxClients, p.log))
	if err != nil {
		ls.close()
		return fmt.Errorf("cannot start: %w", err)
	}
	if names := p.config.UnknownDenied(); len(names) > 0 {
		p.log.Warn("deny-commands names commands that ringmaster does not know: of modules, or mistyped; they are denied where a server has them",
			slog.Any("commands", names))
	}
	stopAdmin := p.serveAdmin(ls, data, top, maxClients)
	go memory.Run(ctx)
	go top.run(ctx, data)
	p.log.Info("ready", slog.Any("listen", addrs.clients), slog.String("admin", addrs.admin), slog.Any("servers", top.names()),
		slog.String("topology", p.config.Topology), slog.Int("loops", p.config.Loops), slog.Int("max_clients", maxClients),
		slog.String("version", version()))
	for _, f := range p.ready {
		f(addrs)
	}
	err = p.stop(data, <-p.signals)
	if !errors.Is(err, errForced) {
		stopAdmin()
	}
	return err
}

// serveAdmin starts the admin server if there is one, and returns what stops it.
func (p *process) serveAdmin(ls *listeners, data plane, top *topology, maxClients int) (stop func()) {
	if ls.admin == nil {
		return func() {}
	}
	s := admin.New(admin.Config{
		Source:     data,
		Commands:   commandNames(),
		Servers:    top.names,
		Replicas:   top.replicaStats,
		Topology:   top.describe,
		Discovery:  top.counted,
		Version:    version(),
		MaxClients: maxClients,
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

// stop drains the data plane, or gives up at a second signal.
func (p *process) stop(data plane, sig os.Signal) error {
	p.log.Info("stopping: no new clients; finishing what is in flight", slog.String("signal", sig.String()),
		slog.Duration("drain_timeout", p.config.DrainTimeout))
	ctx, cancel := context.WithTimeout(context.Background(), p.config.DrainTimeout)
	defer cancel()
	done, first := make(chan error, 1), time.Now()
	go func() { done <- data.Shutdown(ctx) }()
	for {
		select {
		case <-p.signals:
			if time.Since(first) >= p.oneRequest {
				return errForced
			}
		case err := <-done:
			return p.stopped(err)
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
