package e2e

import (
	"strings"
	"sync/atomic"
	"testing"

	"ringmaster/internal/testkit"
)

// The judges must let through what rightly differs, and nothing else.
func TestJudgesTellWrongRepliesFromOtherOrders(t *testing.T) {
	for _, c := range []struct {
		judge, a, b string
		agree       bool
	}{
		{"", "+OK\r\n", "+OK\r\n", true},
		{"", "*2\r\n:1\r\n:2\r\n", "*2\r\n:2\r\n:1\r\n", false},
		{"unordered", "*2\r\n:1\r\n:2\r\n", "*2\r\n:2\r\n:1\r\n", true},
		{"unordered", "*2\r\n:1\r\n:2\r\n", "*2\r\n:2\r\n:2\r\n", false},
		{"unordered", "-ERR a\r\n", "-ERR b\r\n", false},
		{"pairs", "*4\r\n+a\r\n+1\r\n+b\r\n+2\r\n", "*4\r\n+b\r\n+2\r\n+a\r\n+1\r\n", true},
		{"pairs", "*4\r\n+a\r\n+1\r\n+b\r\n+2\r\n", "*4\r\n+b\r\n+1\r\n+a\r\n+2\r\n", false},
		{"pairs", "%1\r\n+a\r\n+1\r\n", "*2\r\n+a\r\n+1\r\n", false},
		{"scan", "*2\r\n$1\r\n0\r\n*2\r\n+a\r\n+a\r\n", "*2\r\n$1\r\n0\r\n*1\r\n+a\r\n", true},
		{"scan", "*2\r\n$1\r\n0\r\n*1\r\n+b\r\n", "*2\r\n$1\r\n0\r\n*1\r\n+a\r\n", false},
		{"near:5", ":100\r\n", ":104\r\n", true},
		{"near:5", ":100\r\n", ":106\r\n", false},
		{"near:5", ":-1\r\n", ":1\r\n", false},
		{"near:5", ":1\r\n", "$1\r\n1\r\n", false},
		{"kind", "$1\r\na\r\n", "$3\r\nabc\r\n", true},
		{"kind", "$1\r\na\r\n", "$-1\r\n", false},
		{"kind", "_\r\n", "$-1\r\n", false},
		{"size", "$2\r\nab\r\n", "$2\r\nba\r\n", true},
		{"size", "$2\r\nab\r\n", "$1\r\nb\r\n", false},
		{"but:id", "*2\r\n$2\r\nid\r\n:1\r\n", "*2\r\n$2\r\nid\r\n:9\r\n", true},
		{"but:id", "*2\r\n$1\r\nx\r\n:1\r\n", "*2\r\n$1\r\nx\r\n:9\r\n", false},
		{"errno", notADouble, "*0\r\n", true},
		{"errno", "*0\r\n", "*1\r\n:1\r\n", false},
	} {
		var j judge
		if c.judge != "" {
			var err error
			if j, err = parseJudge(c.judge); err != nil {
				t.Fatal(err)
			}
		}
		if got := j.agree([]byte(c.a), []byte(c.b)); got != c.agree {
			t.Errorf("%q: %q and %q agree: %v, want %v", c.judge, c.a, c.b, got, c.agree)
		}
	}
}

// A server that mixes up replies must be caught, and one that does not must not be.
func TestTaggedTrafficNoticesRepliesOfOthers(t *testing.T) {
	for _, c := range []struct {
		name  string
		twist func(v string) string
		says  string
	}{
		{"honest", func(v string) string { return v }, ""},
		{"key of another", func(v string) string { return strings.Replace(v, "c1:", "c2:", 1) }, "foreign"},
		{"cut value", func(v string) string { return v[:len(v)-1] }, "torn"},
	} {
		t.Run(c.name, func(t *testing.T) {
			reports := runAgainst(t, c.twist)
			if c.says == "" && reports != "" || c.says != "" && !strings.Contains(reports, c.says) {
				t.Errorf("want reports with %q, got %.300q", c.says, reports)
			}
		})
	}
}

// runAgainst sends tagged batches to a server whose values go through twist.
func runAgainst(t *testing.T, twist func(string) string) string {
	t.Helper()
	store := map[string]string{}
	shard := testkit.NewFakeShard(t, testkit.Answering(func(_ int, args []string) string {
		return answerTagged(store, twist, args)
	}))
	var reports []string
	var lossy atomic.Bool
	c := newTagger(1, shard.Addr, &lossy, &tally{}, func(s string) { reports = append(reports, s) })
	for range 50 {
		if err := c.batch(); err != nil {
			t.Fatal(err)
		}
	}
	c.conn.Close()
	return strings.Join(reports, "\n")
}

func answerTagged(store map[string]string, twist func(string) string, args []string) string {
	bulk := func(key string) string {
		if v, ok := store[key]; ok {
			v = twist(v)
			return strings.TrimPrefix(testkit.Request(v), "*1\r\n")
		}
		return "$-1\r\n"
	}
	switch args[0] {
	case "SET":
		store[args[1]] = args[2]
		return "+OK\r\n"
	case "EVAL":
		return strings.TrimPrefix(testkit.Request(twist(args[4])), "*1\r\n")
	case "MGET":
		out := "*" + strings.TrimPrefix(strings.SplitAfter(testkit.Request(args[1:]...), "\r\n")[0], "*")
		for _, k := range args[1:] {
			out += bulk(k)
		}
		return out
	}
	return bulk(args[1])
}
