package eventloop

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"
	"github.com/panjf2000/gnet/v2/pkg/logging"

	"ringmaster/pool"
	"ringmaster/stats"
)

// readBuffer is each loop's read buffer. It must exceed what a socket can hold (receiveBuffer, which the kernel
// doubles), so that one read drains a socket and edge-triggered polling is fair.
const (
	readBuffer    = 1 << 20
	receiveBuffer = 128 << 10
)

// Server is the running data plane. Any goroutine.
type Server struct {
	cfg      Config
	log      *slog.Logger
	client   *gnet.Client
	loops    []*loop
	started  time.Time
	ctx      context.Context // ends when dials must stop
	cancel   context.CancelFunc
	tasks    sync.WaitGroup // accepting, dialling, ticking, last bytes of half-closed clients
	stopping atomic.Bool

	changes    sync.Mutex  // held to post to all loops in one order, and for the next three fields
	acceptors  []*acceptor // in the order of the settings
	upstreams  []*shared   // those of the settings
	maxClients atomic.Int64

	output     atomic.Int64  // bytes that clients have not read, on all loops
	clients    atomic.Int64  // connected or being enrolled
	garbage    atomic.Bool   // huge buffers have been dropped
	refused    atomic.Uint64 // over MaxClients, or no descriptor left
	halves     atomic.Int64  // half-closed clients
	notices    *notices
	handshakes *handshakes
	emptied    chan struct{} // gets a token when the last client has gone
	hurry      chan struct{} // wakes the ticker for a fast tick

	gone sync.RWMutex // write-locked when the loops stop; nothing may be posted after that
	over bool
}

