package admin

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	// reloadTimeout bounds the wait for the running reload and then the next.
	reloadTimeout = 2 * time.Minute
	// maxReloadBody bounds the body of a request, bytes. The body is ignored.
	maxReloadBody = 4 << 10
)

// ErrStopping is the error of a reload while the process stops.
var ErrStopping = errors.New("ringmaster is stopping")

// Reloaded is the result of a reload, in the form of POST /reload.
type Reloaded struct {
	// Generation and Hash are as in the metrics.
	Generation uint64 `json:"generation"`
	Hash       uint64 `json:"hash"`
	// Changed names the settings that have changed, NeedsRestart those that differ from the file until a restart.
	Changed      []string `json:"changed"`
	NeedsRestart []string `json:"needs_restart"`
}

// refused is the answer to a reload that was refused.
type refused struct {
	Problems []string `json:"problems"`
}

// reload is POST /reload. A page of another site in a browser could send it too, so those are refused.
func (h *handler) reload(w http.ResponseWriter, r *http.Request) {
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		http.Error(w, "pages of other sites may not change settings", http.StatusForbidden)
		return
	}
	if _, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxReloadBody)); err != nil {
		http.Error(w, "the body can't be read, or is too long; it needs none", http.StatusRequestEntityTooLarge)
		return
	}
	deadline := time.Now().Add(reloadTimeout)
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(deadline.Add(answerTimeout)) // it would end the request's context
	_ = control.SetWriteDeadline(deadline.Add(answerTimeout))
	ctx, cancel := context.WithDeadline(r.Context(), deadline)
	defer cancel()
	done, err := h.Source.Reload(ctx)
	switch {
	case err == nil:
		writeJSON(w, http.StatusOK, done)
	case errors.Is(err, ErrStopping):
		writeJSON(w, http.StatusServiceUnavailable, refused{[]string{err.Error()}})
	case ctx.Err() != nil:
		writeJSON(w, http.StatusGatewayTimeout, refused{[]string{"the reload still runs; the log and the metrics will say what comes of it"}})
	default:
		writeJSON(w, http.StatusUnprocessableEntity, refused{strings.Split(err.Error(), "\n")})
	}
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(v)
}
