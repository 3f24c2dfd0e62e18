package session_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"ringmaster/command"
	"ringmaster/parser"
)

// hostileReplies are what a server may answer to anything.
var hostileReplies = []string{
	"+OK\r\n", "-ERR no\r\n", ":1\r\n", ":-1\r\n", ":9223372036854775807\r\n", "$-1\r\n", "$0\r\n\r\n", "$1\r\nx\r\n", "*-1\r\n", "*0\r\n", "*1\r\n:1\r\n",
	"*1\r\n*-1\r\n", "*2\r\n$1\r\n0\r\n*0\r\n", "*2\r\n$20\r\n18446744073709551615\r\n*-1\r\n", "*2\r\n*0\r\n*0\r\n", "*3\r\n$6\r\nmaster\r\n:1\r\n*1\r\n*-1\r\n",
	"*4\r\n$0\r\n\r\n:1\r\n$1\r\na\r\n$1\r\nb\r\n", "_\r\n", "#t\r\n", ",1\r\n", "(1\r\n", "!2\r\nno\r\n", "=5\r\ntxt:x\r\n", "%0\r\n", "%1\r\n$1\r\na\r\n_\r\n",
	"%1\r\n*0\r\n%0\r\n", "~1\r\n:1\r\n", "*1\r\n*10\r\n$1\r\nx\r\n:1\r\n*0\r\n:0\r\n:0\r\n:0\r\n*0\r\n*0\r\n*0\r\n*0\r\n", "+QUEUED\r\n", "-EXECABORT x\r\n",
}

// hostileWords are the words of requests that no client should send.
var hostileWords = []string{
	"", "0", "1", "-1", "2", "99999999999999999999", "*", "x", "{A}k", "{B}k", "{C}k", "GET", "STORE", "STREAMS", "KEYS", "BLOCK", "ID", "TYPE", "ON", "OFF",
	"REDIRECT", "BCAST", "PREFIX", "YES", "NO", "withcode", "libraryname", "AUTH", "default", "SETNAME", "reset", "\r\n$1\r\n", "a\x00b", "normal", "COUNT",
}

// play has each server answer all that it has received, and the clients forget what they have got.
func (w *world) play(rnd *rand.Rand, answer func(args []string) string) {
	w.settle()
	for range 3 {
		for _, s := range w.ends {
			for _, args := range s.requests() {
				if answer != nil {
					if text := answer(args); text != "" {
						s.answer([]byte(text))
						continue
					}
				}
				s.answer([]byte(hostileReplies[rnd.IntN(len(hostileReplies))]))
			}
		}
		w.settle()
	}
	for _, c := range w.order {
		c.in = nil
	}
}

// hostileWorlds are the set-ups in which nothing that a client or a server says may end the process.
func hostileWorlds(tb testing.TB) map[string]func() *world {
	build := func(change func(*settings)) func() *world {
		return func() *world {
			scene := defaults()
			change(&scene)
			return newWorld(tb, scene)
		}
	}
	return map[string]func() *world{
		"one server":     build(func(s *settings) { s.servers = []string{"A"} }),
		"three":          build(func(*settings) {}),
		"three, allowed": build(func(s *settings) { s.session.AdminCommands = true; s.session.Cluster.Enabled = true }),
		"one, allowed":   build(func(s *settings) { s.servers = []string{"A"}; s.session.AdminCommands = true }),
		"cluster":        build(func(s *settings) { s.upstream.Cluster, s.session.AdminCommands = true, true }),
	}
}

// hostileSeed is HOSTILE_SEED, to try others.
func hostileSeed() uint64 {
	n, _ := strconv.ParseUint(os.Getenv("HOSTILE_SEED"), 10, 64)
	return n
}

func TestNoCommandPanicsWhateverItsWords(t *testing.T) {
	rnd := rand.New(rand.NewPCG(hostileSeed(), 2))
	for name, build := range hostileWorlds(t) {
		t.Run(name, func(t *testing.T) {
			w, rounds := build(), 0
			for _, spec := range command.All() {
				for extra := -1; extra < 5; extra++ {
					words := strings.Split(spec.Name, "|")
					for len(words) < max(spec.Arity, -spec.Arity)+extra {
						words = append(words, hostileWords[rnd.IntN(len(hostileWords))])
					}
					if rounds++; rounds%30 == 0 {
						w = build()
					}
					c := w.connect(fmt.Sprint("c", rounds))
					var b []byte
					if rnd.IntN(4) == 0 {
						b = parser.AppendRequest(b, "HELLO", "3")
					}
					if tx := rnd.IntN(3) == 0; tx {
						b = parser.AppendRequest(parser.AppendRequest(parser.AppendRequest(b, "MULTI"), words...), "EXEC")
					}
					c.send(parser.AppendRequest(b, words...))
					w.play(rnd, nil)
					c.leave()
					w.settle()
					if t.Failed() {
						t.Fatalf("after %q", words)
					}
				}
			}
		})
	}
}

