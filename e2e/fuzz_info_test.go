package e2e

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"ringmaster/internal/testkit"
)

// What a server says of its own commands is made up: names, arities, flags, keys, tips. Clients give such commands in all forms.
// The proxy lives, answers everybody, and a bystander at the same server gets its replies.
func TestFuzzCommandInfo(t *testing.T) {
	z := &infoFuzz{fuzzRun: newFuzz(t)}
	servers := []string{z.server(t), z.server(t), z.server(t)}
	for z.more() && !t.Failed() || z.more() && len(z.sites) < 20 {
		z.round(t, servers[:pick(z.fuzzRun, 1, 2, 3)])
	}
	t.Logf("%d commands made up", z.tried)
}

type infoFuzz struct {
	*fuzzRun
	names int

	mu   sync.Mutex
	info string // the answer to COMMAND INFO
	odd  string // the answer to commands that nobody knows
}

// server answers what a plain one does, but for COMMAND INFO and the commands that it brings.
func (z *infoFuzz) server(t *testing.T) string {
	t.Helper()
	return testkit.NewFakeShard(t, testkit.Answering(func(_ int, args []string) string {
		z.mu.Lock()
		defer z.mu.Unlock()
		switch strings.ToUpper(args[0]) {
		case "COMMAND":
			return z.info
		case "ECHO":
			return bulk(args[1])
		case "GET":
			return bulk("value of " + args[1])
		case "MULTI", "WATCH", "UNWATCH", "DISCARD", "RESET", "READONLY":
			return "+OK\r\n"
		case "EVAL":
			return "-ERR no scripts here\r\n"
		}
		return z.odd
	})).Addr
}

// commandsOfOneProxy is how many commands a proxy learns before it is started again: it remembers a bounded number.
const commandsOfOneProxy = 200

func (z *infoFuzz) round(t *testing.T, servers []string) {
	t.Helper()
	flags := []string{"--loops", pick(z.fuzzRun, "1", "2"), "--admin-commands", pick(z.fuzzRun, "allow", "deny")}
	proxy := testkit.Proxy(t, servers, flags...)
	defer proxy.Kill()
	by := testkit.Dial(t, proxy.Addr)
	defer by.Close()
	for n := 0; n < commandsOfOneProxy && z.more(); n++ {
		z.names++
		name := fmt.Sprintf("mod%d.%s", z.names, pick(z.fuzzRun, "get", "set", "x", "del-all", "a_b"))
		z.mu.Lock()
		for z.info = z.answer(name); z.without != nil && z.without.MatchString(z.info); {
			z.info = z.answer(name)
		}
		z.odd = z.value(0)
		input := fmt.Sprintf("%d servers, %q\nCOMMAND INFO: %q\nthe command: %.300q\n", len(servers), flags, z.info, z.odd)
		z.mu.Unlock()
		for range 1 + z.rand.IntN(3) {
			wire := z.batch(name)
			z.tried++
			got, closed := askAll(proxy.Addr, wire, 12*time.Second)
			input += fmt.Sprintf("sent %q, got %.300q\n", wire, got)
			if !z.alive(t, proxy, input) {
				return
			}
			if !closed {
				t.Errorf("no end of the replies to\n%s", input)
				return
			}
		}
		if got, err := by.Call("GET", "k"); got != bulk("value of k") {
			t.Errorf("the bystander got %q, %v after\n%s", got, err, input)
			return
		}
	}
}

