package e2e

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"ringmaster/internal/testkit"
)

// generator makes the random stream of one seed: the same seed, the same stream.
type generator struct {
	rand       *rand.Rand
	gr         *grammar
	payloads   []string // of DUMP, one per type
	libPayload string   // of FUNCTION DUMP
	streamSeq  int
	same       string // the key drawn last
}

// unit is something sent that has replies of its own.
type unit struct {
	wire  []byte
	args  []string // nil for raw bytes
	quiet bool     // has no reply
	judge judge
	form  string
}

func newGenerator(gr *grammar, seed uint64, payloads []string, libPayload string) *generator {
	return &generator{rand: rand.New(rand.NewPCG(seed, 0)), gr: gr, payloads: payloads, libPayload: libPayload}
}

// next appends one form's commands to dst.
func (g *generator) next(dst []unit) []unit {
	if g.rand.IntN(40) == 0 {
		return g.transaction(dst)
	}
	return g.form(g.gr.pick(g.rand), dst)
}

// transaction puts a few forms between MULTI and its end. Only those whose replies are compared byte for byte:
// they come back within EXEC's.
func (g *generator) transaction(dst []unit) []unit {
	if g.rand.IntN(4) == 0 {
		dst = append(dst, command(judge{}, "WATCH", "w"+strconv.Itoa(g.rand.IntN(3))))
	}
	dst = append(dst, command(judge{}, "MULTI"))
	for range g.rand.IntN(6) {
		f := g.gr.pick(g.rand)
		for f.judge.name != "" || f.line == "5 raw" || len(f.seqs) > 1 || strings.Contains(f.line, "COMMAND ") {
			f = g.gr.pick(g.rand)
		}
		// Not bent, and no COMMAND GETKEYS: the proxy knows how many words any server's command may have, not just this
		// one's, and queues what this one refuses.
		dst = append(dst, unit{args: f.seqs[0].emit(g, nil), form: f.line})
		u := &dst[len(dst)-1]
		u.wire = g.encode(u.args)
	}
	if g.rand.IntN(10) == 0 {
		dst = append(dst, command(judge{}, [][]string{{"GET"}, {"NOSUCH", "x"}, {"EXEC", "x"}, {"WATCH", "x"}}[g.rand.IntN(4)]...))
	}
	if g.rand.IntN(6) == 0 {
		return append(dst, command(judge{}, "DISCARD"))
	}
	return append(dst, command(judge{}, "EXEC"))
}

func (g *generator) form(f *form, dst []unit) []unit {
	if f.line == "5 raw" {
		return append(dst, g.raw())
	}
	for _, seq := range f.seqs {
		args := g.bent(f, seq.emit(g, nil))
		dst = append(dst, unit{wire: g.encode(args), args: args, judge: f.judge, form: f.line})
	}
	return dst
}

// bent makes one command in fifteen wrong: an argument more or less, or another one.
func (g *generator) bent(f *form, args []string) []string {
	if f.bend == bendNever || g.rand.IntN(15) > 0 {
		return args
	}
	pool := junk
	if f.bend == bendTimeless {
		pool = timelessJunk
	}
	bad := pool[g.rand.IntN(len(pool))]
	at := g.rand.IntN(len(args))
	switch g.rand.IntN(4) {
	case 0:
		return append(args, bad)
	case 1:
		if len(args) > 1 {
			return args[:len(args)-1]
		}
		return append(args, bad)
	case 2:
		if f.bend == bendFreely && at > 0 {
			other := 1 + g.rand.IntN(len(args)-1)
			args[at], args[other] = args[other], args[at]
			return args
		}
	}
	if at > 0 {
		args[at] = bad
	}
	return args
}

// oddCase writes one word in eight in another case.
func (g *generator) oddCase(s string) string {
	switch g.rand.IntN(16) {
	case 0:
		return strings.ToLower(s)
	case 1:
		b := []byte(strings.ToLower(s))
		i := g.rand.IntN(len(b))
		b[i] = strings.ToUpper(string(b[i]))[0]
		return string(b)
	}
	return s
}

// encode writes args as an array of bulks, or at times as an inline command.
func (g *generator) encode(args []string) []byte {
	if g.rand.IntN(40) > 0 {
		return testkit.AppendRequest(nil, args...)
	}
	size := 0
	for _, a := range args {
		size += 4 * len(a)
	}
	if size > 30_000 || args[0] == "" {
		return testkit.AppendRequest(nil, args...)
	}
	var b []byte
	for i, a := range args {
		if i > 0 {
			b = append(b, ' ')
		}
		b = g.quote(b, a)
	}
	return append(b, []string{"\r\n", "\n"}[g.rand.IntN(2)]...)
}

// quote appends a in one of the ways of an inline command, by sdssplitargs of Redis 7.0.
func (g *generator) quote(b []byte, a string) []byte {
	plain := a != "" && !strings.ContainsFunc(a, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || r == '"' || r == '\'' || r == '\\'
	})
	if plain && g.rand.IntN(2) == 0 && a[0] != '*' {
		return append(b, a...)
	}
	if plain && g.rand.IntN(2) == 0 {
		return append(append(append(b, '\''), a...), '\'')
	}
	b = append(b, '"')
	for i := range len(a) {
		switch c := a[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c < ' ' || c >= 0x7f:
			b = append(b, '\\', 'x', "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// quietBytes are ignored by Redis; loudBytes are commands in unusual clothes.
var (
	quietBytes = []string{"\r\n", "\n", "*0\r\n", "*-1\r\n", "   \r\n"}
	loudBytes  = []string{"  PING   \r\n", "ping\n", "PING 'a b'\r\n", "ECHO \"\\x41\\n\"\r\n", "ECHO ''\r\n", "\tPING\t\r\n"}
)

func (g *generator) raw() unit {
	if g.rand.IntN(2) == 0 {
		s := quietBytes[g.rand.IntN(len(quietBytes))]
		return unit{wire: []byte(s), quiet: true, form: "raw " + strconv.Quote(s)}
	}
	s := loudBytes[g.rand.IntN(len(loudBytes))]
	return unit{wire: []byte(s), form: "raw " + strconv.Quote(s)}
}

// endings close the connection: QUIT, or bytes that no server accepts.
var endings = []string{
	"*+1\r\n$4\r\nPING\r\n",
	"*1\r\n$4\r\nQUIT\r\n", "QUIT now\r\n", "*x\r\n", "*1\r\nfoo\r\n", "*1\r\n$-5\r\n", "*3000000000\r\n",
	"*1\r\n$9223372036854775807\r\n", "*1\r\n$x\r\n", "GET \"unbalanced\r\n", "GET \"a\"b\r\n", "*2\r\n$3\r\nGET\r\n:1\r\n",
	"*99999999999999999999\r\n", "*1\r\n$600000000\r\n",
}

func (g *generator) ending() string {
	left := slices.DeleteFunc(slices.Clone(endings), skipped)
	return left[g.rand.IntN(len(left))]
}
