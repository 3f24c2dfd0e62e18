package testkit

import (
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Server is a started server that answers PING.
type Server struct {
	*Process
	Addr  string // "127.0.0.1:port", where clients connect
	Admin string // the proxy's admin address; empty for others
	Dir   string // the server's own directory, removed when the test ends
	Host  *Host  // where it runs; nil: on 127.0.0.1
}

// portAttempts bounds how often a server is started again because another process took its port between the choice
// and the bind.
const portAttempts = 5

// Redis starts a redis-server, or the program of ServerProgram, without persistence on a free port; args are further
// arguments, such as "--requirepass", "x".
func Redis(t testing.TB, args ...string) *Server {
	t.Helper()
	bin := ServerProgram(t)
	dir := t.TempDir()
	return launch(t, &Server{Dir: dir}, func(port int) ([]string, error) {
		argv := []string{bin, "--port", strconv.Itoa(port), "--bind", "127.0.0.1",
			"--save", "", "--appendonly", "no", "--dir", dir}
		return append(argv, args...), nil
	})
}

// launch starts s from the arguments that argv makes for a port and returns it once it
// answers; the test's end stops it.
func launch(t testing.TB, s *Server, argv func(port int) ([]string, error)) *Server {
	t.Helper()
	for range portAttempts {
		port := FreePort(t)
		line, err := argv(port)
		if err != nil {
			t.Fatal(err)
		}
		s.Addr = net.JoinHostPort(s.Host.address(), strconv.Itoa(port))
		if s.Process, err = start(line, nil); err != nil {
			t.Fatal(err)
		}
		if s.ready() {
			t.Cleanup(func() { s.finish(t) })
			return s
		}
		s.Kill()
		if !strings.Contains(strings.ToLower(s.Log()), "in use") {
			break
		}
	}
	t.Fatalf("%s does not answer PING on %s; it printed:\n%s", s.argv[0], s.Addr, s.Log())
	return nil
}

// ready waits until the server answers a PING with any reply, or ends.
func (s *Server) ready() bool {
	up := false
	Eventually(Patience, func() bool {
		up = Answers(s.Addr)
		return up || s.Exited()
	})
	return up
}

func (s *Server) finish(t testing.TB) {
	s.Kill()
	if t.Failed() {
		t.Logf("log of %s on %s:\n%s", s.argv[0], s.Addr, s.Log())
	}
}

// Restart starts the server again on the same address after Kill, and returns when it answers. It kills a running
// server first.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Relaunch(t)
	if !s.ready() {
		t.Fatalf("%s does not answer on %s after a restart; it printed:\n%s", s.argv[0], s.Addr, s.Log())
	}
}

// Move kills a redis-server and starts it again on another host without a namespace, with the same port and its
// stored state of a cluster.
func (s *Server) Move(t testing.TB, to *Host) {
	t.Helper()
	s.Kill()
	s.argv = slices.Clone(s.argv)
	for i, a := range s.argv {
		if a == "--bind" || a == "--bind-source-addr" {
			s.argv[i+1] = to.address()
		}
	}
	s.Addr, s.Host = net.JoinHostPort(to.address(), strconv.Itoa(s.Port(t))), to
	s.Restart(t)
}

// Relaunch is Restart without the wait for an answer.
func (s *Server) Relaunch(t testing.TB) {
	t.Helper()
	s.Kill()
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
}

// Terminate asks the server to end (SIGTERM) and returns its exit code.
func (s *Server) Terminate(t testing.TB, limit time.Duration) int {
	t.Helper()
	s.Signal(syscall.SIGTERM)
	return s.ExitCode(t, limit)
}

// Port is the number in Addr.
func (s *Server) Port(t testing.TB) int {
	t.Helper()
	p, err := portOf(s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Need returns the path of a program. When it is missing the test is skipped, or failed
// where the environment variable CI is set.
func Need(t testing.TB, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed, and CI must not skip", program)
	}
	t.Skipf("%s is not installed", program)
	return ""
}

// Answers reports whether something at addr answers a PING with any reply, errors such
// as NOAUTH included, within a second. Any goroutine.
func Answers(addr string) bool {
	c, err := Connect(addr)
	if err != nil {
		return false
	}
	defer c.Close()
	c.Patience = time.Second
	_, err = c.Call("PING")
	return err == nil
}
