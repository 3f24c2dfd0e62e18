package redisbench

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Result is what one test of redis-benchmark measured. Latencies are in milliseconds
// and are those of a whole pipeline, from its first write to the reply in question.
type Result struct {
	Requests int
	RPS      float64
	P50      float64
	P99      float64
	P999     float64
	CPU      time.Duration // user and system time of redis-benchmark itself; Parse leaves it 0
}

// Parse reads the full report (not --csv, not -q) of exactly one test, as redis-benchmark
// 6.2 and later print it.
func Parse(text string) (Result, error) {
	var r Result
	var inSummary, complete bool
	for _, line := range splitLines(text) {
		switch {
		case strings.HasPrefix(line, "throughput summary:"):
			if r.RPS != 0 {
				return r, errors.New("redis-benchmark: more than one test in the report")
			}
			if _, err := fmt.Sscanf(line, "throughput summary: %g", &r.RPS); err != nil {
				return r, badLine(line)
			}
		case strings.Contains(line, " requests completed in "):
			if _, err := fmt.Sscanf(line, "%d requests", &r.Requests); err != nil {
				return r, badLine(line)
			}
		case strings.Contains(line, "% <= ") && r.P999 == 0:
			if err := r.percentile(line); err != nil {
				return r, err
			}
		case strings.HasPrefix(line, "avg"):
			inSummary = true
		case inSummary:
			if err := r.summary(line); err != nil {
				return r, err
			}
			inSummary, complete = false, true
		}
	}
	if !complete || r.RPS <= 0 || r.P999 <= 0 || r.Requests <= 0 {
		return r, fmt.Errorf("redis-benchmark: the report lacks figures (rps %v, p99.9 %v, requests %d)", r.RPS, r.P999, r.Requests)
	}
	return r, nil
}

// percentile takes the first listed percentile that is at least 99.9: the list halves
// the rest at each step (…, 99.805, 99.902, …), so this is a little above p99.9.
func (r *Result) percentile(line string) error {
	var at, ms float64
	if _, err := fmt.Sscanf(line, "%g%% <= %g milliseconds", &at, &ms); err != nil {
		return badLine(line)
	}
	if at >= 99.9 {
		r.P999 = ms
	}
	return nil
}

// summary reads the line under "avg min p50 p95 p99 max".
func (r *Result) summary(line string) error {
	words := strings.Fields(line)
	if len(words) != 6 {
		return badLine(line)
	}
	var err50, err99 error
	r.P50, err50 = strconv.ParseFloat(words[2], 64)
	r.P99, err99 = strconv.ParseFloat(words[4], 64)
	if err := errors.Join(err50, err99); err != nil {
		return badLine(line)
	}
	return nil
}

// Complaint returns the first line of redis-benchmark's output that reports a problem, or "". A missing server CONFIG
// is no problem, because it only feeds the report's header, and proxies refuse the command.
func Complaint(text string) string {
	for _, line := range splitLines(text) {
		for _, sign := range []string{"Error", "ERR ", "Could not connect", "WRONGTYPE ", "MOVED ", "NOAUTH "} {
			if strings.HasPrefix(line, sign) || strings.Contains(line, ": "+sign) {
				return line
			}
		}
	}
	return ""
}

// splitLines treats the carriage returns of the progress line as ends of lines.
func splitLines(text string) []string {
	lines := strings.FieldsFunc(text, func(c rune) bool { return c == '\n' || c == '\r' })
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return lines
}

func badLine(line string) error { return fmt.Errorf("redis-benchmark: unexpected line %q", line) }
