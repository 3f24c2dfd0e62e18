package admin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/pprof"
	"time"

	"ringmaster/stats"
)

// handler answers the requests of one Server.
type handler struct {
	Config
	start time.Time
	// snapshotLock admits one snapshot at a time, so that scrapers do not multiply the loops' work. /healthz has a
	// lock of its own, so that it does not wait for them.
	snapshotLock, healthLock chan struct{}
}

func newHandler(c Config) http.Handler {
	h := &handler{Config: c, start: time.Now(), snapshotLock: make(chan struct{}, 1), healthLock: make(chan struct{}, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", h.index)
	mux.HandleFunc("GET /metrics", h.metrics)
	mux.HandleFunc("GET /healthz", h.healthz)
	mux.HandleFunc("GET /readyz", h.readyz)
	mux.HandleFunc("GET /topology", h.topology)
	mux.HandleFunc("POST /reload", h.reload)
	if c.Pprof {
		for path, f := range map[string]http.HandlerFunc{
			"/debug/pprof/": pprof.Index, "/debug/pprof/cmdline": pprof.Cmdline, "/debug/pprof/profile": pprof.Profile,
			"/debug/pprof/symbol": pprof.Symbol, "/debug/pprof/trace": pprof.Trace,
		} {
			mux.HandleFunc("GET "+path, f) // they extend the deadline themselves
		}
	}
	return mux
}

// snapshot asks the loops for their counters, one snapshot at a time.
func (h *handler) snapshot(ctx context.Context, lock chan struct{}) ([]stats.Loop, error) {
	ctx, cancel := context.WithTimeout(ctx, sourceTimeout)
	defer cancel()
	select {
	case lock <- struct{}{}:
		defer func() { <-lock }()
	case <-ctx.Done():
		return nil, errors.New("an earlier request still waits for the loops")
	}
	return h.Source.Snapshot(ctx)
}

func (h *handler) metrics(w http.ResponseWriter, r *http.Request) {
	loops, err := h.snapshot(r.Context(), h.snapshotLock)
	if err != nil {
		unavailable(w, err)
		return
	}
	var b bytes.Buffer
	writeMetrics(&b, &stats.View{
		Loops:      loops,
		Commands:   h.Commands,
		Upstreams:  h.Source.Upstreams(),
		Listeners:  h.Source.Listeners(),
		Version:    h.Version,
		Uptime:     uint64(time.Since(h.start).Seconds()),
		LogDropped: h.Source.LogDropped(),
		Settings:   h.Source.Settings(),
	})
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write(b.Bytes())
}

func (h *handler) healthz(w http.ResponseWriter, r *http.Request) {
	_, err := h.snapshot(r.Context(), h.healthLock)
	answer(w, err)
}

func (h *handler) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), sourceTimeout)
	defer cancel()
	answer(w, h.Source.Ready(ctx))
}

func answer(w http.ResponseWriter, err error) {
	if err != nil {
		unavailable(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

func unavailable(w http.ResponseWriter, err error) {
	http.Error(w, err.Error(), http.StatusServiceUnavailable)
}

func (h *handler) topology(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, h.Source.Topology())
}

func (h *handler) index(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprint(w, indexPage)
	if h.Pprof {
		_, _ = fmt.Fprint(w, pprofLink)
	}
}

const indexPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>ringmaster</title>
<h1>ringmaster</h1>
<ul>
<li><a href="metrics">/metrics</a> counters and latencies, Prometheus text format
<li><a href="healthz">/healthz</a> 200 while the process lives and its loops answer
<li><a href="readyz">/readyz</a> 200 if all primaries are reachable, otherwise 503 with the unreachable ones
<li><a href="topology">/topology</a> the servers, their replicas, and what a cluster or sentinels say of them, JSON
<li>POST /reload reads the file of settings again
</ul>
`

const pprofLink = `<p><a href="debug/pprof/">/debug/pprof/</a> Go's profiler
`
