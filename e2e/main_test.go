package e2e

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

func TestMain(m *testing.M) { os.Exit(testkit.Main(m)) }

// scale is the number that the environment variable name holds; without it short with
// -short, ci where CI is set, and local otherwise.
func scale(t *testing.T, name string, short, local, ci int) int {
	t.Helper()
	if s := os.Getenv(name); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			t.Fatalf("%s=%q: want a number above 0", name, s)
		}
		return n
	}
	switch {
	case testing.Short():
		return short
	case os.Getenv("CI") != "":
		return ci
	}
	return local
}

// infoField is the value of a field of a section of a server's INFO; empty: there is none.
func infoField(c *testkit.Conn, section, field string) string {
	_, rest, _ := strings.Cut(c.Do("INFO", section), "\r\n"+field+":")
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}
