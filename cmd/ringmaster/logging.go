package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"ringmaster/control/config"
	"ringmaster/control/logqueue"
)

// newLogger makes a logger that writes to w as the settings say, from a level on that can be changed.
func newLogger(w io.Writer, c *config.Config) (*slog.Logger, *slog.LevelVar) {
	level := new(slog.LevelVar)
	level.Set(c.LogLevel)
	if q, ok := w.(*logqueue.Queue); ok {
		q.OnLost(func(n uint64) []byte {
			var line bytes.Buffer
			slog.New(newHandler(&line, c.LogJSON, level)).Log(context.Background(), max(slog.LevelWarn, level.Level()),
				"log lines were lost because the reader of standard error was gone or too slow", slog.Uint64("lines", n))
			return line.Bytes()
		})
	}
	return slog.New(&onceForAll{Handler: newHandler(w, c.LogJSON, level), told: map[string]told{}}), level
}

// newHandler makes the formatter of lines.
func newHandler(w io.Writer, asJSON bool, level slog.Leveler) slog.Handler {
	options := &slog.HandlerOptions{Level: level}
	if asJSON {
		options.ReplaceAttr = durationsAsText
		return slog.NewJSONHandler(w, options)
	}
	return slog.NewTextHandler(w, options)
}

// durationsAsText writes a duration in text form, such as 1.5s, because JSON would have nanoseconds without a unit.
func durationsAsText(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}

// logDropped returns the function that counts the lost log lines of w; nil: none are lost.
func logDropped(w io.Writer) func() uint64 {
	if q, ok := w.(*logqueue.Queue); ok {
		return q.Dropped
	}
	return nil
}

const (
	// sameNews is how long a loop's line about a server counts as a repetition of another loop's line. It is shorter
	// than the time after which one loop repeats its line.
	sameNews = 5 * time.Second
	// maxTold bounds the remembered servers.
	maxTold = 1024
)

// onceForAll leaves out repeated lines of several loops about the same server. Each loop has its own connections, so
// each notices that a server is down, and that it is back.
type onceForAll struct {
	slog.Handler
	mu   sync.Mutex
	told map[string]told // by server
}

// told is the latest log line about a server.
type told struct {
	msg string
	at  time.Time
}

// Handle is slog.Handler. Any goroutine.
func (h *onceForAll) Handle(ctx context.Context, r slog.Record) error {
	if server := attr(r, "server"); server != "" && h.known(server, told{r.Message, r.Time}) {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs is slog.Handler. Servers of two upstreams may have the same name, so each upstream's logger remembers its own. Any goroutine.
func (h *onceForAll) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &onceForAll{Handler: h.Handler.WithAttrs(attrs), told: map[string]told{}}
}

// known reports whether a line about a server repeats the latest one, and records it if not.
func (h *onceForAll) known(server string, news told) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if last, ok := h.told[server]; ok && last.msg == news.msg && news.at.Sub(last.at) < sameNews {
		return true
	}
	if len(h.told) >= maxTold {
		clear(h.told)
	}
	h.told[server] = news
	return false
}

// attr returns the text of r's attribute called key, "" if there is none.
func attr(r slog.Record, key string) (text string) {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == key {
			text = a.Value.String()
		}
		return a.Key != key
	})
	return text
}
