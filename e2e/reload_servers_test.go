package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

// TestReloadMovesKeysAsKetamaSays adds a server, and removes it again. A process that starts with the new list says where keys are.
func TestReloadMovesKeysAsKetamaSays(t *testing.T) {
	const keys, shards = 2000, 4
	var servers []*testkit.Server
	for range shards {
		servers = append(servers, testkit.Redis(t))
	}
	text := func(addr string, n int) string {
		var list []string
		for i, s := range servers[:n] {
			list = append(list, fmt.Sprintf("'%s:1@s%d'", s.Addr, i))
		}
		return fmt.Sprintf("listeners: [{address: '%s', upstream: main}]\nupstreams: {main: {servers: [%s]}}\n", addr, strings.Join(list, ", "))
	}
	proxyOf := func(n int) (*testkit.Server, *testkit.Conn) {
		var addr string
		proxy := testkit.ProxyWith(t, testkit.ProxyOptions{Settings: func(at string) string { addr = at; return text(at, n) }})
		return proxy, testkit.Dial(t, addr)
	}
	proxy, c := proxyOf(shards - 1)
	all := func(do func(key string) bool) (n int) {
		for i := range keys {
			if do(fmt.Sprintf("key:%d", i)) {
				n++
			}
		}
		return n
	}
	set := func(c *testkit.Conn, value string) {
		t.Helper()
		if n := all(func(key string) bool { return c.Do("SET", key, value) == "+OK\r\n" }); n != keys {
			t.Fatalf("%d keys of %d are set", n, keys)
		}
	}
	has := func(c *testkit.Conn, value string) int {
		return all(func(key string) bool { return c.Do("GET", key) == testkit.Request(value)[len("*1\r\n"):] })
	}
	set(c, "old")
	proxy.Reload(t, text(proxy.Addr, shards))
	_, fresh := proxyOf(shards)
	added := testkit.Dial(t, servers[shards-1].Addr)
	stayed := has(c, "old")
	if missing := all(func(key string) bool { return c.Do("GET", key) == "$-1\r\n" }); missing != keys-stayed {
		t.Errorf("%d keys stay, and %d are missing", stayed, missing)
	}
	if moved := keys - stayed; moved < keys/shards*7/10 || moved > keys/shards*13/10 {
		t.Errorf("%d keys of %d have moved to one server of %d", moved, keys, shards)
	}
	if n := has(fresh, "old"); n != stayed {
		t.Errorf("a process that is started with the list finds %d, the one that was told of it %d", n, stayed)
	}
	set(c, "new")
	if n := has(fresh, "new"); n != keys {
		t.Errorf("a process that is started with the list finds %d of what the other has written", n)
	}
	if got := added.Do("DBSIZE"); got != fmt.Sprintf(":%d\r\n", keys-stayed) {
		t.Errorf("the server that was added has %q keys, %d have moved", got, keys-stayed)
	}
	proxy.Reload(t, text(proxy.Addr, shards-1))
	if n := has(c, "old"); n != keys-stayed {
		t.Errorf("after the server was removed %d have the value from before it came, want %d", n, keys-stayed)
	}
	if n := has(c, "new"); n != stayed {
		t.Errorf("after the server was removed %d keys that never moved have their value, want %d", n, stayed)
	}
}

// TestAServerThatComesBackSendsNothingTwice takes each server off the list and puts it back at once, so that the connection over which
// its messages came is still open.
func TestAServerThatComesBackSendsNothingTwice(t *testing.T) {
	var list []string
	for i := range 3 {
		list = append(list, fmt.Sprintf("'%s:1@s%d'", testkit.Redis(t).Addr, i))
	}
	var addr string
	text := func(without int) string {
		servers := slices.Clone(list)
		if without >= 0 {
			servers = slices.Delete(servers, without, without+1)
		}
		return fmt.Sprintf("listeners: [{address: '%s', upstream: main}]\nupstreams: {main: {servers: [%s]}}\n", addr, strings.Join(servers, ", "))
	}
	proxy := testkit.ProxyWith(t, testkit.ProxyOptions{Settings: func(at string) string { addr = at; return text(-1) }})
	const channels = 10
	var listens, patterns, publishes *testkit.Conn
	for _, c := range []**testkit.Conn{&listens, &patterns, &publishes} {
		*c = testkit.Dial(t, addr)
	}
	for i := range channels {
		listens.Do("SUBSCRIBE", fmt.Sprintf("news:%d", i))
	}
	patterns.Do("PSUBSCRIBE", "news:*")
	n := 0
	publish := func(when string) {
		t.Helper()
		for i := range channels {
			n++
			channel, word := fmt.Sprintf("news:%d", i), fmt.Sprintf("word %d", n)
			if got := publishes.Do("PUBLISH", channel, word); got != ":2\r\n" {
				t.Errorf("%s: %s reached %q", when, channel, got)
			}
			if got, want := listens.Read1(), testkit.Request("message", channel, word); got != want {
				t.Fatalf("%s: the subscriber got %q, want %q", when, got, want)
			}
			if got, want := patterns.Read1(), testkit.Request("pmessage", "news:*", channel, word); got != want {
				t.Fatalf("%s: the one with a pattern got %q, want %q", when, got, want)
			}
		}
	}
	for round := range 5 {
		for i := range list {
			proxy.Reload(t, text(i))
			if round%2 == 0 {
				publish(fmt.Sprintf("round %d without server %d", round, i))
			}
			proxy.Reload(t, text(-1))
			publish(fmt.Sprintf("round %d with server %d again", round, i))
		}
	}
}

// TestMessagesAreCountedRightAfterMoves moves channels to other servers and back at once, with subscribers who stay and some who left.
func TestMessagesAreCountedRightAfterMoves(t *testing.T) {
	const channels = 50
	a, b := testkit.Redis(t), testkit.Redis(t)
	var addr string
	text := func(weight int) string {
		return fmt.Sprintf("listeners: [{address: '%s', upstream: main}]\nupstreams: {main: {servers: ['%s:1@a', '%s:%d@b']}}\n", addr, a.Addr, b.Addr, weight)
	}
	proxy := testkit.ProxyWith(t, testkit.ProxyOptions{Settings: func(at string) string { addr = at; return text(1) }})
	stays, leaves, publishes := testkit.Dial(t, addr), testkit.Dial(t, addr), testkit.Dial(t, addr)
	for i := range channels {
		stays.Do("SUBSCRIBE", fmt.Sprintf("stays:%d", i))
		leaves.Do("SUBSCRIBE", fmt.Sprintf("leaves:%d", i))
	}
	proxy.Reload(t, text(9))
	for i := range channels {
		leaves.Do("UNSUBSCRIBE", fmt.Sprintf("leaves:%d", i))
	}
	for round := range 4 {
		proxy.Reload(t, text([]int{1, 9}[round%2]))
		for i := range channels {
			kept, left, word := fmt.Sprintf("stays:%d", i), fmt.Sprintf("leaves:%d", i), fmt.Sprintf("%d of round %d", i, round)
			if got := publishes.Do("PUBLISH", kept, word) + publishes.Do("PUBLISH", left, word); got != ":1\r\n:0\r\n" {
				t.Errorf("round %d: %s and %s reached %q", round, kept, left, got)
			}
			if got, want := stays.Read1(), testkit.Request("message", kept, word); got != want {
				t.Fatalf("round %d: the subscriber got %q, want %q", round, got, want)
			}
		}
	}
}
