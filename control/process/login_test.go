package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"ringmaster/control/config"
	"ringmaster/internal/respclient"
	"ringmaster/internal/testkit"
)

func TestMain(m *testing.M) { os.Exit(testkit.Main(m)) }

func TestALoginIsTriedAtARealServer(t *testing.T) {
	closed, open := testkit.Redis(t, "--requirepass", "secret"), testkit.Redis(t)
	gone := testkit.Redis(t)
	gone.Stop()
	as := func(user, password string) respclient.Options {
		return respclient.Options{Username: user, Password: password, Timeout: time.Second}
	}
	p := newProcess(Options{})
	for _, c := range []struct {
		servers []string
		o       respclient.Options
		code    string // of the refusal; "": it is accepted; "untried": no server is there
	}{
		{[]string{closed.Addr}, as("", "secret"), ""},
		{[]string{closed.Addr}, as("default", "secret"), ""},
		{[]string{closed.Addr}, as("", "wrong"), "WRONGPASS"},
		{[]string{closed.Addr}, as("nobody", "secret"), "WRONGPASS"},
		{[]string{closed.Addr}, as("", ""), "NOAUTH"},
		{[]string{open.Addr}, as("", ""), ""},
		{[]string{open.Addr}, as("", "secret"), "ERR"},
		{[]string{gone.Addr}, as("", "wrong"), "untried"},
		{[]string{gone.Addr, closed.Addr}, as("", "wrong"), "WRONGPASS"},
		{nil, as("", "wrong"), "untried"},
	} {
		err := p.tryLogin(t.Context(), c.servers, c.o)
		var refusal *respclient.Refusal
		got := fmt.Sprint(err)
		switch {
		case err == nil:
			got = ""
		case errors.Is(err, errUntried):
			got = "untried"
		case errors.As(err, &refusal):
			got = refusal.Code()
		}
		if got != c.code {
			t.Errorf("%v as %v: %v, want %q", c.servers, c.o, err, c.code)
		}
	}
}

// TestOnlyLoginsThatAreNewAreTried covers the logins at servers and at sentinels.
func TestOnlyLoginsThatAreNewAreTried(t *testing.T) {
	const sentinel = "\n  s: {servers: 's:1', topology: sentinel, sentinel-masters: m, sentinel-password: sp, password: p}\n"
	r := newRig(t, oneOfEach+sentinel)
	for _, c := range []struct {
		text string
		want []string
	}{
		{oneOfEach + sentinel + "idle-timeout: 1s\n", nil},
		{oneOfEach + "\n  s: {servers: 's:1', topology: sentinel, sentinel-masters: m, sentinel-password: other, password: p}\n", []string{"s:1 other"}},
		{oneOfEach + "\n  s: {servers: 's:1', topology: sentinel, sentinel-masters: m, sentinel-password: other, password: q}\n", []string{"n:1 q"}},
		{oneOfEach + "  new: {servers: 'x:1,y:1', password: z}\n", []string{"x:1 z"}},
	} {
		var tried []string
		r.process.login = func(_ context.Context, addr string, o respclient.Options) error {
			tried = append(tried, addr+" "+o.Password)
			return nil
		}
		r.mustReload(c.text)
		if !slices.Equal(tried, c.want) {
			t.Errorf("%s: %q were tried, want %q", c.text, tried, c.want)
		}
	}
}

func TestAWrongPasswordFileIsNamed(t *testing.T) {
	r := newRig(t, oneOfEach)
	path := r.file.path + ".password"
	if err := os.WriteFile(path, []byte("p\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.process.login = func(context.Context, string, respclient.Options) error {
		return &respclient.Refusal{Command: "AUTH", Text: "WRONGPASS no"}
	}
	_, err := r.again(oneOfEach + "upstream-password-file: " + path + "\n")
	var ps config.Problems
	if !errors.As(err, &ps) || len(ps) != 1 || ps[0].Setting != "upstreams.u.password-file" || ps[0].Where != r.file.path+":7" {
		t.Errorf("%v", err)
	}
}

// TestALoginThatCouldNotBeTriedIsLogged: the reload goes on, but the operator must not think that the password is
// right.
func TestALoginThatCouldNotBeTriedIsLogged(t *testing.T) {
	r := newRig(t, oneOfEach)
	r.process.login = func(context.Context, string, respclient.Options) error { return io.EOF }
	r.mustReload(oneOfEach + "  new: {servers: 'x:1'}\n")
	if log := r.log.String(); strings.Contains(log, "could not be tried") {
		t.Errorf("there is no password that could be wrong: %s", log)
	}
	r.mustReload(oneOfEach + "  new: {servers: 'x:1', password: z}\n")
	if log := r.log.String(); !strings.Contains(log, "level=WARN msg=\"the new login could not be tried") || !strings.Contains(log, "upstreams.new.password: ") ||
		!strings.Contains(log, "x:1: EOF") {
		t.Error(log)
	}
}