// hostileInfo is what a hostile server may answer to COMMAND INFO for name.
func hostileInfo(rnd *rand.Rand, name string) string {
	pick := func(from ...string) string { return from[rnd.IntN(len(from))] }
	number := func() string {
		return pick("0", "1", "-1", "2", "3", "-2", "-3", "9", "-9", "65536", "-65536", "65537")
	}
	all := command.All()
	if rnd.IntN(3) == 0 {
		name = strings.ToLower(all[rnd.IntN(len(all))].Name)
	}
	list := func(from ...string) string {
		var b strings.Builder
		n := rnd.IntN(4)
		fmt.Fprintf(&b, "*%d\r\n", n)
		for range n {
			b.WriteString("+" + pick(from...) + "\r\n")
		}
		return b.String()
	}
	flags := func() string {
		return list("write", "readonly", "admin", "pubsub", "noscript", "blocking", "movablekeys", "module", "no_mandatory_keys", "no_auth", "no_multi")
	}
	tips := func() string {
		return list("request_policy:multi_shard", "request_policy:all_shards", "request_policy:all_nodes", "request_policy:special",
			"response_policy:all_succeeded", "response_policy:one_succeeded", "response_policy:agg_sum", "response_policy:agg_min",
			"response_policy:agg_logical_and", "response_policy:special")
	}
	keySpecs := func() string {
		n := rnd.IntN(3)
		b := fmt.Sprintf("*%d\r\n", n)
		for range n {
			begin := "*4\r\n+type\r\n+index\r\n+spec\r\n*2\r\n+index\r\n:" + number() + "\r\n"
			if rnd.IntN(2) == 0 {
				begin = "*4\r\n+type\r\n+keyword\r\n+spec\r\n*4\r\n+keyword\r\n+KEYS\r\n+startfrom\r\n:" + number() + "\r\n"
			}
			find := "*4\r\n+type\r\n+range\r\n+spec\r\n*6\r\n+lastkey\r\n:" + number() + "\r\n+keystep\r\n:" + number() + "\r\n+limit\r\n:" + number() + "\r\n"
			if rnd.IntN(2) == 0 {
				find = "*4\r\n+type\r\n+keynum\r\n+spec\r\n*6\r\n+keynumidx\r\n:" + number() + "\r\n+firstkey\r\n:" + number() + "\r\n+keystep\r\n:" + number() + "\r\n"
			}
			b += "*6\r\n+flags\r\n*0\r\n+begin_search\r\n" + begin + "+find_keys\r\n" + find
		}
		return b
	}
	one := func(name, subs string) string {
		step := number()
		if rnd.IntN(2) == 0 {
			return fmt.Sprintf("*10\r\n$%d\r\n%s\r\n:%s\r\n%s:1\r\n:-1\r\n:%s\r\n%s%s%s%s", len(name), name, number(), flags(), pick("1", "2"),
				list("@admin", "@connection"), tips(), keySpecs(), subs)
		}
		return fmt.Sprintf("*10\r\n$%d\r\n%s\r\n:%s\r\n%s:%s\r\n:%s\r\n:%s\r\n%s%s%s%s", len(name), name, number(), flags(), number(), number(), step,
			list("@dangerous", "@connection", "@read"), tips(), keySpecs(), subs)
	}
	subs := "*0\r\n"
	if rnd.IntN(4) == 0 {
		subs = "*2\r\n" + one(name+"|x", "*0\r\n") + one(pick(name+"|y", "client|caching", "x", name+"|"), "*0\r\n")
	}
	return "*1\r\n" + one(name, subs)
}

func TestNoAnswerToCommandInfoPanics(t *testing.T) {
	rnd := rand.New(rand.NewPCG(hostileSeed(), 4))
	for name, build := range hostileWorlds(t) {
		t.Run(name, func(t *testing.T) {
			w := build()
			for round := range 300 {
				if round%5 == 4 {
					w = build()
				}
				name := "m." + strconv.Itoa(round)
				hostileLesson(w, rnd, name, hostileInfo(rnd, name))
				if t.Failed() {
					t.Fatalf("after round %d", round)
				}
			}
		})
	}
}

// hostileLesson has a client give a command with 0 to 6 words, plain and in a transaction, about which the servers say info.
func hostileLesson(w *world, rnd *rand.Rand, name, info string) {
	for n := range 7 {
		words := []string{name}
		for range n {
			words = append(words, hostileWords[rnd.IntN(len(hostileWords))])
		}
		c := w.connect(fmt.Sprint(name, n))
		c.send(parser.AppendRequest(nil, words...))
		w.play(rnd, func(args []string) string {
			if len(args) == 3 && args[0] == "COMMAND" {
				return info
			}
			return ""
		})
		b := parser.AppendRequest(parser.AppendRequest(parser.AppendRequest(nil, "MULTI"), words...), "EXEC")
		c.send(parser.AppendRequest(b, words...))
		w.play(rnd, nil)
		c.leave()
		w.settle()
	}
}

// FuzzCommandInfo lets bytes of the fuzzer's be the answer to COMMAND INFO.
func FuzzCommandInfo(f *testing.F) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 50 {
		f.Add([]byte(hostileInfo(rnd, "m.x")), uint64(1), true)
	}
	f.Fuzz(func(t *testing.T, info []byte, seed uint64, several bool) {
		var scan parser.ReplyScanner
		if n, st := scan.Scan(info); st != parser.Done || n != len(info) {
			t.Skip("not one reply")
		}
		worlds := hostileWorlds(t)
		w := worlds["one server"]()
		if several {
			w = worlds["three"]()
		}
		hostileLesson(w, rand.New(rand.NewPCG(seed, 1)), "m.x", string(info))
	})
}
