package e2e

import (
	"os"
	"strconv"
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
