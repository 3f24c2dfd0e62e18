package e2e

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ringmaster/internal/testkit"
)

func TestSignalsThatDoNotStopCostNoClient(t *testing.T) {
	proxy := testkit.Proxy(t, []string{testkit.Redis(t).Addr})
	c := testkit.Dial(t, proxy.Addr)
	for sig, want := range map[syscall.Signal]string{syscall.SIGHUP: "there is no file to read again", syscall.SIGUSR1: "SIGUSR1 is ignored"} {
		for range 3 {
			proxy.Signal(sig)
		}
		testkit.Until(t, "a line about "+sig.String(), func() bool { return strings.Contains(proxy.Log(), want) })
		if got := c.Do("SET", "k", sig.String()); got != "+OK\r\n" {
			t.Errorf("after %v: %q", sig, got)
		}
	}
	for _, sig := range []syscall.Signal{syscall.SIGPIPE, syscall.SIGUSR2, syscall.SIGALRM, syscall.SIGWINCH, syscall.SIGURG, syscall.SIGCONT, syscall.SIGCHLD, syscall.SIGXFSZ} {
		proxy.Signal(sig)
		if got := c.Do("PING"); got != "+PONG\r\n" {
			t.Errorf("after %v: %q", sig, got)
		}
	}
	for range 50 {
		proxy.Signal(syscall.SIGHUP) // none of them hides the one that stops
	}
	proxy.Signal(syscall.SIGTERM)
	if code := proxy.ExitCode(t, testkit.Patience); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// piped is a proxy whose log the test reads, or does not.
type piped struct {
	cmd         *exec.Cmd
	log         *os.File // the reading end of its standard error
	lines       *bufio.Reader
	addr, admin string
	server      *testkit.Server
	gone        atomic.Bool
	ended       chan struct{}
}

// startPiped starts a proxy and reads its log until it is ready.
func startPiped(t *testing.T, flags ...string) *piped {
	t.Helper()
	testkit.Need(t, "redis-server")
	p := &piped{server: testkit.Redis(t), ended: make(chan struct{})}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.log, p.lines = r, bufio.NewReader(r)
	p.cmd = exec.Command(testkit.Ringmaster(t), append([]string{"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--upstream", p.server.Addr,
		"--loops", "2", "--timeout", "1s"}, flags...)...)
	p.cmd.Stderr = w
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(func() { _ = p.cmd.Process.Kill(); r.Close(); <-p.ended })
	go func() {
		_ = p.cmd.Wait() // how it ended is in ProcessState
		p.gone.Store(true)
		close(p.ended)
	}()
	for p.addr == "" {
		line, err := p.lines.ReadString('\n')
		if err != nil {
			t.Fatalf("the log ends before the proxy is ready: %v", err)
		}
		if strings.Contains(line, "msg=listening") {
			p.addr, p.admin = word(line, "listen=[", "]"), word(line, "admin=", " ")
		}
	}
	return p
}

// word is what stands between two texts in a line.
func word(line, before, after string) string {
	_, rest, _ := strings.Cut(line, before)
	w, _, _ := strings.Cut(rest, after)
	return w
}

// serves restarts the server, and waits until clients are served again.
func (p *piped) serves(t *testing.T) {
	t.Helper()
	c := testkit.Dial(t, p.addr)
	defer c.Close()
	c.Do("SET", "k", "v")
	p.server.Kill()
	testkit.Until(t, "errors, for the server is gone", func() bool { return strings.HasPrefix(c.Do("GET", "k"), "-ERR ") })
	p.server.Restart(t)
	testkit.Until(t, "the server to be found again", func() bool { return c.Do("SET", "k", "w") == "+OK\r\n" })
	if p.gone.Load() {
		t.Fatalf("the proxy has ended: %v", p.cmd.ProcessState)
	}
}

// chatter makes the proxy log a line for each of n clients, with --log-level debug.
func (p *piped) chatter(t *testing.T, n int) {
	t.Helper()
	for range n {
		c := testkit.Dial(t, p.addr)
		if got := c.Do("QUIT"); got != "+OK\r\n" {
			t.Fatalf("a client: %q", got)
		}
		c.Close()
	}
}

func (p *piped) stops(t *testing.T) {
	t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(testkit.Patience):
		t.Fatal("it does not stop")
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d: %v", code, p.cmd.ProcessState)
	}
}

