package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Metric names a measured value; the unit is the end of the name.
type Metric string

// The metrics. Per command and per client mean divided by their number. Reads, Writes, Switches and Turns are the proxy's,
// or Redis's if there is no proxy.
const (
	Throughput   Metric = "commands_per_s"
	P50          Metric = "p50_ms"
	P99          Metric = "p99_ms"
	P999         Metric = "p999_ms"
	CPU          Metric = "proxy_cpu_per_command_us"
	ServerCPU    Metric = "servers_cpu_per_command_us"           // all redis-servers together
	ClientCPU    Metric = "client_cpu_per_command_us"            // redis-benchmark's own
	Ceiling      Metric = "cpu_bound_commands_per_s"             // all cores, divided by the CPU that client, proxy and servers took for a command
	RSS          Metric = "rss_bytes"                            // at the end of the sample
	Reads        Metric = "reads_per_1000_commands"              // system calls of all threads
	Writes       Metric = "writes_per_1000_commands"             // system calls of all threads
	Switches     Metric = "voluntary_switches_per_1000_commands" // of all threads, which gave up their processor to wait
	Turns        Metric = "turns_per_1000_commands"              // of ringmaster's loop, by its own count
	Rate         Metric = "offered_commands_per_s"
	SendLag      Metric = "send_lag_p99_ms" // the load generator's own lateness
	Clients      Metric = "clients"
	PerClient    Metric = "rss_per_client_bytes"
	ValueSize    Metric = "value_bytes"
	PeakGrowth   Metric = "rss_peak_growth_bytes"
	AfterGrowth  Metric = "rss_growth_at_end_bytes" // still held when polling ended
	ReturnTime   Metric = "time_to_return_s"        // absent when RSS did not return in time
	SetDuration  Metric = "set_s"
	GetDuration  Metric = "get_s"
	PollDuration Metric = "poll_limit_s"
)

// Sample is one measurement of one peer, or why there is none.
type Sample struct {
	Workload string             `json:"workload"`
	Peer     string             `json:"peer"`
	Round    int                `json:"round"`
	Commands int                `json:"commands,omitempty"`
	Values   map[Metric]float64 `json:"values,omitempty"`
	Error    string             `json:"error,omitempty"`
}

// Machine describes the machine of the run.
type Machine struct {
	CPU       string `json:"cpu"`
	Cores     int    `json:"cores"`
	MemoryMB  int64  `json:"memory_mb"`
	Kernel    string `json:"kernel"`
	Go        string `json:"go"`
	OpenFiles uint64 `json:"open_files_limit"`
	LoadStart string `json:"load_average_at_start"`
	LoadEnd   string `json:"load_average_at_end"`
}

// Record is a raw file: everything that a report is made from.
type Record struct {
	Command     string            `json:"command"`
	Started     time.Time         `json:"started"`
	Ended       time.Time         `json:"ended"`
	Commit      string            `json:"commit"`
	Changed     bool              `json:"uncommitted_changes"`
	Machine     Machine           `json:"machine"`
	Versions    map[string]string `json:"versions"`
	Skipped     map[string]string `json:"skipped_peers,omitempty"`
	Peers       []string          `json:"peers"`           // in the order of the run
	Quick       bool              `json:"quick,omitempty"` // a smoke run: nothing is judged by it
	Rounds      int               `json:"rounds"`
	Seconds     float64           `json:"seconds_per_sample"`
	Pins        map[string]string `json:"taskset,omitempty"`
	Interrupted bool              `json:"interrupted,omitempty"`
	Samples     []Sample          `json:"samples"`
}

func readRecord(path string) (*Record, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := &Record{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s is not a raw file of this program: %w", path, err)
	}
	return r, nil
}

// write stores r as path.
func (r *Record) write(path string) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

// freshPath is dir/date-commit.json, with a number added where that exists already.
func (r *Record) freshPath(dir string) string {
	stem := filepath.Join(dir, r.Started.Format("2006-01-02")+"-"+r.Commit)
	path := stem + ".json"
	for n := 2; ; n++ {
		if _, err := os.Stat(path); os.IsNotExist(err) {
			return path
		}
		path = fmt.Sprintf("%s-%d.json", stem, n)
	}
}

// counted reports whether any sample has counts of system calls. Older raw files have none.
func (r *Record) counted() bool {
	return slices.ContainsFunc(r.Samples, func(s Sample) bool { _, ok := s.Values[Switches]; return ok })
}

func (r *Record) failed(peer string) bool {
	for _, s := range r.Samples {
		if s.Peer == peer && s.Error != "" {
			return true
		}
	}
	return false
}
