package e2e

import (
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
