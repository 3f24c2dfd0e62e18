package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"ringmaster/control/config"
	"ringmaster/control/logqueue"
)

func TestNewsOfAServerIsLoggedOnceForAllLoops(t *testing.T) {
	var out bytes.Buffer
	log, _ := newLogger(&out, &config.Config{})
	h := log.Handler()
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

// TestLostLinesAreToldInTheLogsFormat fills the log while nothing reads it.
func TestLostLinesAreToldInTheLogsFormat(t *testing.T) {
	for _, c := range []struct {
		config *config.Config
		want   string
	}{
		{&config.Config{}, "level=WARN msg=\"log lines were lost"},
		{&config.Config{LogJSON: true}, `"level":"WARN","msg":"log lines were lost`},
		{&config.Config{LogLevel: slog.LevelError}, "level=ERROR msg=\"log lines were lost"},
	} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		q := logqueue.New(w)
		log, _ := newLogger(q, c.config)
		const lines = 4 * logqueue.MaxLines
		for range lines {
			log.Error("a line that is long enough to fill a pipe before the queue is full")
		}
		lost := q.Dropped()
		if dropped := logDropped(q); lost == 0 || dropped() != lost {
			t.Fatalf("%d lines are lost", lost)
		}
		read := make(chan string)
		go func() {
			all, _ := io.ReadAll(r)
			read <- string(all)
		}()
		q.Close(time.Minute)
		w.Close()
		got := strings.Split(strings.TrimSpace(<-read), "\n")
		last := got[len(got)-1]
		if len(got) != lines-int(lost)+1 || !strings.Contains(last, c.want) || !strings.Contains(last, fmt.Sprint(lost)) {
			t.Errorf("%d were lost of %d; %d lines were read, the last is %s", lost, lines, len(got), last)
		}
	}
	if logDropped(io.Discard) != nil {
		t.Error("lines of a plain writer are counted")
	}
}

func TestDurationsHaveUnitsInBothFormats(t *testing.T) {
	for asJSON, want := range map[bool]string{false: " took=1.5s", true: `"took":"1.5s"`} {
		var out bytes.Buffer
		log, _ := newLogger(&out, &config.Config{LogJSON: asJSON})
		log.Info("x", slog.Duration("took", 1500*time.Millisecond))
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s lacks %s", &out, want)
		}
	}
}
