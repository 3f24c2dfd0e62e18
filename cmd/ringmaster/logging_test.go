package main

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ringmaster/control/config"
)

func TestNewsOfAServerIsLoggedOnceForAllLoops(t *testing.T) {
	var out bytes.Buffer
	h := newLogger(&out, &config.Config{}).Handler()
	start := time.Unix(1e9, 0)
	for _, news := range []struct {
		server, msg string
		after       time.Duration
		want        bool
	}{
		{"a", "lost", 0, true},
		{"a", "lost", time.Millisecond, false}, // another loop
		{"b", "lost", time.Millisecond, true},
		{"", "lost", time.Millisecond, true},
		{"", "lost", time.Millisecond, true},
		{"a", "back", time.Second, true},
		{"a", "back", time.Second, false},
		{"a", "lost", time.Second, true}, // again
		{"a", "lost", 10 * time.Second, true},
		{"a", "lost", 14 * time.Second, false},
	} {
		out.Reset()
		r := slog.NewRecord(start.Add(news.after), slog.LevelWarn, news.msg, 0)
		if news.server != "" {
			r.AddAttrs(slog.String("server", news.server), slog.String("cause", "x"))
		}
		if err := h.Handle(context.Background(), r); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(out.String(), news.msg); got != news.want {
			t.Errorf("%+v: logged %q", news, &out)
		}
	}
}
