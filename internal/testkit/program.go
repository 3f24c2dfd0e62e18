package testkit

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// HoledServer is the name, among those of scripts/servers, of a server whose scripts can write lines of their own into its replies
// (CVE-2025-67733). scripts/install-test-tools puts it in place.
const HoledServer = "redis-8.2.3"

// serverVariable names the program for all servers of the tests, instead of the redis-server on the PATH: the path of
// a program, or a name of scripts/servers.
const serverVariable = "REDIS_SERVER"

// ServerProgram returns the program for servers, including sentinels and nodes of a cluster. It skips the test if the
// program is missing, or fails it if the environment variable CI is set.
func ServerProgram(t testing.TB) string {
	t.Helper()
	switch name := os.Getenv(serverVariable); {
	case name == "":
		return Need(t, "redis-server")
	case strings.Contains(name, "/"):
		return Need(t, name)
	default:
		return Need(t, downloaded(name))
	}
}

// UseServer makes t start its servers with another program from now on, as ServerProgram finds it. For tests that are
// not parallel.
func UseServer(t *testing.T, program string) {
	t.Helper()
	t.Setenv(serverVariable, program)
	ServerProgram(t)
}

// downloaded returns where scripts/servers puts a server: below SERVERS_DIR, by default in the user's cache.
func downloaded(name string) string {
	dir := os.Getenv("SERVERS_DIR")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return name
		}
		dir = filepath.Join(cache, "ringmaster", "servers")
	}
	return filepath.Join(dir, name, "redis-server")
}

// isRedis6 reports whether a program is a server before Redis 7.
func isRedis6(t testing.TB, program string) bool {
	t.Helper()
	out, err := exec.Command(program, "--version").Output()
	if err != nil {
		t.Fatalf("%s --version: %v", program, err)
	}
	return strings.Contains(string(out), " v=6.")
}