// batch gives the command in some form.
func (z *infoFuzz) batch(name string) []byte {
	if z.chance(3) {
		name = strings.ToUpper(name)
	}
	words := [][]string{
		{}, {}, {"a"}, {"a", "b"}, {"a", "b", "c", "d"}, {"1", "a"}, {"2", "a", "b"}, {"a", "2", "b", "c"}, {"a", "-1"}, {"", ""}, {"sub"}, {"sub", "a"}, {"SUB", "a", "b"},
		{"0"}, {"a", "STORE", "b"}, {"a", "KEYS", "b", "c"}, {"streams", "a", "0"}, {"-1", "a"}, {"9223372036854775807", "a"}, {"match", "x", "count", "1"}, {"on"}, {"yes"},
		strings.Split(strings.Repeat("w ", 50), " "), {"{t}a", "{t}b"}, {"a", "a"},
	}
	one := testkit.AppendRequest(nil, append([]string{name}, pick(z.fuzzRun, words...)...)...)
	request := func(words ...string) []byte { return testkit.AppendRequest(nil, words...) }
	var wire []byte
	add := func(parts ...[]byte) {
		for _, p := range parts {
			wire = append(wire, p...)
		}
	}
	if z.chance(3) {
		add(request("HELLO", "3"))
	}
	switch z.rand.IntN(14) {
	case 0:
		add(request("MULTI"), one, request("GET", "k"), request("EXEC"))
	case 1:
		add(request("WATCH", "w"), request("MULTI"), one, one, request("EXEC"))
	case 2:
		add(request("MULTI"), request("GET", "k"), one, request("DISCARD"))
	case 3:
		add(request("CLIENT", "NO-EVICT", "ON"), one, one)
	case 4:
		add(request("CLIENT", "REPLY", "OFF"), one, request("CLIENT", "REPLY", "ON"))
	case 5:
		add(request("COMMAND", "GETKEYS", name, "a", "b"), request("COMMAND", "INFO", name), request("COMMAND", "DOCS", name))
	case 6:
		add(request("CLIENT", "TRACKING", "ON"), one)
	case 7:
		add(one, request("GET", "k"), one, request("MGET", "a", "b", "c"), one)
	case 8:
		add(request("SELECT", "1"), one)
	case 9:
		add(request("CLIENT", "REPLY", "SKIP"), one, one)
	case 10:
		add([]byte(name + " a 'b c' \"\\x00\"\r\n"))
	default:
		add(one)
	}
	return wire
}

// answer is what the server says of the command name.
func (z *infoFuzz) answer(name string) string {
	switch z.rand.IntN(30) {
	case 0:
		return pick(z.fuzzRun, "*0\r\n", "*-1\r\n", "*1\r\n*-1\r\n", "$-1\r\n", "+OK\r\n", "-ERR no\r\n", ":1\r\n", "_\r\n", "*1\r\n$-1\r\n", "*1\r\n*0\r\n", "%1\r\n+a\r\n+b\r\n")
	case 1:
		return "*2\r\n" + z.spec(name, 0) + z.spec(name, 0)
	case 2:
		return z.value(0)
	case 3:
		return "*1\r\n" + z.value(0)
	}
	return "*1\r\n" + z.spec(name, 0)
}

// knownNames are those whose own code the proxy has, so that a learned command must not pass for one.
var knownNames = strings.Fields(`get set mget mset msetnx del exists touch unlink keys scan hscan randomkey dbsize georadius georadiusbymember geosearch sort sort_ro
	publish spublish subscribe psubscribe ssubscribe unsubscribe pubsub info info.shard client client|caching client|tracking client|reply client|no-evict client|list client|kill
	multi exec discard watch unwatch eval evalsha fcall fcall_ro eval_ro script script|load script|exists script|kill function function|load function|stats config config|get
	config|set cluster cluster|slots command command|info command|docs monitor reset hello auth quit select echo ping wait waitaof blpop brpop blmove bzmpop xread xreadgroup
	xgroup xinfo migrate debug shutdown sync psync replconf asking readonly readwrite flushall flushdb swapdb acl acl|log slowlog slowlog|get latency latency|histogram memory memory|usage
	object role time lolwut lastsave failover module replicaof save bitop pfcount pfmerge copy rename lcs zinterstore zunion sintercard lmpop dump restore`)

func (z *infoFuzz) name(asked string) string {
	switch z.rand.IntN(20) {
	case 0:
		return pick(z.fuzzRun, "", " ", "a\r\nb", "\x00", strings.Repeat("n", 5000), strings.ToUpper(asked), asked+"|sub", "|", "a|b|c", z.bytes(20))
	case 1, 2, 3, 4, 5, 6:
		return knownNames[z.rand.IntN(len(knownNames))]
	}
	return asked
}

