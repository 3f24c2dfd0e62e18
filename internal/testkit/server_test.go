package testkit

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRedisRestartsOnItsPortAfterAKill(t *testing.T) {
	s := Redis(t, "--requirepass", "secret")
	if got := Dial(t, s.Addr).Do("AUTH", "secret"); got != "+OK\r\n" {
		t.Fatalf("AUTH: %q", got)
	}
	s.Kill()
	if Answers(s.Addr) {
		t.Fatal("a killed server answers")
	}
	s.Restart(t)
	if got := Dial(t, s.Addr).Do("GET", "k"); !strings.HasPrefix(got, "-NOAUTH") {
		t.Errorf("after the restart GET answered %q, want NOAUTH: the arguments are lost", got)
	}
	if s.RSS(t) < 1<<20 || s.FDs(t) < 3 || s.PeakRSS(t) < s.RSS(t)/2 {
		t.Errorf("implausible figures: RSS %d, descriptors %d", s.RSS(t), s.FDs(t))
	}
	if code := s.Terminate(t, Patience); code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
}

func TestStoppedServerTimesOutAndContinues(t *testing.T) {
	s := Redis(t)
	c := Dial(t, s.Addr)
	s.Stop()
	c.Patience = 50 * time.Millisecond
	if _, err := c.Call("PING"); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("a stopped server: error %v, want a timeout", err)
	}
	s.Cont()
	c.Patience = Patience
	if got := c.Read1(); got != "+PONG\r\n" {
		t.Errorf("after going on: %q", got)
	}
}

func TestNutcrackerServesItsPool(t *testing.T) {
	s := Redis(t)
	n := Nutcracker(t, []string{s.Addr + ":1 one"}, "distribution: ketama", "hash: fnv1a_64")
	c := Dial(t, n.Addr)
	if got := c.Do("SET", "k", "v"); got != "+OK\r\n" {
		t.Fatalf("SET: %q", got)
	}
	if got := Dial(t, s.Addr).Do("GET", "k"); got != "$1\r\nv\r\n" {
		t.Errorf("the server behind has %q", got)
	}
}

func TestForwarderCutsAReplyInItsMiddle(t *testing.T) {
	s := Redis(t)
	f := NewForwarder(t, s.Addr)
	c := Dial(t, f.Addr)
	if got := c.Do("SET", "k", "0123456789"); got != "+OK\r\n" {
		t.Fatalf("SET: %q", got)
	}
	f.CutReply()
	raw, err := c.Call("GET", "k")
	if err == nil {
		t.Fatalf("a whole reply came through the cut: %q", raw)
	}
	if f.Cuts() != 1 {
		t.Errorf("%d cuts, want 1", f.Cuts())
	}
	again := Dial(t, f.Addr)
	if got := again.Do("GET", "k"); got != "$10\r\n0123456789\r\n" {
		t.Errorf("after the cut: %q", got)
	}
	f.Reset()
	if _, err := again.Call("PING"); err == nil {
		t.Error("a reset connection answers")
	}
}

func TestFakeShardRunsItsScriptPerConnection(t *testing.T) {
	f := NewFakeShard(t, Answering(func(n int, args []string) string {
		return "+" + strings.Repeat("x", n) + args[0] + "\r\n"
	}))
	first, second := Dial(t, f.Addr), Dial(t, f.Addr)
	if got := first.Do("SELECT", "1") + first.Do("GET"); got != "+OK\r\n+GET\r\n" {
		t.Errorf("first connection: %q", got)
	}
	if got := second.Do("GET"); got != "+xGET\r\n" {
		t.Errorf("second connection: %q", got)
	}
	if f.Accepted() != 2 {
		t.Errorf("%d connections accepted, want 2", f.Accepted())
	}
}
