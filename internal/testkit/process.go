package testkit

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Process is a started program and its output.
type Process struct {
	argv []string
	env  []string
	cmd  *exec.Cmd
	out  *tail
	done chan struct{}
}

// start runs argv with env added to the environment.
func start(argv, env []string) (*Process, error) {
	p := &Process{argv: argv, env: env, out: &tail{}}
	return p, p.run()
}

func (p *Process) run() error {
	p.cmd = exec.Command(p.argv[0], p.argv[1:]...)
	p.cmd.Env = append(os.Environ(), p.env...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	p.cmd.SysProcAttr = dieWithUs()
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.argv[0], err)
	}
	p.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) {
		_ = cmd.Wait() // how it ended is in cmd.ProcessState
		close(done)
	}(p.cmd, p.done)
	return nil
}

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal sends s. It is no error if the process has ended.
func (p *Process) Signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// Kill ends the process with SIGKILL and returns when it is gone.
func (p *Process) Kill() {
	p.Signal(syscall.SIGKILL)
	<-p.done
}

// Stop freezes the process (SIGSTOP): its sockets stay open and answer nothing.
func (p *Process) Stop() { p.Signal(syscall.SIGSTOP) }

// Cont lets a stopped process go on.
func (p *Process) Cont() { p.Signal(syscall.SIGCONT) }

// Exited reports whether the process has ended.
func (p *Process) Exited() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// ExitCode waits up to limit for the end and returns the exit code, or -1 when a signal
// ended it.
func (p *Process) ExitCode(t testing.TB, limit time.Duration) int {
	t.Helper()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(limit):
		t.Fatalf("%s still runs after %v; it printed:\n%s", p.argv[0], limit, p.Log())
		return 0
	}
}

// Log returns the end of the process's output on both streams.
func (p *Process) Log() string { return p.out.String() }

// FDs is the number of open descriptors, from /proc.
func (p *Process) FDs(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.PID()))
	if err != nil {
		t.Fatalf("count descriptors: %v", err)
	}
	return len(entries)
}

// Sockets lists the TCP sockets of the process's network, from ss, for messages; "" where there is no ss.
func (p *Process) Sockets() string {
	out, _ := exec.Command("ss", "-tnp").Output()
	var own strings.Builder
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, fmt.Sprintf("pid=%d,", p.PID())) {
			own.WriteString(line)
		}
	}
	return own.String()
}

// RSS is the resident memory in bytes, from /proc.
func (p *Process) RSS(t testing.TB) int64 { t.Helper(); return p.status(t, "VmRSS:") }

// PeakRSS is the largest resident memory so far in bytes, from /proc.
func (p *Process) PeakRSS(t testing.TB) int64 { t.Helper(); return p.status(t, "VmHWM:") }

func (p *Process) status(t testing.TB, field string) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	if err != nil {
		t.Fatalf("read process status: %v", err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, field); ok {
			kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				t.Fatalf("%s of process status: %v", field, err)
			}
			return kb << 10
		}
	}
	t.Fatalf("process status has no %s", field)
	return 0
}

// tail keeps the last tailSize bytes written to it. Any goroutine.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

const tailSize = 16 << 10

func (w *tail) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf.Write(b)
	if over := w.buf.Len() - tailSize; over > 0 {
		w.buf.Next(over)
	}
	return len(b), nil
}

func (w *tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}
