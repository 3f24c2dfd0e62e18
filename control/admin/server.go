package admin

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"ringmaster/stats"
)

// Source is the process as the admin server sees it. Its methods may be called from any goroutine.
type Source interface {
	// Snapshot returns a copy of every loop's counters.
	Snapshot(ctx context.Context) ([]stats.Loop, error)
	// Ready returns nil if every server except replicas can be reached; otherwise the error names those that cannot.
	Ready(ctx context.Context) error
	// Upstreams returns what is known about each upstream, in the order of the loops' counters.
	Upstreams() []stats.UpstreamView
	// Listeners returns what is known about each listener that speaks TLS.
	Listeners() []stats.ListenerView
	// Topology returns what /topology serves as JSON.
	Topology() any
	// LogDropped counts the log lines that were dropped.
	LogDropped() uint64
	// Settings returns what is known about the settings in force.
	Settings() stats.Settings
	// Hosts returns the host names that requests may use, besides IP addresses and localhost, in lower case.
	// *.example.com means every name with that ending, * any name.
	Hosts() []string
	// Reload reads the settings again, in a reading that begins after the call. It waits for the result or the end of
	// ctx, which does not stop the reading. The error says that nothing has changed, and why; each line is one
	// mistake.
	Reload(ctx context.Context) (*Reloaded, error)
}

const (
	// MaxConns is how many HTTP connections are open at once. A further one replaces another. FewConns is the number
	// if descriptors are scarce.
	MaxConns = 64
	FewConns = 16

	headTimeout   = 2 * time.Second
	answerTimeout = 10 * time.Second
	idleTimeout   = 30 * time.Second
	maxHead       = 16 << 10
	sourceTimeout = 2 * time.Second
)

// Config says what is served.
type Config struct {
	Source Source
	// Commands names command IDs, for labels.
	Commands []string
	// Version is shown as a metric.
	Version string
	// MaxConns is how many connections are open at once; 0: the constant of that name.
	MaxConns int
	// Pprof serves Go's profiler.
	Pprof bool
	// Logger gets the errors of net/http. Nil is slog.Default().
	Logger *slog.Logger
}

// Server is the admin HTTP server.
type Server struct {
	http     *http.Server
	maxConns int
}

// New makes a server that does not listen yet.
func New(c Config) *Server {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.MaxConns == 0 {
		c.MaxConns = MaxConns
	}
	return &Server{maxConns: c.MaxConns, http: &http.Server{
		Handler:           &guard{newHandler(c), c.Source.Hosts},
		ConnContext:       withConn,
		ConnState:         stateChanged,
		ReadHeaderTimeout: headTimeout,
		ReadTimeout:       headTimeout,
		WriteTimeout:      answerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHead,
		ErrorLog:          slog.NewLogLogger(c.Logger.Handler(), slog.LevelDebug),
	}}
}

// Serve answers on l until Shutdown, then returns nil. It closes l.
func (s *Server) Serve(l net.Listener) error {
	err := s.http.Serve(newLimited(l, s.maxConns))
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Shutdown stops listening, waits for answers under way until ctx ends, and then cuts them off.
func (s *Server) Shutdown(ctx context.Context) error {
	if err := s.http.Shutdown(ctx); err != nil {
		return s.http.Close()
	}
	return nil
}
