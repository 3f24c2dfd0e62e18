package proc

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// StopTimeout is how long Stop waits after SIGTERM before it kills.
const StopTimeout = 5 * time.Second

// Process is a program that this package started.
type Process struct {
	name string
	log  string
	cmd  *exec.Cmd
	done chan struct{}
}

// Start runs argv[0] with its arguments, both outputs going to dir/name.log. CPUs is a
// taskset list ("0", "0-1") that the process is bound to, empty for no binding.
func Start(dir, name, cpus string, argv ...string) (*Process, error) {
	out, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return nil, err
	}
	defer out.Close()
	argv = Pinned(cpus, argv)
	p := &Process{name: name, log: out.Name(), done: make(chan struct{})}
	p.cmd = exec.Command(argv[0], argv[1:]...)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is in ProcessState
		close(p.done)
	}()
	return p, nil
}

// Pinned puts taskset before argv when cpus is not empty. taskset replaces itself by
// the program, so the process id stays the program's.
func Pinned(cpus string, argv []string) []string {
	if cpus == "" {
		return argv
	}
	return append([]string{"taskset", "-c", cpus}, argv...)
}

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Name is the name given to Start.
func (p *Process) Name() string { return p.name }

// WaitReady calls probe until it succeeds. It fails when ctx ends or the program does,
// with the probe's last error and the end of the program's output.
func (p *Process) WaitReady(ctx context.Context, probe func() error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := probe()
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return p.Describe(errors.New("ended before it was ready"))
		case <-ctx.Done():
			return p.Describe(fmt.Errorf("not ready: %w", err))
		case <-tick.C:
		}
	}
}

// Describe adds the program's name and the end of its output to err.
func (p *Process) Describe(err error) error {
	text, readErr := os.ReadFile(p.log)
	if readErr != nil || len(text) == 0 {
		return fmt.Errorf("%s: %w (it printed nothing)", p.name, err)
	}
	if len(text) > 2000 {
		text = text[len(text)-2000:]
	}
	return fmt.Errorf("%s: %w; it printed:\n%s", p.name, err, strings.TrimSpace(string(text)))
}

// Ended reports whether the program has ended.
func (p *Process) Ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Stop ends the program and its process group and returns when it is gone.
func (p *Process) Stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // no problem if it has ended already
	select {
	case <-p.done:
	case <-time.After(StopTimeout):
		_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
		<-p.done
	}
}

// FreePort returns a port of 127.0.0.1 on which nothing listened a moment ago. It lies
// below those that Linux gives to outgoing connections, of which a run has thousands.
func FreePort() (int, error) {
	const lowest, highest = 11_000, 31_000
	var last error
	for range 100 {
		port := lowest + rand.IntN(highest-lowest)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return port, l.Close()
		}
		last = err
	}
	return 0, fmt.Errorf("no free port between %d and %d: %w", lowest, highest, last)
}
