package e2e

import (
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

// TestGuessingPasswordsIsSlowAndSeen guesses over several connections. Clients that are logged in are served meanwhile, and the right
// password gets in.
func TestGuessingPasswordsIsSlowAndSeen(t *testing.T) {
	proxy := testkit.Proxy(t, []string{testkit.Redis(t).Addr}, "--password", "secret")
	neighbour := testkit.Dial(t, proxy.Addr)
	neighbour.Do("AUTH", "secret")
	const guessers = 5
	for range guessers {
		c := testkit.Dial(t, proxy.Addr)
		c.Send(strings.Repeat(req("AUTH hunter2"), 2000))
	}
	testkit.Until(t, "attempts that wait", func() bool { return proxy.Metric(t, "ringmaster_logins_delayed_total") >= guessers })
	if got := neighbour.Do("SET", "k", "v"); got != "+OK\r\n" {
		t.Errorf("a neighbour: %q", got)
	}
	innocent := testkit.Dial(t, proxy.Addr)
	if got := innocent.Do("AUTH", "secret"); got != "+OK\r\n" {
		t.Errorf("the right password: %q", got)
	}
	before := proxy.Metric(t, "ringmaster_logins_failed_total")
	testkit.Until(t, "more attempts", func() bool { return proxy.Metric(t, "ringmaster_logins_failed_total") > before })
	if n := proxy.Metric(t, "ringmaster_logins_failed_total"); n > guessers*2000/5 {
		t.Errorf("%.0f of %d passwords were tried", n, guessers*2000)
	}
	log := proxy.Log()
	if !strings.Contains(log, "wrong user name or password") || !strings.Contains(log, "user=default") || strings.Contains(log, "hunter2") {
		t.Errorf("the log says:\n%s", log)
	}
}
