package parser

import (
	"strings"
	"testing"
)

// whole are single replies.
var wholeReplies = []struct {
	name, input string
	kind        byte
}{
	{"simple string", "+OK\r\n", '+'},
	{"empty simple string", "+\r\n", '+'},
	{"simple string with CR inside", "+a\rb\r\n", '+'},
	{"simple string with two CR", "+a\r\r\n", '+'},
	{"error", "-ERR no\r\n", '-'},
	{"integer", ":-12\r\n", ':'},
	{"bulk", "$3\r\nfoo\r\n", '$'},
	{"empty bulk", "$0\r\n\r\n", '$'},
	{"bulk of line breaks", "$6\r\n\r\n\r\n\r\n\r\n", '$'},
	{"null bulk", "$-1\r\n", '$'},
	{"array", "*2\r\n$1\r\na\r\n:1\r\n", '*'},
	{"empty array", "*0\r\n", '*'},
	{"null array", "*-1\r\n", '*'},
	{"nulls in an array", "*4\r\n$-1\r\n*-1\r\n_\r\n*0\r\n", '*'},
	{"nested", "*2\r\n*2\r\n*0\r\n*1\r\n:1\r\n*1\r\n*1\r\n+x\r\n", '*'},
	{"null", "_\r\n", '_'},
	{"true", "#t\r\n", '#'},
	{"false", "#f\r\n", '#'},
	{"double", ",3.14159\r\n", ','},
	{"infinity", ",-inf\r\n", ','},
	{"not a number", ",nan\r\n", ','},
	{"big number", "(-3492890328409238509324850943850943825024385\r\n", '('},
	{"bulk error", "!21\r\nSYNTAX invalid syntax\r\n", '!'},
	{"verbatim", "=15\r\ntxt:Some string\r\n", '='},
	{"map", "%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n_\r\n", '%'},
	{"empty map", "%0\r\n", '%'},
	{"null map", "%-1\r\n", '%'},
	{"set", "~2\r\n+a\r\n+b\r\n", '~'},
	{"empty set", "~0\r\n", '~'},
	{"push", ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n", '>'},
	{"empty push", ">0\r\n", '>'},
	{"attribute in front", "|1\r\n+ttl\r\n:3600\r\n$3\r\nfoo\r\n", '$'},
	{"empty attribute in front", "|0\r\n:1\r\n", ':'},
	{"two attributes in front", "|1\r\n+a\r\n+b\r\n|1\r\n+c\r\n+d\r\n*0\r\n", '*'},
	{"attribute of aggregates in front", "|1\r\n+key-popularity\r\n%2\r\n$1\r\na\r\n,0.1923\r\n$1\r\nb\r\n,0.0012\r\n*2\r\n:1\r\n:2\r\n", '*'},
	{"attribute in an attribute", "|1\r\n|1\r\n+x\r\n+y\r\n+k\r\n+v\r\n-ERR\r\n", '-'},
	{"attribute in front of an element", "*3\r\n:1\r\n:2\r\n|1\r\n+ttl\r\n:3600\r\n:3\r\n", '*'},
	{"attribute in front of the first element", "*1\r\n|1\r\n+k\r\n+v\r\n*1\r\n|0\r\n+x\r\n", '*'},
	{"attribute in front of a map's key and value", "%1\r\n|1\r\n+a\r\n+b\r\n+key\r\n|1\r\n+a\r\n+b\r\n+value\r\n", '%'},
	{"attribute in front of a push", "|1\r\n+a\r\n+b\r\n>1\r\n+p\r\n", '>'},
	{"push between elements", "*2\r\n:1\r\n>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n:2\r\n", '*'},
	{"push before the first element", "*1\r\n>1\r\n+p\r\n:2\r\n", '*'},
	{"push in a nested array", "*1\r\n*2\r\n:1\r\n>1\r\n+p\r\n:2\r\n", '*'},
	{"empty push between elements", "*2\r\n:1\r\n>0\r\n:2\r\n", '*'},
	{"push in an attribute", "|1\r\n+k\r\n>1\r\n+p\r\n+v\r\n:1\r\n", ':'},
	{"push in a push", ">2\r\n+a\r\n>1\r\n+x\r\n+b\r\n", '>'},
	{"long bulk", "$50000\r\n" + strings.Repeat("\n", 50000) + "\r\n", '$'},
	{"line as long as is kept whole", "+" + strings.Repeat("x", maxReplyLine-3) + "\r\n", '+'},
	{"long line", "-ERR " + strings.Repeat("x", 3*maxReplyLine) + "\r\n", '-'},
	{"error of several lines", "-ERR line 1\nline 2\n\nstack traceback:\n\t[C]: ?\r\n", '-'},
	{"line with a lone CR", "+a\rb\r\n", '+'},
	{"line that ends in LF", "+a\n\r\n", '+'},
	{"line that ends in CR", "+a\r\r\n", '+'},
	{"line of LF and CR", "-\n\r\r\n", '-'},
	{"error of several lines in an array", "*2\r\n-ERR a\nb\r\n-ERR c\nd\r\n", '*'},
	{"long line of LF", "-" + strings.Repeat("\n", 3*maxReplyLine) + "\r\n", '-'},
	{"long line of CR", "+" + strings.Repeat("\r", 2*maxReplyLine) + "\r\n", '+'},
	{"long big number", "(" + strings.Repeat("9", 2*maxReplyLine) + "\r\n", '('},
	{"long lines in an array", "*2\r\n+" + strings.Repeat("x", 2*maxReplyLine) + "\r\n+" + strings.Repeat("y", 2*maxReplyLine) + "\r\n", '*'},
	{"long line in an attribute", "|1\r\n+k\r\n+" + strings.Repeat("x", 2*maxReplyLine) + "\r\n:1\r\n", ':'},
	{"line of several MiB", "+" + strings.Repeat("x", 3<<20) + "\r\n", '+'},
}

func TestReplyIsTheSameInAnyPieces(t *testing.T) {
	for _, c := range wholeReplies {
		t.Run(c.name, func(t *testing.T) {
			got := scanAllWays(t, c.input)
			if got.end != "" || len(got.frames) != 1 || got.frames[0] != (frame{len(c.input), c.kind}) {
				t.Errorf("%v; want one frame of %d bytes and type %c", got, len(c.input), c.kind)
			}
			if ref := referenceScan([]byte(c.input)); !ref.equal(got) {
				t.Errorf("the reference says %v", ref)
			}
		})
	}
}

func TestReplyPipeline(t *testing.T) {
	var all strings.Builder
	var want []frame
	for _, c := range wholeReplies {
		if len(c.input) < 1000 {
			all.WriteString(c.input)
			want = append(want, frame{len(c.input), c.kind})
		}
	}
	if got := scanAllWays(t, all.String()); !got.equal(scanned{frames: want}) {
		t.Errorf("%v; want %v", got, want)
	}
}

func TestReplyCutOffAwaitsMore(t *testing.T) {
	for _, c := range wholeReplies {
		step := 1 + len(c.input)/200
		for n := 1; n < len(c.input); n += step {
			if got := scanWhole([]byte(c.input[:n])); got.end != "more" || len(got.frames) != 0 {
				t.Fatalf("%s: first %d bytes give %v", c.name, n, got)
			}
		}
	}
}

var brokenReplies = []struct{ name, input string }{
	{"empty line", "\r\n"},
	{"lone LF", "\n"},
	{"length without CR", "$3\nfoo\r\n"},
	{"unknown type", "?1\r\n"},
	{"another protocol", "HTTP/1.1 400 Bad Request\r\n"},
	{"another protocol, no line", strings.Repeat("x", maxLengthLine+1)},
	{"no length", "$\r\n"},
	{"length with plus", "$+3\r\nfoo\r\n"},
	{"length with leading zero", "$03\r\nfoo\r\n"},
	{"length of minus zero", "$-0\r\n"},
	{"length of minus two", "$-2\r\n"},
	{"length with space", "$3 \r\nfoo\r\n"},
	{"length with CR", "$3\r\r\nfoo\r\n"},
	{"length beyond int64", "$9223372036854775808\r\n"},
	{"endless length", "$" + strings.Repeat("1", maxLengthLine)},
	{"endless count", "*1\r\n*" + strings.Repeat("0", maxLengthLine)},
	{"streamed string", "$?\r\n;4\r\nabcd\r\n;0\r\n"},
	{"streamed array", "*?\r\n:1\r\n.\r\n"},
	{"body with another end", "$3\r\nfooX\n"},
	{"body with CR only", "$3\r\nfoo\rX"},
	{"body shorter than its length", "$3\r\nfo\r\n+OK\r\n"},
	{"empty body without end", "$0\r\n+OK\r\n"},
	{"null attribute", "|-1\r\n"},
	{"null push", ">-1\r\n"},
	{"count of minus two", "*-2\r\n"},
	{"count above the limit", "*1099511627777\r\n"},
	{"count of int64", "*9223372036854775807\r\n"},
	{"pairs above the limit", "%549755813889\r\n"},
	{"count that wraps around when doubled", "%4611686018427387905\r\n"},
	{"huge counts in sum", strings.Repeat("*2147483647\r\n", 600)},
	{"huge maps in sum", strings.Repeat("%2147483647\r\n", 300)},
	{"huge attributes in sum", strings.Repeat("|2147483647\r\n", 300)},
}

func TestReplyBroken(t *testing.T) {
	for _, c := range brokenReplies {
		t.Run(c.name, func(t *testing.T) {
			got := scanAllWays(t, "+before\r\n"+c.input)
			if got.end != "broken" || len(got.frames) != 1 {
				t.Errorf("%v; want broken behind one reply", got)
			}
			if ref := referenceScan([]byte("+before\r\n" + c.input)); !ref.equal(got) {
				t.Errorf("the reference says %v", ref)
			}
		})
	}
}

func TestReplyHostileHeadersTakeNoMemory(t *testing.T) {
	for name, input := range map[string]string{
		"deep":        strings.Repeat("*1\r\n", 100000),
		"deep maps":   strings.Repeat("%1\r\n", 100000),
		"attributes":  strings.Repeat("|1\r\n", 100000),
		"pushes":      strings.Repeat(">1\r\n", 100000),
		"wide":        strings.Repeat("*2147483647\r\n", 500),
		"large":       "$9223372036854775807\r\n" + strings.Repeat("x", 1000),
		"widest":      "*1099511627776\r\n",
		"long status": "+" + strings.Repeat("x", 1<<20),
	} {
		b := []byte(input)
		allocs := testing.AllocsPerRun(1, func() {
			var s ReplyScanner
			if n, st := s.Scan(b); st != More || n != len(b) {
				t.Fatalf("%s: %d of %d bytes, status %d", name, n, len(b), st)
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
	closed := strings.Repeat("*1\r\n", 100000) + ":1\r\n"
	if got := scanWhole([]byte(closed)); len(got.frames) != 1 || got.frames[0].size != len(closed) {
		t.Errorf("100,000 deep: %v", got)
	}
}

func TestReplyKindWhileUnfinished(t *testing.T) {
	var s ReplyScanner
	for _, step := range []struct {
		input   string
		kind    byte
		started bool
	}{
		{"|1\r", 0, false},
		{"|1\r\n", 0, true},
		{"+key\r\n", 0, true},
		{":1\r\n", 0, true},
		{"*2\r", 0, true}, // the attribute is over, but the reply's type is not known
		{"*2\r\n", '*', true},
		{">1\r\n+push\r\n", '*', true},
		{"$2\r\n", '*', true},
		{"ab", '*', true},
		{"\r\n_\r\n", '*', false},
	} {
		s.Scan([]byte(step.input))
		if s.Kind() != step.kind || s.Started() != step.started {
			t.Errorf("behind %q: type %q, started %t; want %q, %t", step.input, s.Kind(), s.Started(), step.kind, step.started)
		}
	}
}

// The work of a scan is the number of bytes given to it. A frame in a thousand pieces is given once, except for the
// unfinished lines between its elements.
func TestReplyInManyPiecesIsReadOnce(t *testing.T) {
	input := []byte("*1001\r\n$2000000\r\n" + strings.Repeat("x", 2000000) + "\r\n" + strings.Repeat("$3\r\nabc\r\n", 1000))
	const pieces = 1000
	var s ReplyScanner
	var rest []byte
	given, st := 0, More
	for i := range pieces {
		b := append(rest, input[i*len(input)/pieces:(i+1)*len(input)/pieces]...)
		given += len(b)
		var n int
		n, st = s.Scan(b)
		rest = b[n:]
	}
	if st != Done || len(rest) != 0 {
		t.Fatalf("status %d, %d bytes left", st, len(rest))
	}
	if most := len(input) + pieces*maxLengthLine; given > most {
		t.Errorf("%d bytes were given for a frame of %d", given, len(input))
	}
}
