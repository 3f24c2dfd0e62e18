package testkit

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Get reads a page of the proxy's admin address and returns status and body.
func (s *Server) Get(t testing.TB, path string) (int, string) {
	t.Helper()
	client := http.Client{Timeout: Patience, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + s.Admin + path)
	if err != nil {
		t.Fatalf("admin page %s: %v", path, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("admin page %s: %v", path, err)
	}
	return resp.StatusCode, string(body)
}

var goroutineTotal = regexp.MustCompile(`goroutine profile: total (\d+)`)

// Goroutines returns the proxy's number of goroutines, including the one that answers.
func (s *Server) Goroutines(t testing.TB) int {
	t.Helper()
	_, body := s.Get(t, "/debug/pprof/goroutine?debug=1")
	m := goroutineTotal.FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("the goroutine page has no total: %.200s", body)
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// Topology reads what /topology shows of the proxy's first upstream into dst, a pointer.
func (s *Server) Topology(t testing.TB, dst any) {
	t.Helper()
	status, body := s.Get(t, "/topology")
	var page struct{ Upstreams []json.RawMessage }
	err := json.Unmarshal([]byte(body), &page)
	if err == nil && len(page.Upstreams) > 0 {
		err = json.Unmarshal(page.Upstreams[0], dst)
	}
	if status != 200 || err != nil || len(page.Upstreams) == 0 {
		t.Fatalf("/topology: %d, %v: %s", status, err, body)
	}
}

// Metric sums the samples of a metric on /metrics whose labels contain every one of
// labels, each written as in the exposition format: `code="WRONGTYPE"`.
func (s *Server) Metric(t testing.TB, name string, labels ...string) float64 {
	t.Helper()
	_, body := s.Get(t, "/metrics")
	total := 0.0
	for line := range strings.Lines(body) {
		if v, ok := sample(line, name, labels); ok {
			total += v
		}
	}
	return total
}

func sample(line, name string, labels []string) (float64, bool) {
	rest, ok := strings.CutPrefix(line, name)
	if !ok || rest == "" || rest[0] != '{' && rest[0] != ' ' {
		return 0, false
	}
	at := strings.LastIndexByte(rest, ' ')
	for _, l := range labels {
		if !strings.Contains(rest[:at], l) {
			return 0, false
		}
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(rest[at+1:]), 64)
	if err != nil {
		return 0, false
	}
	return v, true
}

// Usage is a proxy's use of resources, for comparing before and after.
type Usage struct{ Goroutines, FDs int }

// String names both counts.
func (u Usage) String() string {
	return fmt.Sprintf("%d goroutines, %d descriptors", u.Goroutines, u.FDs)
}

// Usage counts the proxy's goroutines and descriptors, except connections that wait, for a minute at most, for the
// next client.
func (s *Server) Usage(t testing.TB) Usage {
	t.Helper()
	return Usage{s.Goroutines(t), s.FDs(t) - int(s.Metric(t, "ringmaster_pinned_connections_spare"))}
}
