package e2e

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

// namedShards is threeShards with servers called a, b and c, which log every command.
func namedShards(t *testing.T, flags ...string) (proxy *testkit.Server, shards []*testkit.Server) {
	t.Helper()
	var addrs []string
	for _, name := range []string{"a", "b", "c"} {
		s := testkit.Redis(t, "--slowlog-log-slower-than", "0", "--slowlog-max-len", "1000", "--enable-debug-command", "yes", "--latency-monitor-threshold", "1")
		shards, addrs = append(shards, s), append(addrs, s.Addr+"@"+name)
	}
	return testkit.Proxy(t, addrs, flags...), shards
}

// parsed is a reply, which must be no error.
func parsed(t *testing.T, c *testkit.Conn, args ...string) testkit.Value {
	t.Helper()
	v, err := testkit.ParseValue([]byte(c.Do(args...)))
	if err != nil || v.Kind == '-' {
		t.Fatalf("%q: %v, %v", args, v, err)
	}
	return v
}

// field is a value of a map by its name.
func field(v testkit.Value, name string) testkit.Value {
	for i := 0; i+1 < len(v.Elems); i += 2 {
		if v.Elems[i].Text == name {
			return v.Elems[i+1]
		}
	}
	return testkit.Value{}
}

// shape is a reply with the words that name things only.
func shape(v testkit.Value, depth int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%c", v.Kind)
	if depth == 0 || len(v.Elems) == 0 || v.Elems[0].Kind != '$' || v.Kind != '%' && (v.Kind != '*' || len(v.Elems)%2 == 1) {
		return b.String()
	}
	for i := 0; i+1 < len(v.Elems); i += 2 {
		fmt.Fprintf(&b, " %s=%s", v.Elems[i].Text, shape(v.Elems[i+1], depth-1))
	}
	return b.String()
}

func TestServersDescribedTogetherHaveTheShapesOfOne(t *testing.T) {
	proxy, shards := namedShards(t, "--admin-commands", "allow")
	for _, s := range shards {
		c := testkit.Dial(t, s.Addr)
		c.Do("DEBUG", "SLEEP", "0.01")
		c.Do("AUTH", "nobody", "x")
		c.Do("SET", "k", "v")
	}
	for _, proto := range []string{"2", "3"} {
		p, d := testkit.Dial(t, proxy.Addr), testkit.Dial(t, shards[0].Addr)
		p.Do("HELLO", proto)
		d.Do("HELLO", proto)
		for _, cmd := range []string{
			"MEMORY STATS", "LATENCY HISTOGRAM set", "FUNCTION STATS", "MEMORY DOCTOR", "MEMORY MALLOC-STATS", "LATENCY DOCTOR",
			"LATENCY GRAPH command", "ROLE", "LASTSAVE", "MEMORY PURGE", "LATENCY RESET nosuch", "INFO", "INFO everything", "INFO.SHARD b memory",
		} {
			args := strings.Fields(cmd)
			direct := args
			if args[0] == "INFO.SHARD" {
				direct = append([]string{"INFO"}, args[2:]...)
			}
			if got, want := shape(parsed(t, p, args...), 3), shape(parsed(t, d, direct...), 3); got != want {
				t.Errorf("RESP%s %s\n%s\none server:\n%s", proto, cmd, got, want)
			}
		}
		for _, cmd := range []string{"SLOWLOG GET 1", "ACL LOG 1", "LATENCY LATEST", "LATENCY HISTORY command"} {
			args := strings.Fields(cmd)
			got, want := parsed(t, p, args...), parsed(t, d, args...)
			if len(got.Elems) == 0 || len(want.Elems) == 0 || shape(got.Elems[0], 2) != shape(want.Elems[0], 2) {
				t.Errorf("RESP%s %s\n%v\none server:\n%v", proto, cmd, got, want)
			}
		}
	}
}

