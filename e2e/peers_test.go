package e2e

import (
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

// What other proxies were seen to get wrong in front of a Redis. Each input goes to a plain Redis and through the proxy, on
// connections of its own; every byte that comes back until the connection closes must be the same.
func TestWhatPeersGetWrong(t *testing.T) {
	p := newPair(t)
	line := func(commands ...string) string {
		var b strings.Builder
		for _, c := range commands {
			b.WriteString(testkit.Request(strings.Fields(c)...))
		}
		return b.String()
	}
	nested := "local t = {1} for i = 1, 60 do t = {t, 'x'} end return t"
	for _, c := range []struct{ name, input string }{
		{"a nil array nested in a reply", line("GEOADD geo 1 1 here", "GEOPOS geo here nowhere", "GET x")},
		{"a blocking command that finds nothing in a transaction", line("MULTI", "BLPOP none 1", "EXEC", "GET x")},
		{"newer forms of old commands", line("SET k v", "EXPIRE k 100 NX", "EXPIRE k 50 GT", "BITCOUNT k 0 -1 BIT", "RPUSH l 1 2 3", "LPOP l 2",
			"ZADD z 1 a 2 b", "ZRANGE z 1 2 BYSCORE LIMIT 0 1", "SET s v GET", "GETEX s PERSIST", "SCAN 0 TYPE none", "COMMAND GETKEYS GET x",
			"COMMAND INFO nothing", "PERSIST k", "COPY k k2 REPLACE", "LPOS l 3 RANK -1", "SINTERCARD 1 l LIMIT 1")},
		{"RESTORE with options", line("SET d v") + testkit.Request("RESTORE", "r", "0", "\x00\x01v\x0a\x00", "REPLACE", "ABSTTL", "IDLETIME", "5")},
		{"PING of a subscriber", line("SUBSCRIBE c", "PING", "PING hello", "UNSUBSCRIBE", "PING")},
		{"a length below zero", line("PING") + "*1\r\n$-20\r\n"},
		{"a length out of range", line("PING") + "*2147483648\r\n"},
		{"a length that is no number", line("PING") + "*abc\r\n"},
		{"a bulk too long", line("PING") + "*1\r\n$9999999999\r\n"},
		{"no bulk where one must be", line("PING") + "*1\r\n!x\r\n"},
		{"a deeply nested reply", testkit.Request("EVAL", nested, "0") + line("GET x")},
		{"a script to be killed where none runs", line("SCRIPT KILL", "GET x")},
		{"an unknown command among others", line("SET a 1", "NOSUCH b c", "GET a", "CLIENT NOSUCH x", "GET a")},
		{"what clients send when they connect",
			line("CLIENT SETNAME you", "CLIENT GETNAME", "READONLY", "SELECT 1", "SELECT 0")},
		{"what sets the stage for a test suite", line("SET a 1", "SELECT 9", "FLUSHALL", "FUNCTION FLUSH", "SELECT 0", "GET a", "DBSIZE")},
		{"inline commands", "PING\r\nSET i 1\r\nGET i\r\nECHO 'a b'\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			said := func(addr string) string {
				conn := testkit.Dial(t, addr)
				conn.Send(c.input + testkit.Request("QUIT"))
				all, err := conn.Rest()
				if err != nil {
					t.Fatalf("%s: %v after %q", addr, err, all)
				}
				return all
			}
			if want, got := said(p.direct.Addr), said(p.proxy); got != want {
				t.Errorf("direct: %q\nproxy:  %q", want, got)
			}
		})
	}
}

// CONFIG SET is the server's, inside a transaction too, and INFO is what clients look for a version in.
func TestConfigurationIsTheServers(t *testing.T) {
	s := testkit.Redis(t)
	c := testkit.Dial(t, testkit.Proxy(t, []string{s.Addr}, "--admin-commands", "allow").Addr)
	direct := testkit.Dial(t, s.Addr)
	c.Do("CONFIG", "SET", "maxmemory", "100mb")
	if got, want := direct.Do("CONFIG", "GET", "maxmemory"), testkit.Request("maxmemory", "104857600"); got != want {
		t.Errorf("maxmemory is %q, want %q", got, want)
	}
	c.Do("MULTI")
	c.Do("CONFIG", "SET", "maxmemory", "200mb")
	c.Do("EXEC")
	if got, want := direct.Do("CONFIG", "GET", "maxmemory"), testkit.Request("maxmemory", "209715200"); got != want {
		t.Errorf("after EXEC maxmemory is %q, want %q", got, want)
	}
	if info := c.Do("INFO"); !strings.Contains(info, "\r\nredis_version:") {
		t.Errorf("INFO has no version: %.300q", info)
	}
}

// Neither a client that leaves while it is blocked nor a server that closes the connections harms the commands that follow.
func TestOthersGoOnAfterALoss(t *testing.T) {
	s := testkit.Redis(t)
	proxy := testkit.Proxy(t, []string{s.Addr}, "--loops", "1")
	direct := testkit.Dial(t, s.Addr)
	other := testkit.Dial(t, proxy.Addr)
	for range 3 {
		gone := testkit.Dial(t, proxy.Addr)
		gone.Send(testkit.Request("BRPOPLPUSH", "none", "nowhere", "0"))
		testkit.Until(t, "the client to be blocked", func() bool { return strings.Contains(direct.Do("INFO", "clients"), "blocked_clients:1\r\n") })
		gone.Close()
		testkit.Until(t, "nobody to be blocked", func() bool { return strings.Contains(direct.Do("INFO", "clients"), "blocked_clients:0\r\n") })
		if got := other.Do("SET", "x", "1") + other.Do("GET", "x"); got != "+OK\r\n$1\r\n1\r\n" {
			t.Fatalf("another client got %q", got)
		}
	}
	direct.Do("CLIENT", "KILL", "TYPE", "normal")
	testkit.Until(t, "the proxy to be connected again", func() bool { return other.Do("GET", "x") == "$1\r\n1\r\n" })
}
