package e2e

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

// A script may answer with the words by which servers refuse a command. It has run all the same: it runs once, and its client gets
// its words, in front of all topologies, in and out of MULTI.
func TestWordsOfScriptsAreData(t *testing.T) {
	for _, kind := range words("WORDS_FRONTS", fronts...) {
		t.Run(kind, func(t *testing.T) {
			w := &wordsRun{front: newFront(t, kind, "--timeout", "2s", "--hash-tag", "{}")}
			w.load(t)
			for _, text := range w.texts(t) {
				for way := range sayings {
					for _, carrier := range []string{"EVAL", "EVALSHA", "FCALL"} {
						for _, among := range []company{alone, between, transaction} {
							w.try(t, text, way, carrier, among)
							if w.faults >= 10 {
								t.Fatal("and so on")
							}
						}
					}
				}
			}
			t.Logf("%d scripts ran once and said their words", w.tried)
		})
	}
}

// company is what a script is sent with.
type company string

const (
	alone       company = "alone"
	between     company = "between commands"
	transaction company = "in MULTI"
)

// sayings are how a script says ARGV[1] after it has counted.
var sayings = []struct{ name, body string }{
	{"error_reply", `return redis.error_reply(ARGV[1])`},
	{"table err", `return {err=ARGV[1]}`},
	{"error", `error(ARGV[1], 0)`},
	{"error table", `error({err=ARGV[1]})`},
	{"rethrown", `local ok, e = pcall(error, {err=ARGV[1]}) error(e)`},
	{"pcall changed", `local r = redis.pcall('nosuchcommand') r.err = ARGV[1] return r`},
	{"status_reply", `return redis.status_reply(ARGV[1])`},
	{"nested", `return {1, {err=ARGV[1]}}`},
}

func wayBody(way int) string { return "redis.call('incr', KEYS[1]) " + sayings[way].body }

// wordsRun tries scripts at one proxy.
type wordsRun struct {
	front     *front
	functions bool // the servers have FCALL
	tried     int
	faults    int
}

// wordsKey counts the runs of a script; otherKey has the same slot and server.
const wordsKey, otherKey = "{w}:ran", "{w}:other"

func (w *wordsRun) load(t *testing.T) {
	t.Helper()
	library := "#!lua name=words\n"
	for way := range sayings {
		library += fmt.Sprintf("redis.register_function('way%d', function(KEYS, ARGV) %s end)\n", way, wayBody(way))
	}
	for _, s := range w.front.servers {
		c := testkit.Dial(t, s.Addr)
		for way := range sayings {
			c.Do("SCRIPT", "LOAD", wayBody(way))
		}
		w.functions = c.Do("FUNCTION", "LOAD", library) == bulk("words")
	}
}

// owner is the server that has the keys.
func (w *wordsRun) owner(t *testing.T) *testkit.Server {
	t.Helper()
	if got := testkit.Dial(t, w.front.proxy.Addr).Do("SET", otherKey, "x"); got != "+OK\r\n" {
		t.Fatalf("SET: %q", got)
	}
	for _, s := range w.front.servers {
		if testkit.Dial(t, s.Addr).Do("EXISTS", otherKey) == ":1\r\n" {
			return s
		}
	}
	t.Fatal("no server has the key")
	return nil
}

// texts are the words alone, with a tail, and as the servers themselves say them.
func (w *wordsRun) texts(t *testing.T) (all []string) {
	t.Helper()
	for _, word := range []string{"MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN", "LOADING", "READONLY", "MASTERDOWN", "BUSY", "NOSCRIPT", "OOM", "NOAUTH", "NOREPLICAS"} {
		all = append(all, word, word+" of a script")
	}
	slot := strconv.Itoa(clusterSlot("w"))
	for _, addr := range append(w.front.addrs(), "127.0.0.1:1") {
		all = append(all, "MOVED "+slot+" "+addr, "MOVED 5 "+addr, "ASK "+slot+" "+addr, "ASK 5 "+addr, "MOVED 99999 "+addr, "MOVED x "+addr)
	}
	return append(all,
		"TRYAGAIN Multiple keys request during rehashing of slot", "CLUSTERDOWN The cluster is down", "CLUSTERDOWN Hash slot not served",
		"CLUSTERDOWN The cluster is down and only accepts read commands", "LOADING Redis is loading the dataset in memory",
		"LOADING Valkey is loading the dataset in memory", "READONLY You can't write against a read only replica.",
		"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
		"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", "NOSCRIPT No matching script. Please use EVAL.",
		"OOM command not allowed when used memory > 'maxmemory'.", "NOAUTH Authentication required.", "NOREPLICAS Not enough good replicas to write.",
		"EXECABORT Transaction discarded because of previous errors.", "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
		"CROSSSLOT Keys in request don't hash to the same slot", "ERR max number of clients reached")
}

// clusterSlot is the hash slot of a key without a tag: CRC16, XMODEM, modulo 16384.
func clusterSlot(key string) int {
	crc := 0
	for _, c := range []byte(key) {
		crc ^= int(c) << 8
		for range 8 {
			if crc <<= 1; crc&0x10000 != 0 {
				crc ^= 0x11021
			}
		}
	}
	return crc % 16384
}

// try runs a script through the proxy between two other commands, and the same at the server itself.
func (w *wordsRun) try(t *testing.T, text string, way int, carrier string, among company) {
	t.Helper()
	if carrier == "FCALL" && !w.functions {
		return
	}
	args := w.call(way, carrier, text)
	direct, proxied := testkit.Dial(t, w.owner(t).Addr), testkit.Dial(t, w.front.proxy.Addr)
	defer direct.Close()
	defer proxied.Close()
	want, wantRan := w.exchange(t, direct, direct, args, among)
	got, ran := w.exchange(t, proxied, direct, args, among)
	w.tried++
	if got != want || ran != wantRan {
		w.faults++
		t.Errorf("%s of %q by %s, %s: ran %s times, answered %.300q; directly %s times, %.300q", carrier, text, sayings[way].name, among, blobText(ran), got, blobText(wantRan), want)
	}
}

func (w *wordsRun) call(way int, carrier, text string) []string {
	what := wayBody(way)
	switch carrier {
	case "EVALSHA":
		sum := sha1.Sum([]byte(what))
		what = hex.EncodeToString(sum[:])
	case "FCALL":
		what = fmt.Sprintf("way%d", way)
	}
	return []string{carrier, what, "1", wordsKey, text}
}

// exchange returns what c is answered, and the count that the server has afterwards.
func (w *wordsRun) exchange(t *testing.T, c, server *testkit.Conn, args []string, among company) (replies, ran string) {
	t.Helper()
	server.Do("DEL", wordsKey)
	commands := [][]string{args}
	switch among {
	case between:
		commands = [][]string{{"SET", otherKey, "before"}, args, {"GET", otherKey}}
	case transaction:
		commands = [][]string{{"SET", otherKey, "before"}, {"MULTI"}, args, {"EXEC"}, {"GET", otherKey}}
	}
	var wire []byte
	for _, one := range commands {
		wire = testkit.AppendRequest(wire, one...)
	}
	c.Send(string(wire))
	var b strings.Builder
	for range commands {
		b.WriteString(c.Read1())
	}
	return b.String(), server.Do("GET", wordsKey)
}

func blobText(raw string) string {
	v, err := testkit.ParseValue([]byte(raw))
	if err != nil {
		return err.Error()
	}
	return v.Text
}
