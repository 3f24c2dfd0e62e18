package redisbench

import (
	"net"
	"os/exec"
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

// script runs scripts/bench-redis-benchmark and returns what it printed and its exit code.
func script(t *testing.T, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command("../../scripts/bench-redis-benchmark", args...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func TestScriptSaysOKOnlyWhenNothingFailed(t *testing.T) {
	addr := testkit.Redis(t).Addr
	quick := []string{"--quick", "--requests", "100", "--tests", "set,GET", addr}
	if out, code := script(t, quick...); code != 0 || !strings.Contains(out, "ok: 3 runs, no error") || strings.Count(out, " SET ") != 3 {
		t.Errorf("a good server: code %d\n%s", code, out)
	}
	if out, code := script(t, append(quick, "--", "-a", "wrong")...); code != 1 || !strings.Contains(out, "FAILED: ") {
		t.Errorf("every reply is an error: code %d\n%s", code, out)
	}
}

func TestScriptNamesWhatIsWrongWithItsArguments(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	l.Close()
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--help"}, 0, "Usage: "},
		{nil, 2, "HOST:PORT is missing"},
		{[]string{"localhost"}, 2, "is not HOST:PORT"},
		{[]string{"--requests", "0", "h:1"}, 2, "takes a number"},
		{[]string{"--requests"}, 2, "needs a value"},
		{[]string{"--nosuch"}, 2, "unknown option"},
		{[]string{"a:1", "b:1"}, 2, "two targets"},
		{[]string{closed}, 1, "nothing accepts connections"},
	} {
		if out, code := script(t, c.args...); code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%v: code %d, want %d and %q:\n%s", c.args, code, c.code, c.want, out)
		}
	}
}

func TestScriptGivesUpOnAServerThatNeverAnswers(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	out, code := script(t, "--quick", "--timeout", "1", "--tests", "get", silent.Addr().String())
	if code != 1 || !strings.Contains(out, "no end after 1 s") {
		t.Errorf("code %d\n%s", code, out)
	}
}
