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
	if sum, err := sumOf(strings.NewReader(metrics), "ringmaster_loop_turns_total"); err != nil || sum != 1234 {
		t.Errorf("got %v, %v; want 1234", sum, err)
	}
	for _, broken := range []string{"", "turns_total\n", "turns_total many\n", "other 1\n"} {
		if sum, err := sumOf(strings.NewReader(broken), "turns_total"); err == nil {
			t.Errorf("%q: got %v and no error", broken, sum)
		}
	}
}

func TestTurnsAreLeftOutWhereThereAreNone(t *testing.T) {
	status := http.StatusOK
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(metrics))
	}))
	defer s.Close()
	in := &instance{admin: strings.TrimPrefix(s.URL, "http://")}
	if turns, ok := in.turns(); !ok || turns != 1234 {
		t.Errorf("got %v, %v; want 1234", turns, ok)
	}
	status = http.StatusNotFound
	if _, ok := in.turns(); ok {
		t.Error("turns of a page that was not found")
	}
	if _, ok := (&instance{}).turns(); ok {
		t.Error("turns of a peer that counts none")
	}
}
