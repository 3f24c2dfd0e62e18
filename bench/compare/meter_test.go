package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const metrics = `# HELP ringmaster_loop_turns_total Turns of the loop that flushed something.
# TYPE ringmaster_loop_turns_total counter
ringmaster_loop_turns_total{loop="0"} 1200
ringmaster_loop_turns_total{loop="1"} 34
ringmaster_loop_turns_total_other{loop="0"} 7
ringmaster_loop_requests_total{loop="0"} 99
`

func TestSeriesOfOneMetricAreAdded(t *testing.T) {
	sums, err := sumsOf(strings.NewReader(metrics), "ringmaster_loop_turns_total", "ringmaster_loop_writes_total")
	if err != nil || len(sums) != 1 || sums["ringmaster_loop_turns_total"] != 1234 {
		t.Errorf("got %v, %v; want 1234 turns and no writes", sums, err)
	}
	if sums, err := sumsOf(strings.NewReader("turns_total many\n"), "turns_total"); err == nil {
		t.Errorf("got %v and no error", sums)
	}
}

func TestCountsAreLeftOutWhereThereAreNone(t *testing.T) {
	status, page := http.StatusOK, metrics
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(page))
	}))
	defer s.Close()
	in := &instance{admin: strings.TrimPrefix(s.URL, "http://")}
	if got, ok := in.loops(); !ok || got != (loops{turns: 1234}) {
		t.Errorf("got %v, %v; want 1234 turns", got, ok)
	}
	page += "ringmaster_loop_writes_total{loop=\"0\"} 77\n"
	if got, ok := in.loops(); !ok || got != (loops{1234, 77}) {
		t.Errorf("got %v, %v; want 1234 turns and 77 writes", got, ok)
	}
	page = "other 1\n"
	if _, ok := in.loops(); ok {
		t.Error("counts of a page that has none")
	}
	status, page = http.StatusNotFound, metrics
	if _, ok := in.loops(); ok {
		t.Error("counts of a page that was not found")
	}
	if _, ok := (&instance{}).loops(); ok {
		t.Error("counts of a peer that counts nothing")
	}
}