func (z *infoFuzz) spec(asked string, depth int) string {
	name := z.name(asked)
	parts := []string{
		pick(z.fuzzRun, bulk(name), bulk(name), "+"+strings.Map(func(r rune) rune {
			if r < ' ' {
				return '_'
			}
			return r
		}, name)+"\r\n"),
		z.integer(), z.flags(), z.integer(), z.integer(), z.integer(), z.list(func() string { return "+@" + pick(z.fuzzRun, "read", "write", "dangerous", "admin") + "\r\n" }),
		z.list(z.tip), z.list(z.keySpec), "*0\r\n",
	}
	if z.chance(2) { // the triple and arity that modules have
		parts[1], parts[3], parts[4], parts[5] = ":-1\r\n", ":1\r\n", pick(z.fuzzRun, ":1\r\n", ":-1\r\n"), pick(z.fuzzRun, ":1\r\n", ":2\r\n")
	}
	if depth < 2 && z.chance(4) {
		parts[9] = z.list(func() string { return z.spec(asked+pick(z.fuzzRun, "|sub", "|SUB", "|", "sub", "|a"), depth+1) })
	}
	if z.chance(10) {
		parts[z.rand.IntN(len(parts))] = z.value(0)
	}
	if z.chance(8) {
		parts = parts[:z.rand.IntN(len(parts)+1)]
	}
	if z.chance(15) {
		parts = append(parts, z.value(0))
	}
	return fmt.Sprintf("*%d\r\n%s", len(parts), strings.Join(parts, ""))
}

func (z *infoFuzz) integer() string { return fmt.Sprintf(":%d\r\n", z.number()) }

func (z *infoFuzz) list(one func() string) string {
	n := pick(z.fuzzRun, 0, 0, 1, 1, 2, 3)
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", n)
	for range n {
		b.WriteString(one())
	}
	return b.String()
}

func (z *infoFuzz) flags() string {
	return z.list(func() string {
		return "+" + pick(z.fuzzRun, "write", "readonly", "denyoom", "admin", "pubsub", "noscript", "blocking", "loading", "stale", "skip_monitor", "skip_slowlog", "asking", "fast",
			"no_auth", "may_replicate", "no_mandatory_keys", "no_async_loading", "no_multi", "allow_busy", "movablekeys", "module", "touches_arbitrary_keys", "unheard_of", "") + "\r\n"
	})
}

func (z *infoFuzz) tip() string {
	return bulk(pick(z.fuzzRun, "request_policy:all_shards", "request_policy:all_nodes", "request_policy:multi_shard", "request_policy:multi_shard", "request_policy:special", "request_policy:", "request_policy:odd",
		"response_policy:all_succeeded", "response_policy:one_succeeded", "response_policy:agg_sum", "response_policy:agg_min", "response_policy:agg_max",
		"response_policy:agg_logical_and", "response_policy:agg_logical_or", "response_policy:special", "response_policy:odd", "nondeterministic_output", "nondeterministic_output_order", "odd"))
}

func (z *infoFuzz) keySpec() string {
	pairs := func(words ...string) string { return fmt.Sprintf("*%d\r\n%s", len(words), strings.Join(words, "")) }
	search := pairs(bulk("type"), bulk(pick(z.fuzzRun, "index", "index", "keyword", "unknown", "odd")), bulk("spec"), pairs(bulk(pick(z.fuzzRun, "index", "keyword")), pick(z.fuzzRun, z.integer(), bulk("KEYS")), bulk("startfrom"), z.integer()))
	find := pairs(bulk("type"), bulk(pick(z.fuzzRun, "range", "range", "keynum", "keynum", "unknown", "odd")), bulk("spec"), pairs(
		bulk(pick(z.fuzzRun, "lastkey", "keynumidx")), z.integer(), bulk(pick(z.fuzzRun, "keystep", "firstkey")), z.integer(), bulk(pick(z.fuzzRun, "limit", "keystep")), z.integer()))
	return pairs(bulk("flags"), z.flags(), bulk("begin_search"), search, bulk("find_keys"), find)
}

// value is one whole reply of any kind.
func (z *infoFuzz) value(depth int) string { return z.fuzzRun.value(depth, true) }
