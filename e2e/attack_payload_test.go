package e2e

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// forger makes texts that are replies when a server puts them on the wire as they are.
type forger struct {
	id    int // of the attacker, in each mark
	rand  *rand.Rand
	addrs []string // of the servers, for redirects
	count int
}

// attackMark is in every forged text, and in nothing that a bystander sends.
const attackMark = "FORGED"

// text is what a script raises: line ends, forged replies, and the beginning of a reply that takes what the server adds.
func (f *forger) text() string {
	f.count++
	var b strings.Builder
	fmt.Fprintf(&b, "x%d", f.count)
	end := f.pick("\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", "\n\r", "\r\r\n", "\r\n\r\n", "\n\r\n")
	for range 1 + f.rand.IntN([]int{1, 1, 2, 8, 40}[f.rand.IntN(5)]) {
		b.WriteString(end)
		b.WriteString(strings.ReplaceAll(f.reply(), "\r\n", end))
	}
	b.WriteString(end)
	b.WriteString(f.pick("+", "+", "-", "-ERR ", "", ":", "_", "#t", "$3\r\nab", "$1000\r\n", "*2\r\n+", "*1000\r\n+", ">1000\r\n+", "%1\r\n+", "=1000\r\n", "(1", ",1", "|1\r\n+a\r\n+", "\x00"))
	return b.String()
}

// traceback is a text of many lines, as an honest script raises it.
func (f *forger) traceback() string {
	f.count++
	lines := []string{fmt.Sprintf("stack traceback of %s%dx%d:", attackMark, f.id, f.count)}
	for i := range 1 + f.rand.IntN(5) {
		lines = append(lines, fmt.Sprintf("\tuser_script:%d: in function <user_script:%d>", i, i*2))
	}
	return strings.Join(lines, "\n")
}

func (f *forger) pick(of ...string) string { return of[f.rand.IntN(len(of))] }

// reply is one forged reply without its last line end.
func (f *forger) reply() string {
	n, addr := f.rand.IntN(1000), f.pick(f.addrs...)
	mark := fmt.Sprintf("%s%dx%d", attackMark, f.id, n)
	if f.rand.IntN(3) == 0 {
		return "-" + f.words(addr) // the words that a proxy acts on
	}
	blob := fmt.Sprintf("$%d\r\n%s", len(mark), mark)
	return f.pick(
		"+"+mark, "+OK", "+PONG", "+QUEUED", "-ERR "+mark, ":"+fmt.Sprint(n), ":0", ":1", ":-1", blob, "$-1", "$0\r\n", "*-1", "*0", "*1\r\n"+blob, "*2\r\n+OK\r\n"+blob,
		"*3\r\n"+blob+"\r\n"+blob+"\r\n:1", "_", "#t", "#f", ",1.5", ",inf", "(12345678901234567890123", fmt.Sprintf("!%d\r\n%s", len(mark), mark),
		fmt.Sprintf("=%d\r\ntxt:%s", len(mark)+4, mark), "%1\r\n"+blob+"\r\n:1", "~1\r\n"+blob, "%0", "~0", ">0",
		"|1\r\n"+blob+"\r\n:1\r\n+"+mark,
		">3\r\n$7\r\nmessage\r\n$7\r\nby:chan\r\n"+blob,
		">2\r\n$10\r\ninvalidate\r\n*1\r\n$15\r\nby:track:"+attackMark,
		">2\r\n$10\r\ninvalidate\r\n_",
		"*3\r\n$7\r\nmessage\r\n$7\r\nby:chan\r\n"+blob,
		"*3\r\n$9\r\nsubscribe\r\n$7\r\nby:chan\r\n:1",
		"$1\r\n1", "$8\r\n00000001", "$16\r\n0000000000000001", // a fence's nonce, guessed
		"*1000000", "$100000", "%500", ">9999",
		"$?", "*?", "*9999999999999", "$-7", ":x", "@"+mark, mark,
	)
}

// words are those that a proxy or a client acts on.
func (f *forger) words(addr string) string {
	return f.pick(
		fmt.Sprintf("MOVED %d %s", f.rand.IntN(16384), addr), fmt.Sprintf("ASK %d %s", f.rand.IntN(16384), addr),
		"MOVED 5 192.0.2.1:1", "MOVED", "ASK 5", "TRYAGAIN x", "TRYAGAIN Multiple keys request during rehashing of slot",
		"LOADING Redis is loading the dataset in memory", "CLUSTERDOWN The cluster is down", "CLUSTERDOWN Hash slot not served",
		"READONLY You can't write against a read only replica.", "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
		"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", "NOSCRIPT No matching script.",
		"NOAUTH Authentication required.", "NOPERM x", "WRONGPASS x", "OOM command not allowed when used memory > 'maxmemory'.",
		"NOREPLICAS Not enough good replicas to write.", "EXECABORT Transaction discarded because of previous errors.", "MISCONF x", "UNBLOCKED x",
		"INVALIDOBJ x", "CROSSSLOT Keys in request don't hash to the same slot", "ERR max number of clients reached", "REDIRECT x",
	)
}

// quoted is s as a string of Lua, on one line and without bytes that end it.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			fmt.Fprintf(&b, "\\%03d", c)
		} else {
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
