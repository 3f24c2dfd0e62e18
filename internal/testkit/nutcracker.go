package testkit

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Nutcracker starts twemproxy in front of upstreams ("host:port:weight", optionally
// followed by " name"); settings are further lines of its pool, such as
// "distribution: ketama".
func Nutcracker(t testing.TB, upstreams []string, settings ...string) *Server {
	t.Helper()
	bin := Need(t, "nutcracker")
	dir := t.TempDir()
	stats := FreePort(t)
	return launch(t, &Server{Dir: dir}, func(port int) ([]string, error) {
		file := filepath.Join(dir, "nutcracker.yml")
		err := os.WriteFile(file, nutcrackerConfig(port, upstreams, settings), 0o600)
		return []string{bin, "-c", file, "-s", fmt.Sprint(stats), "-a", "127.0.0.1"}, err
	})
}

func nutcrackerConfig(port int, upstreams, settings []string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "pool:\n  listen: %s\n  redis: true\n", Loopback(port))
	for _, s := range settings {
		fmt.Fprintf(&b, "  %s\n", s)
	}
	b.WriteString("  servers:\n")
	for _, u := range upstreams {
		fmt.Fprintf(&b, "   - %s\n", u)
	}
	return []byte(b.String())
}
