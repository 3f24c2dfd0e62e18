package testkit

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// ProxyOptions are the options of a proxy under test besides the defaults.
type ProxyOptions struct {
	Upstreams []string // "host:port", in order
	// Settings is the text of a settings file whose first listener is at addr; nil: there is no file, and Upstreams counts.
	Settings  func(addr string) string
	Flags     []string // further flags; one given twice counts the last time
	OpenFiles int      // limit on open descriptors (RLIMIT_NOFILE); 0 keeps ours
	Env       []string // further environment, "NAME=value"
	Host      *Host    // of a Network: where it runs; nil: on 127.0.0.1
}

// Proxy builds ringmaster once per test process and starts it in front of upstreams,
// with two loops, a timeout of one second and pprof on; flags come after these and so
// override them. RINGMASTER_BIN names a ready binary instead, RINGMASTER_BUILD_FLAGS
// adds flags to the build, such as "-race -tags proxydebug".
func Proxy(t testing.TB, upstreams []string, flags ...string) *Server {
	t.Helper()
	return ProxyWith(t, ProxyOptions{Upstreams: upstreams, Flags: flags})
}

// ProxyWith is Proxy with every choice.
func ProxyWith(t testing.TB, o ProxyOptions) *Server {
	t.Helper()
	ServerProgram(t)
	bin := Ringmaster(t)
	at := func(port int) string { return net.JoinHostPort(o.Host.address(), strconv.Itoa(port)) }
	s := &Server{Admin: at(FreePort(t)), Dir: t.TempDir(), Host: o.Host}
	t.Cleanup(func() { // after it has ended
		for _, mistake := range []string{"(a panic)", "WARNING: DATA RACE"} {
			if s.Process != nil && strings.Contains(s.Log(), mistake) {
				t.Errorf("the proxy has made a mistake of its own; it printed:\n%s", s.Log())
			}
		}
	})
	return launch(t, s, func(port int) ([]string, error) {
		argv := []string{bin, "--admin", s.Admin, "--loops", "2", "--timeout", "1s", "--pprof"}
		if o.Settings == nil {
			argv = append(argv, "--listen", at(port), "--upstream", strings.Join(o.Upstreams, ","))
		} else {
			if err := s.WriteSettings(o.Settings(at(port))); err != nil {
				return nil, err
			}
			argv = append(argv, "--config", s.SettingsFile())
		}
		return o.Host.argv(limited(append(argv, o.Flags...), o.OpenFiles, o.Env)...), nil
	})
}

// limited wraps argv so that it runs under a descriptor limit and with env added.
func limited(argv []string, openFiles int, env []string) []string {
	if len(env) > 0 {
		argv = append(append([]string{"/usr/bin/env"}, env...), argv...)
	}
	if openFiles == 0 {
		return argv
	}
	sh := fmt.Sprintf(`ulimit -n %d; exec "$0" "$@"`, openFiles)
	return append([]string{"/bin/sh", "-c", sh}, argv...)
}

var binary struct {
	once sync.Once
	dir  string // removed by Main
	path string
	err  error
}

// Ringmaster is the path of the proxy's binary, built at the first call.
func Ringmaster(t testing.TB) string {
	t.Helper()
	if ready := os.Getenv("RINGMASTER_BIN"); ready != "" {
		return ready
	}
	binary.once.Do(func() { binary.path, binary.err = build() })
	if binary.err != nil {
		t.Fatal(binary.err)
	}
	return binary.path
}

func build() (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	if binary.dir, err = os.MkdirTemp("", "ringmaster-test-"); err != nil {
		return "", err
	}
	path := filepath.Join(binary.dir, "ringmaster")
	args := append([]string{"build", "-o", path}, strings.Fields(os.Getenv("RINGMASTER_BUILD_FLAGS"))...)
	cmd := exec.Command("go", append(args, "./cmd/ringmaster")...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/ringmaster: %w\n%s", err, out)
	}
	return path, nil
}

// Root is the module's top folder, found upwards from the working directory.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", fmt.Errorf("no go.mod above the working directory")
		}
		dir = up
	}
}

// Main runs m's tests, removes the built binary and returns the exit code; a package
// that starts the proxy calls it from TestMain.
func Main(m *testing.M) int {
	code := m.Run()
	if binary.dir != "" {
		os.RemoveAll(binary.dir)
	}
	return code
}