// Start runs the loops, and begins to connect to the servers and to accept clients.
func Start(cfg Config) (*Server, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	cfg.Loops = max(cfg.Loops, 1)
	s := &Server{
		cfg: cfg, log: cfg.Logger, started: time.Now(),
		emptied: make(chan struct{}, 1), hurry: make(chan struct{}, 1), notices: newNotices(cfg.Logger), handshakes: newHandshakes(),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	opts := []gnet.Option{
		gnet.WithNumEventLoop(cfg.Loops),
		gnet.WithReadBufferCap(readBuffer),
		gnet.WithLockOSThread(cfg.LockThread),
		gnet.WithLogger(gnetLogger{s.log}),
		gnet.WithLogLevel(logging.ErrorLevel),
	}
	if !cfg.Level {
		opts = append(opts, gnet.WithEdgeTriggeredIOChunk(1))
	}
	client, err := gnet.NewClient(&handler{srv: s}, opts...)
	if err != nil {
		return nil, fmt.Errorf("can't make event loops: %w", err)
	}
	s.client = client
	if err := client.Start(); err != nil {
		return nil, fmt.Errorf("can't start event loops: %w", err)
	}
	if err := s.findLoops(); err != nil {
		_ = client.Stop()
		return nil, err
	}
	s.first(&cfg)
	for _, l := range s.loops {
		s.tasks.Go(func() { s.follow(l) })
	}
	s.tasks.Go(s.tick)
	s.tasks.Go(func() { s.notices.run(s.ctx.Done()) })
	return s, nil
}

// first applies the part of cfg that a Plan may change later.
func (s *Server) first(cfg *Config) {
	s.cfg.Listeners, s.cfg.Upstreams = nil, nil
	p := &Plan{
		Listeners: cfg.Listeners, Upstreams: cfg.Upstreams, MaxClients: cfg.MaxClients, MaxOwn: cfg.MaxOwn, ClientMemory: cfg.ClientMemory, FarewellTime: cfg.FarewellTime,
		MaxHandshakes: cfg.MaxHandshakes, HandshakeTimeout: cfg.HandshakeTimeout,
	}
	s.changes.Lock()
	defer s.changes.Unlock()
	s.send(s.adopt(p, compile(p)))
}

// findLoops finds gnet's loops, which gnet does not list, by giving each one end of a socket pair.
func (s *Server) findLoops() error {
	for i := range s.cfg.Loops {
		seed, err := newSeed(s, i)
		if err != nil {
			return fmt.Errorf("can't make a socket pair for loop %d: %w", i, err)
		}
		if _, err := s.client.EnrollContext(seed.conn, seed); err != nil {
			return fmt.Errorf("can't reach loop %d: %w", i, err)
		}
		if seed.loop == nil || s.knows(seed.loop) {
			return fmt.Errorf("gnet gave loop %d twice", i)
		}
		s.loops = append(s.loops, seed.loop)
	}
	return nil
}

func (s *Server) knows(l *loop) bool {
	for _, known := range s.loops {
		if known.el == l.el {
			return true
		}
	}
	return false
}

// Addrs returns the addresses that clients can connect to, in the order of the listeners.
func (s *Server) Addrs() []net.Addr {
	s.changes.Lock()
	defer s.changes.Unlock()
	var addrs []net.Addr
	for _, a := range s.acceptors {
		addrs = append(addrs, a.Addr())
	}
	return addrs
}

// Snapshot copies every loop's counters.
func (s *Server) Snapshot(ctx context.Context) ([]stats.Loop, error) {
	copies := make([]stats.Loop, len(s.loops))
	err := s.onEach(ctx, func(i int, l *loop) { l.stats.CopyTo(&copies[i]) })
	if err != nil {
		return nil, err
	}
	copies[0].ClientsRefused += s.refused.Load()
	return copies, nil
}

// Ready returns nil if every loop has a connection to every server except replicas. Otherwise the error names the
// servers without one, each with the reason.
func (s *Server) Ready(ctx context.Context) error {
	down := make([][]string, len(s.loops))
	err := s.onEach(ctx, func(i int, l *loop) {
		for _, u := range l.upstreams {
			if u.gone {
				continue
			}
			of := ""
			if len(l.upstreams) > 1 {
				of = " of upstream " + u.stats.Name
			}
			for _, f := range u.pool.Down() {
				down[i] = append(down[i], f.Server+of+" ("+failureCause(f)+")")
			}
		}
	})
	if err != nil {
		return err
	}
	names := slices.Concat(down...)
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return errors.New("no connection to " + strings.Join(slices.Compact(names), ", "))
}

func failureCause(f *pool.Failure) string {
	if f.Cause == nil {
		return "connecting"
	}
	return f.Cause.Error()
}

// onEach runs f on every loop and waits for all.
func (s *Server) onEach(ctx context.Context, f func(int, *loop)) error {
	done := make(chan struct{}, len(s.loops))
	for i, l := range s.loops {
		if err := l.post(func() { f(i, l); done <- struct{}{} }); err != nil {
			return fmt.Errorf("loop %d does not run: %w", i, err)
		}
	}
	for range s.loops {
		select {
		case <-done:
		case <-ctx.Done():
			return fmt.Errorf("a loop did not answer: %w", ctx.Err())
		}
	}
	return nil
}

// Shutdown stops accepting, sends every client the replies that it is owed, and stops the loops. If ctx ends first,
// the remaining clients are cut off, and the error is ctx's.
func (s *Server) Shutdown(ctx context.Context) error {
	if s.stopping.Swap(true) {
		return errors.New("already shutting down")
	}
	s.stopAccepting()
	s.handshakes.stop()
	for _, l := range s.loops {
		_ = l.post(l.drain)
	}
	err := s.waitEmpty(ctx)
	s.cancel()
	_ = s.onEach(ctxOrGrace(ctx), func(_ int, l *loop) { l.eachPool((*pool.Pool).Stop) })
	s.gone.Lock()
	s.over = true
	s.gone.Unlock()
	stopErr := s.client.Stop()
	s.tasks.Wait()
	return errors.Join(err, stopErr)
}

// stopAccepting closes the sockets. Earlier plans are already posted by then, and later ones are refused.
func (s *Server) stopAccepting() {
	s.changes.Lock()
	defer s.changes.Unlock()
	for _, a := range s.acceptors {
		_ = a.Close()
	}
}

// stopGrace is the time that the loops get to close their connections after ctx has ended.
const stopGrace = time.Second

func ctxOrGrace(ctx context.Context) context.Context {
	if ctx.Err() == nil {
		return ctx
	}
	grace, cancel := context.WithTimeout(context.Background(), stopGrace)
	context.AfterFunc(grace, cancel)
	return grace
}

func (s *Server) waitEmpty(ctx context.Context) error {
	for s.clients.Load() > 0 || s.halves.Load() > 0 {
		select {
		case <-s.emptied:
		case <-ctx.Done():
			return fmt.Errorf("%d clients were cut off: %w", s.clients.Load()+s.halves.Load(), ctx.Err())
		}
	}
	return nil
}

// clientGone uncounts a client.
func (s *Server) clientGone() {
	if s.clients.Add(-1) == 0 && s.stopping.Load() {
		s.signalEmpty()
	}
}

func (s *Server) signalEmpty() {
	select {
	case s.emptied <- struct{}{}:
	default:
	}
}

// now is the loops' clock: ns since the server started.
func (s *Server) now() int64 { return int64(time.Since(s.started)) }
