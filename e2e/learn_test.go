package e2e

import (
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

// A renamed command is one that the proxy's table does not know, as a module's would be.
func TestCommandsThatOnlyTheServersKnowAreRouted(t *testing.T) {
	rename := []string{"--rename-command", "INCR", "my.incr", "--rename-command", "EVAL", "my.eval"}
	a, b := testkit.Redis(t, rename...), testkit.Redis(t, rename...)
	proxy := testkit.Proxy(t, []string{a.Addr + "@a", b.Addr + "@b"}, "--loops", "1", "--hash-tag", "{}")
	c := testkit.Dial(t, proxy.Addr)
	for _, k := range []string{"one", "two", "three", "four", "five"} {
		c.Do("SET", k, "41")
		if got := c.Do("MY.INCR", k); got != ":42\r\n" {
			t.Errorf("%s: %q", k, got)
		}
	}
	if got := c.Do("my.eval", "return redis.call('get', KEYS[1])", "1", "two"); got != "$2\r\n42\r\n" {
		t.Errorf("a script: %q", got)
	}
	if got := c.Do("my.none", "x"); got != "-ERR unknown command 'my.none', with args beginning with: 'x' \r\n" {
		t.Errorf("what nobody knows: %q", got)
	}
	if got := c.Do("my.incr"); got != "-ERR wrong number of arguments for 'incr' command\r\n" {
		t.Errorf("too few words: %q", got)
	}
}

// A server that has renamed COMMAND, or whose rules forbid it, can't say what a command is.
func TestAServerThatGivesNoCommandInfo(t *testing.T) {
	renamed := testkit.Redis(t, "--rename-command", "COMMAND", "", "--rename-command", "GET", "my.get")
	c := testkit.Dial(t, testkit.Proxy(t, []string{renamed.Addr}).Addr)
	for _, words := range [][]string{{"NOSUCH", "x"}, {"my.get", "k"}} {
		want := "-ERR unknown command '" + words[0] + "', with args beginning with: '" + words[1] + "' \r\n"
		if got := c.Do(words...); got != want {
			t.Errorf("%s: %q", words, got)
		}
	}
	c = testkit.Dial(t, testkit.Proxy(t, []string{renamed.Addr}, "--admin-commands", "allow").Addr)
	c.Do("SET", "k", "v")
	if got := c.Do("my.get", "k"); got != "$1\r\nv\r\n" {
		t.Errorf("passed on: %q", got)
	}
	if got := c.Do("NOSUCH", "x"); got != testkit.Dial(t, renamed.Addr).Do("NOSUCH", "x") {
		t.Errorf("NOSUCH passed on: %q", got)
	}
	forbids := testkit.Redis(t)
	testkit.Dial(t, forbids.Addr).Do("ACL", "SETUSER", "app", "on", ">x", "~*", "&*", "+@all", "-command")
	c = testkit.Dial(t, testkit.Proxy(t, []string{forbids.Addr}, "--upstream-username", "app", "--upstream-password", "x").Addr)
	if got := c.Do("NOSUCH", "x"); got != "-ERR unknown command 'NOSUCH', with args beginning with: 'x' \r\n" {
		t.Errorf("NOSUCH: %q", got)
	}
}

func TestWhatIsDeniedStaysDeniedUnderAServersName(t *testing.T) {
	rename := []string{"--rename-command", "KEYS", "xkeys", "--rename-command", "CONFIG", "xconfig", "--rename-command", "FLUSHALL", "xflush"}
	a, b := testkit.Redis(t, rename...), testkit.Redis(t, rename...)
	for _, upstreams := range [][]string{{a.Addr}, {a.Addr, b.Addr}} {
		c := testkit.Dial(t, testkit.Proxy(t, upstreams, "--deny-commands", "keys,flushall,graph.list").Addr)
		for _, words := range [][]string{{"xkeys", "*"}, {"XFLUSH"}, {"xconfig", "SET", "maxmemory", "0"}, {"xconfig", "RESETSTAT"}} {
			if got := c.Do(words...); !strings.HasPrefix(got, "-NOPERM") {
				t.Errorf("%s: %q", words, got)
			}
			c.Do("MULTI")
			if got := c.Do(words...); !strings.HasPrefix(got, "-NOPERM") {
				t.Errorf("%s in a transaction: %q", words, got)
			}
			c.Do("DISCARD")
		}
		if got := c.Do("xconfig", "GET", "port"); !strings.HasPrefix(got, "*2") {
			t.Errorf("CONFIG GET: %q", got)
		}
	}
}
