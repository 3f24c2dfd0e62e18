package redisbench

import (
	"context"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"ringmaster/internal/testkit"
)

func report(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestParseReadsReportsOfRedis70(t *testing.T) {
	for name, want := range map[string]Result{
		"get-7.0.txt":  {Requests: 20000, RPS: 156250.00, P50: 0.191, P99: 0.415, P999: 3.351},
		"mget-7.0.txt": {Requests: 2000, RPS: 64516.13, P50: 0.191, P99: 5.999, P999: 6.079},
	} {
		got, err := Parse(report(t, name))
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, want)
		}
	}
}

func TestParseRefusesReportsThatLackFigures(t *testing.T) {
	whole := report(t, "get-7.0.txt")
	cut := func(from string) string { return whole[:strings.Index(whole, from)] }
	for name, text := range map[string]string{
		"empty":              "",
		"no summary":         cut("Summary:"),
		"no latency summary": cut("latency summary"),
		"no percentiles":     strings.ReplaceAll(whole, "% <= ", "% ~ "),
		"two tests":          whole + whole,
		"csv":                `"test","rps"` + "\n" + `"GET","157480.31"`,
		"a number is text":   strings.ReplaceAll(whole, "0.415", "quick"),
	} {
		if got, err := Parse(text); err == nil {
			t.Errorf("%s: no error, got %+v", name, got)
		}
	}
}

func TestComplaintFindsErrorsAndPassesTheConfigWarning(t *testing.T) {
	for text, want := range map[string]string{
		"WARNING: Could not fetch server CONFIG\n":                                         "",
		"Error from server: ERR unknown command 'foo', with args beginning with: 'bar' \n": "Error from server: ERR unknown command 'foo', with args beginning with: 'bar'",
		"Error: Server closed the connection\n":                                            "Error: Server closed the connection",
		"Could not connect to Redis at 127.0.0.1:1: Connection refused\n":                  "Could not connect to Redis at 127.0.0.1:1: Connection refused",
		"a\rERR max clients\n":                                                             "ERR max clients",
		"throughput summary: 1 requests per second":                                        "",
	} {
		if got := Complaint(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if got := Complaint(report(t, "get-7.0.txt")); got != "" {
		t.Errorf("a good report is a complaint: %q", got)
	}
}

func TestRunMeasuresARealServer(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	spec := Spec{Addr: testkit.Redis(t).Addr, Clients: 2, Pipeline: 4, ValueBytes: 16, Keyspace: 10, Requests: 400}
	spec.Test = "set"
	if r, err := Run(ctx, spec); err != nil || r.Requests != 400 || r.RPS <= 0 || r.P50 <= 0 || r.P99 < r.P50 {
		t.Errorf("set: got %+v, %v", r, err)
	}
	spec.Test, spec.Command = "", []string{"mget", "key:__rand_int__", "key:__rand_int__"}
	if r, err := Run(ctx, spec); err != nil || r.Requests != 400 {
		t.Errorf("mget: got %+v, %v", r, err)
	}
	spec.Command = []string{"nosuch", "x"}
	if _, err := Run(ctx, spec); err == nil || !strings.Contains(err.Error(), "ERR unknown command") {
		t.Errorf("an unknown command: got %v", err)
	}
}

func TestRunEndsAtTheDeadline(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts in the kernel, never answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	_, err = Run(ctx, Spec{Addr: silent.Addr().String(), Test: "get", Clients: 1, Pipeline: 1, ValueBytes: 3, Keyspace: 1, Requests: 10})
	if err == nil || !strings.Contains(err.Error(), "did not end in time") {
		t.Fatalf("got %v", err)
	}
}