func (p *piped) dropped(t *testing.T) float64 {
	t.Helper()
	s := testkit.Server{Admin: p.admin}
	return s.Metric(t, "ringmaster_log_lines_dropped_total")
}

// TestALogWhoseReaderIsGoneCostsNoService: SIGPIPE ended the process at the next line.
func TestALogWhoseReaderIsGoneCostsNoService(t *testing.T) {
	p := startPiped(t)
	p.log.Close()
	p.serves(t)
	testkit.Until(t, "lost lines to be counted", func() bool { return p.dropped(t) > 0 })
	p.serves(t)
	p.stops(t)
}

// TestALogThatNobodyReadsCostsNoService fills the pipe and the queue, with servers that come and go, and then reads on.
func TestALogThatNobodyReadsCostsNoService(t *testing.T) {
	p := startPiped(t, "--log-level", "debug")
	testkit.Until(t, "a full pipe and a full queue", func() bool {
		p.chatter(t, 200)
		return p.dropped(t) > 0
	})
	p.serves(t)
	p.chatter(t, 200)
	lost := p.dropped(t)
	read := make(chan string, 1)
	go func() {
		var all strings.Builder
		for !strings.Contains(all.String(), "log lines were lost") {
			line, err := p.lines.ReadString('\n')
			all.WriteString(line)
			if err != nil {
				break
			}
		}
		read <- all.String()
		_, _ = io.Copy(io.Discard, p.lines)
	}()
	select {
	case log := <-read:
		if n := strings.Count(log, "log lines were lost"); n != 1 {
			t.Errorf("%d lines about lost ones", n)
		}
	case <-time.After(testkit.Patience):
		t.Errorf("%.0f lines were lost, and nothing says so", lost)
	}
	p.serves(t)
	p.stops(t)
}

// TestALogThatNobodyReadsDoesNotKeepTheProxyFromStopping fills the pipe before SIGTERM.
func TestALogThatNobodyReadsDoesNotKeepTheProxyFromStopping(t *testing.T) {
	p := startPiped(t, "--log-level", "debug")
	testkit.Until(t, "a full pipe and a full queue", func() bool {
		p.chatter(t, 200)
		return p.dropped(t) > 0
	})
	p.stops(t)
}

func TestClientsAreServedDuringTheShutdownDelay(t *testing.T) {
	server := testkit.Redis(t)
	for _, c := range []struct {
		delay string
		again bool // a second signal ends it
		code  int
	}{{"1h", true, 1}, {"3s", false, 0}} {
		proxy := testkit.Proxy(t, []string{server.Addr}, "--shutdown-delay", c.delay)
		old := testkit.Dial(t, proxy.Addr)
		old.Do("PING")
		testkit.Until(t, "every loop to have a connection", func() bool { code, _ := proxy.Get(t, "/readyz"); return code == 200 })
		proxy.Signal(syscall.SIGTERM)
		testkit.Until(t, "/readyz to say 503", func() bool {
			code, body := proxy.Get(t, "/readyz")
			return code == 503 && strings.Contains(body, "stopping")
		})
		if got := old.Do("SET", "k", "v") + testkit.Dial(t, proxy.Addr).Do("GET", "k"); got != "+OK\r\n$1\r\nv\r\n" {
			t.Errorf("clients got %q", got)
		}
		if code, _ := proxy.Get(t, "/healthz"); code != 200 {
			t.Errorf("/healthz: %d", code)
		}
		testkit.Until(t, "the end", func() bool {
			if c.again {
				proxy.Signal(syscall.SIGTERM)
			}
			return proxy.Exited()
		})
		if code := proxy.ExitCode(t, testkit.Patience); code != c.code {
			t.Errorf("delay %s: exit code %d, want %d", c.delay, code, c.code)
		}
	}
}
