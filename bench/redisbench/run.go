package redisbench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Spec is one run.
type Spec struct {
	Addr       string   // host:port
	Test       string   // a test of redis-benchmark's suite, such as "get"; empty when Command is set
	Command    []string // a command of its own, in which __rand_int__ becomes a number below Keyspace
	Clients    int      // connections
	Pipeline   int      // requests in flight per connection
	ValueBytes int      // size of a value
	Keyspace   int      // number of different keys
	Requests   int      // commands in all
	CPUs       string   // taskset list, empty for none
}

// args is the command line for s, without the program's name.
func (s Spec) args() ([]string, error) {
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		return nil, err
	}
	args := []string{
		"-h", host, "-p", port,
		"-c", strconv.Itoa(s.Clients), "-P", strconv.Itoa(s.Pipeline),
		"-d", strconv.Itoa(s.ValueBytes), "-r", strconv.Itoa(s.Keyspace),
		"-n", strconv.Itoa(s.Requests), "--precision", "3",
	}
	if s.Test != "" {
		return append(args, "-t", s.Test), nil
	}
	return append(args, s.Command...), nil
}

// Run makes one run. It kills redis-benchmark when ctx ends.
func Run(ctx context.Context, s Spec) (Result, error) {
	args, err := s.args()
	if err != nil {
		return Result{}, err
	}
	argv := append([]string{"redis-benchmark"}, args...)
	if s.CPUs != "" {
		argv = append([]string{"taskset", "-c", s.CPUs}, argv...)
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = time.Second
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	runErr := cmd.Run()
	if ctx.Err() != nil {
		return Result{}, fmt.Errorf("redis-benchmark did not end in time: %w%s", ctx.Err(), quote(complaints.String()))
	}
	if runErr != nil {
		return Result{}, fmt.Errorf("redis-benchmark: %w%s", runErr, quote(complaints.String()))
	}
	if line := Complaint(out.String() + "\n" + complaints.String()); line != "" {
		return Result{}, errors.New("redis-benchmark: " + line)
	}
	res, err := Parse(out.String())
	res.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return res, err
}

func quote(text string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return ""
	}
	return ": " + strings.ReplaceAll(text, "\n", "; ")
}
