package parser

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"ringmaster/internal/testkit"
)

// redisSays sends input to a Redis and returns its answers until it closes the connection.
func redisSays(t *testing.T, addr, input string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(conn, input); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := io.Copy(&out, conn); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Fatalf("%s: %v behind %q", short(input), err, out.String())
	}
	return out.String()
}

// asRedis parses input and returns the answers that Redis would give.
func asRedis(t *testing.T, input string, unauthenticated bool) string {
	t.Helper()
	got := parse([]byte(input), DefaultLimits(), unauthenticated)
	var out []byte
	for _, r := range got.reqs {
		if len(r.args) == 0 {
			continue
		}
		switch r.args[0] {
		case "PING":
			out = AppendSimple(out, "PONG")
		case "ECHO":
			out = AppendBulkString(out, r.args[1])
		case "EVAL": // of "return ARGV"
			out = AppendArray(out, len(r.args)-3)
			for _, a := range r.args[3:] {
				out = AppendBulkString(out, a)
			}
		case "QUIT":
			return string(AppendSimple(out, "OK"))
		default:
			t.Fatalf("%s: unexpected request %q", short(input), r.args)
		}
	}
	if got.err == "" {
		t.Fatalf("%s: neither broken nor QUIT: %v", short(input), got)
	}
	return string(AppendError(out, "ERR Protocol error: "+got.err))
}

func compareWithRedis(t *testing.T, addr, input string, unauthenticated bool) {
	t.Helper()
	want := redisSays(t, addr, input)
	if got := asRedis(t, input, unauthenticated); got != want {
		t.Errorf("%s: parser gives %q; Redis %q", short(input), got, want)
	}
}

func TestRequestsBreakAsInRedis(t *testing.T) {
	addr := testkit.Redis(t).Addr
	for _, c := range broken {
		compareWithRedis(t, addr, bulks("ECHO", "first")+c.input, false)
	}
	quit := bulks("QUIT")
	for _, input := range []string{
		"*0\r\n", "*-1\r\n", "*-5\r\nPING\r\n", "*-9223372036854775808\r\n", "\r\n\n \t\r\nPING\r\n",
		"*1\rX$4\rYPINGzz", "*1\r\r$4\r\rPING\r\r*1\r\n$4\r\nPING\n\n",
		"\vPING\r\n", "\rPING\n", "PING\t\v\f\n",
		bulks("ECHO", "\r\n\x00\xff"), bulks("ECHO", ""), bulks("ECHO", strings.Repeat("x", 100000)),
		"ECHO " + strings.Repeat("x", 65530) + "\n", "*1\r\n$4\r\nPING\r\nPING\r\n*1\r\n$4\r\nPING\r\n",
	} {
		compareWithRedis(t, addr, input+quit, false)
	}
}

func TestRequestsBreakAsInRedisBeforeLogin(t *testing.T) {
	addr := testkit.Redis(t, "--requirepass", "secret").Addr
	for _, c := range broken {
		compareWithRedis(t, addr, c.input, true)
	}
	for _, c := range brokenBeforeLogin {
		compareWithRedis(t, addr, c.input, true)
	}
}

// Lines of the characters that matter to quoting, as arguments of a script that gives them back.
func TestInlineQuotesAsRedis(t *testing.T) {
	addr := testkit.Redis(t).Addr
	const before, after = `EVAL "return ARGV" 0 `, "\r\nQUIT\r\n"
	for _, line := range []string{
		``, `"\x41\n"`, `'\x41\n'`, `\x41\n`, `"\x4"`, `"\xGG"`, `"\\"`, `"\"`, `'\'`, `'\\'`, `a"b"`, `a"b"c`, `""`, `''""`, `"" ''`,
		"\"a\rb\"", "a\rb", "\v", "a\v\fb \v c", "\xa0 \x85", `"\a\b\t\r\q\""`,
	} {
		compareWithRedis(t, addr, before+line+after, false)
	}
	const letters = "\"\"\"''\\\\\\  xxa4fFgnbt\t\r\v\f\xff"
	r := rand.New(rand.NewPCG(7, 7))
	for range 1000 {
		line := make([]byte, r.IntN(14))
		for i := range line {
			line[i] = letters[r.IntN(len(letters))]
		}
		compareWithRedis(t, addr, before+string(line)+after, false)
	}
}
