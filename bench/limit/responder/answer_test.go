package responder

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// resp is the RESP form of words.
func resp(words ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, w := range words {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(w), w)
	}
	return b.String()
}

func TestRepliesAreThoseOfRedis(t *testing.T) {
	r := newResponder()
	for _, c := range []struct{ in, want string }{
		{resp("GET", "k"), "$-1\r\n"},
		{resp("MGET", "a", "b"), "*2\r\n$-1\r\n$-1\r\n"},
		{resp("SET", "k", "abc"), "+OK\r\n"},
		{resp("get", "other"), "$3\r\nxxx\r\n"},
		{resp("MGET", "a", "b"), "*2\r\n$3\r\nxxx\r\n$3\r\nxxx\r\n"},
		{resp("set", "k", "12345", "EX", "100"), "+OK\r\n"},
		{resp("GeT", "k"), "$5\r\nxxxxx\r\n"},
		{resp("SET", "k", ""), "+OK\r\n"},
		{resp("GET", "k"), "$0\r\n\r\n"},
		{resp("PING"), "+PONG\r\n"},
		{resp("PING", "hello"), "$5\r\nhello\r\n"},
		{resp("CONFIG", "GET", "save"), "*2\r\n$4\r\nsave\r\n$0\r\n\r\n"},
		{resp("FLUSHALL"), "-ERR unknown command, or a wrong number of arguments\r\n"},
		{resp("GET"), "-ERR unknown command, or a wrong number of arguments\r\n"},
		{resp(""), "-ERR unknown command, or a wrong number of arguments\r\n"},
		{resp("PING") + resp("GET", "k") + resp("SET", "k", "ab") + resp("GET", "k"), "+PONG\r\n$0\r\n\r\n+OK\r\n$2\r\nxx\r\n"},
	} {
		out, used, ok := r.answer([]byte(c.in))
		if string(out) != c.want || used != len(c.in) || !ok {
			t.Errorf("%q: got %q for %d of %d bytes, %v; want %q", c.in, out, used, len(c.in), ok, c.want)
		}
	}
}

func TestValueHasTheSizeOfTheLastSet(t *testing.T) {
	r := newResponder()
	for _, size := range []int{64, len(filling), len(filling) + 1, 100_000, 3} {
		if _, _, ok := r.answer([]byte(resp("SET", "k", strings.Repeat("v", size)))); !ok {
			t.Fatal("SET failed")
		}
		out, _, _ := r.answer([]byte(resp("GET", "k")))
		if want := fmt.Sprintf("$%d\r\n%s\r\n", size, strings.Repeat("x", size)); string(out) != want {
			t.Errorf("size %d: the reply has %d bytes and begins with %.20q", size, len(out), out)
		}
	}
}

func TestRequestInTwoPartsIsAnsweredWhenItIsWhole(t *testing.T) {
	text := resp("PING") + resp("SET", "key", "value") + resp("MGET", "a", "b", "c")
	ends := map[int]int{len(resp("PING")): 1, len(resp("PING") + resp("SET", "key", "value")): 2, len(text): 3}
	whole := 0
	for cut := range len(text) + 1 {
		whole = max(whole, ends[cut])
		r := newResponder()
		first, used, ok := r.answer([]byte(text[:cut]))
		if !ok {
			t.Fatalf("cut at %d: the first part is no request", cut)
		}
		if ends[used] != whole {
			t.Errorf("cut at %d: %d bytes are used, want those of %d requests", cut, used, whole)
		}
		got := string(first)
		second, rest, ok := r.answer([]byte(text[used:]))
		if got += string(second); !ok || used+rest != len(text) || got != "+PONG\r\n+OK\r\n*3\r\n$5\r\nxxxxx\r\n$5\r\nxxxxx\r\n$5\r\nxxxxx\r\n" {
			t.Errorf("cut at %d: got %q, %v", cut, got, ok)
		}
	}
}

func TestBytesThatAreNoRequestEndTheConnection(t *testing.T) {
	for _, bad := range []string{
		"PING\r\n", "\r\n", "*0\r\n", "*-1\r\n", "*\r\n", "*1\n", "*1\rx", "*x\r\n", "*99999999999999999999\r\n",
		"*1\r\n:1\r\n", "*1\r\n$-1\r\n", "*1\r\n$4\r\nPINGxx", "*1\r\n$4\r\nPING\rx", "*1\r\n$\r\n", "*1\r\n$ 4\r\n",
		"*" + strings.Repeat("0", 2*maxDigits), "*1\r\n$" + strings.Repeat("0", 2*maxDigits),
		fmt.Sprintf("*%d\r\n", maxWords+1), fmt.Sprintf("*1\r\n$%d\r\n", MaxRequest+1),
		fmt.Sprintf("*3\r\n$%d\r\n", MaxRequest),
	} {
		out, used, ok := newResponder().answer([]byte(resp("PING") + bad))
		if ok || used != len(resp("PING")) || string(out) != "+PONG\r\n" {
			t.Errorf("%.40q: used %d, replies %q, %v; want only the reply to PING, and the end", bad, used, out, ok)
		}
	}
}

func TestRequestThatNeverEndsIsRefused(t *testing.T) {
	words := append([]byte("*1000000\r\n"), bytes.Repeat([]byte("$30\r\n123456789012345678901234567890\r\n"), MaxRequest/37+1)...)
	if _, _, ok := newResponder().answer(words); ok {
		t.Errorf("%d bytes without an end are waited for", len(words))
	}
}

func TestReplyThatIsTooLongEndsTheConnection(t *testing.T) {
	r := newResponder()
	r.set(1 << 20)
	fits := make([]string, MaxReply/(1<<20)-1)
	if _, _, ok := r.answer([]byte(resp(append([]string{"MGET"}, fits...)...))); !ok {
		t.Error("a reply below MaxReply is refused")
	}
	if _, _, ok := r.answer([]byte(resp(append([]string{"MGET", "one", "two"}, fits...)...))); ok {
		t.Error("a reply beyond MaxReply is made")
	}
}

func TestManyLargeRepliesAreMadeInSeveralWrites(t *testing.T) {
	r := newResponder()
	r.set(fullWrite / 2)
	in := []byte(strings.Repeat(resp("GET", "k"), 10))
	writes, replies := 0, 0
	for len(in) > 0 {
		out, used, ok := r.answer(in)
		if !ok || used == 0 {
			t.Fatalf("used %d, %v", used, ok)
		}
		if len(out) > fullWrite+len(r.value) {
			t.Errorf("%d bytes at once", len(out))
		}
		writes++
		replies += len(out)
		in = in[used:]
	}
	if writes < 4 || replies != 10*len(r.value) {
		t.Errorf("%d bytes in %d writes, want %d bytes", replies, writes, 10*len(r.value))
	}
}

func TestAnsweringAllocatesNothing(t *testing.T) {
	r := newResponder()
	r.set(64)
	keys := make([]string, 100)
	for name, in := range map[string][]byte{
		"GET":         []byte(resp("GET", "key:000000000001")),
		"SET":         []byte(resp("SET", "key:000000000001", strings.Repeat("v", 64))),
		"pipeline":    []byte(strings.Repeat(resp("GET", "key:000000000001"), 32)),
		"MGET of 100": []byte(resp(append([]string{"MGET"}, keys...)...)),
	} {
		if n := testing.AllocsPerRun(100, func() { r.answer(in) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
