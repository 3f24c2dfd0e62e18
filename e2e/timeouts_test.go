package e2e

import (
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

// busyFor is a script that keeps the server for so many milliseconds.
const busyFor = `local function now() local t = redis.call('TIME') return t[1] * 1000000 + t[2] end
local till = now() + ARGV[1] * 1000
while now() < till do end
return 'done'`

// Redis answers a pipeline of scripts when all have run. Each takes less than the timeout, together they take longer.
func TestPipelineOfSlowScriptsIsAnswered(t *testing.T) {
	s := testkit.Redis(t)
	proxy := testkit.Proxy(t, []string{s.Addr}, "--timeout", "500ms", "--loops", "1")
	c := testkit.Dial(t, proxy.Addr)
	const scripts = 24
	// Replies to small commands make the window large enough for all of them.
	c.Send(strings.Repeat(testkit.Request("ECHO", "x"), scripts))
	for range scripts {
		c.Read1()
	}
	c.Send(strings.Repeat(testkit.Request("EVAL", busyFor, "0", "80"), scripts) + testkit.Request("ECHO", "last"))
	testkit.Until(t, "the scripts to run", func() bool { return proxy.Metric(t, "ringmaster_server_in_flight_requests") > 1 })
	other := testkit.Dial(t, proxy.Addr)
	if got := other.Do("GET", "x"); !strings.HasPrefix(got, "-ERR timed out after 500 ms") {
		t.Errorf("another client, which has to wait for them, gets %q", got)
	}
	for i := range scripts {
		if got := c.Read1(); got != "$4\r\ndone\r\n" {
			t.Fatalf("script %d: %q", i, got)
		}
	}
	if got := c.Read1(); got != "$4\r\nlast\r\n" {
		t.Errorf("what comes after them: %q", got)
	}
	if got := other.Do("GET", "x"); got != "$-1\r\n" {
		t.Errorf("the other client then gets %q", got)
	}
}

func TestSubscriptionsAtAServerThatHangsEndWithinTheTimeout(t *testing.T) {
	s := testkit.Redis(t)
	proxy := testkit.Proxy(t, []string{s.Addr}, "--timeout", "300ms")
	subscribed := "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"
	first, second := testkit.Dial(t, proxy.Addr), testkit.Dial(t, proxy.Addr)
	if got := first.Do("SUBSCRIBE", "c"); got != subscribed {
		t.Fatal(got)
	}
	s.Stop()
	for range 3 {
		if got := second.Do("SUBSCRIBE", "c"); !strings.HasPrefix(got, "-ERR timed out after 300 ms") {
			t.Errorf("SUBSCRIBE: %q", got)
		}
	}
	if got := first.Do("UNSUBSCRIBE", "c"); got != "*3\r\n$11\r\nunsubscribe\r\n$1\r\nc\r\n:0\r\n" {
		t.Errorf("UNSUBSCRIBE: %q", got)
	}
	s.Cont()
	testkit.Until(t, "the server to answer", func() bool { return second.Do("GET", "x") == "$-1\r\n" })
	if got := second.Do("SUBSCRIBE", "c"); got != subscribed {
		t.Errorf("SUBSCRIBE at the server that works again: %q", got)
	}
	if got := first.Do("PUBLISH", "c", "hello"); got != ":1\r\n" {
		t.Errorf("PUBLISH reaches %q", got)
	}
	if got := second.Read1(); got != "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$5\r\nhello\r\n" {
		t.Errorf("the message: %q", got)
	}
}