func TestServersDescribedTogether(t *testing.T) {
	proxy, shards := namedShards(t, "--admin-commands", "allow")
	c := testkit.Dial(t, proxy.Addr)
	const keys = 300
	for i := range keys {
		c.Do("SET", fmt.Sprintf("key:%d", i), "v")
	}
	if got := c.Do("CONFIG", "SET", "slowlog-log-slower-than", "-1"); got != "+OK\r\n" {
		t.Fatal(got)
	}
	if got := field(field(parsed(t, c, "LATENCY", "HISTOGRAM", "set"), "set"), "calls").Text; got != strconv.Itoa(keys) {
		t.Errorf("LATENCY HISTOGRAM has %s calls", got)
	}
	if got := field(parsed(t, c, "MEMORY", "STATS"), "keys.count").Text; got != strconv.Itoa(keys) {
		t.Errorf("MEMORY STATS has %s keys", got)
	}
	info := parsed(t, c, "INFO", "commandstats", "keyspace", "memory").Text
	for _, want := range []string{"cmdstat_set:calls=300,", "db0:keys=300,", "# Memory\r\n"} {
		if !strings.Contains(info, want) {
			t.Errorf("INFO lacks %q:\n%s", want, info)
		}
	}
	longest := parsed(t, c, "SLOWLOG", "GET", "-1").Elems
	if n := parsed(t, c, "SLOWLOG", "LEN").Text; n != strconv.Itoa(len(longest)) || len(longest) < keys {
		t.Errorf("SLOWLOG LEN says %s, GET gives %d", n, len(longest))
	}
	if !slices.IsSortedFunc(longest, func(a, b testkit.Value) int { return strings.Compare(b.Elems[1].Text, a.Elems[1].Text) }) {
		t.Error("SLOWLOG GET is not in the order of time")
	}
	if n := len(parsed(t, c, "SLOWLOG", "GET").Elems); n != 10 {
		t.Errorf("SLOWLOG GET gives %d", n)
	}
	for i, s := range shards {
		port := fmt.Sprintf("tcp_port:%d\r\n", s.Port(t))
		for _, name := range []string{strconv.Itoa(i), string(rune('a' + i))} {
			if text := parsed(t, c, "INFO.SHARD", name, "server").Text; !strings.Contains(text, port) {
				t.Errorf("INFO.SHARD %s is not of the server on %s:\n%s", name, port, text)
			}
		}
		if got := c.Do("DEBUG", "OBJECT", fmt.Sprintf("key:%d", i)); !strings.HasPrefix(got, "+Value at:") {
			t.Errorf("DEBUG OBJECT: %q", got)
		}
	}
	if text := parsed(t, c, "MEMORY", "DOCTOR").Text; strings.Count(text, "# a\n")+strings.Count(text, "# b\n")+strings.Count(text, "# c\n") != 3 {
		t.Errorf("MEMORY DOCTOR does not name each server:\n%s", text)
	}
	c.Do("FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function() return 1 end)")
	if got := field(field(field(parsed(t, c, "FUNCTION", "STATS"), "engines"), "LUA"), "libraries_count").Text; got != "1" {
		t.Errorf("FUNCTION STATS has %s libraries", got)
	}
	if got := parsed(t, c, "ROLE"); len(got.Elems) != 3 || got.Elems[0].Text != "master" {
		t.Errorf("ROLE: %v", got)
	}
}

// A proxy that renames commands talks as a Redis with the same lines of rename-command.
func TestRenamedCommandsAsInRedis(t *testing.T) {
	direct, behind := testkit.Redis(t, "--rename-command", "GET", "fetch", "--rename-command", "FLUSHALL", "", "--rename-command", "MULTI", "begin", "--rename-command", "CONFIG", "c"), testkit.Redis(t)
	proxy := testkit.Proxy(t, []string{behind.Addr}, "--rename-command", "GET=fetch,FLUSHALL=", "--rename-command", "multi=begin", "--rename-command", "config=c")
	for _, raw := range []string{
		req("SET k v") + req("FETCH k") + req("fetch k") + req("GET k"), req("FLUSHALL"), req("flushall async"), req("FETCH"), req("FETCH a b"),
		req("MULTI") + req("EXEC"), req("BEGIN") + req("FETCH k") + req("SET k w") + req("EXEC"), req("BEGIN") + req("GET k") + req("EXEC"),
		"fetch 'k'\r\n", req("HELLO 3") + req("FETCH none") + req("BEGIN") + req("FETCH none") + req("EXEC"), req("BEGIN") + req("BEGIN") + req("DISCARD"),
		req("C GET port2"), req("C NOSUCH x"), req("C GET"), req("C"), req("CONFIG GET x"),
	} {
		sameConversation(t, direct.Addr, proxy.Addr, raw)
	}
}

func TestFunctionStatsTellOfTheFunctionThatRuns(t *testing.T) {
	proxy, shards := namedShards(t, "--timeout", "30s")
	for _, s := range shards {
		testkit.Dial(t, s.Addr).Do("CONFIG", "SET", "busy-reply-threshold", "50")
	}
	busy, c := testkit.Dial(t, proxy.Addr), testkit.Dial(t, proxy.Addr)
	busy.Do("FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('forever', function() while true do end end)")
	busy.Send(testkit.Request("FCALL", "forever", "1", "k"))
	testkit.Until(t, "the function to be told of", func() bool {
		return field(field(parsed(t, c, "FUNCTION", "STATS"), "running_script"), "name").Text == "forever"
	})
	if got := c.Do("FUNCTION", "KILL"); got != "+OK\r\n" {
		t.Errorf("FUNCTION KILL: %q", got)
	}
	if got := busy.Read1(); !strings.HasPrefix(got, "-ERR") {
		t.Errorf("the function's client got %q", got)
	}
	if !parsed(t, c, "FUNCTION", "STATS").Elems[1].Null {
		t.Error("a function seems to run still")
	}
}
