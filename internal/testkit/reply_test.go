package testkit

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// everyKind holds one reply of each RESP2 and RESP3 type, nested ones and nulls.
var everyKind = []string{
	"+OK\r\n", "-ERR no\r\n", "-a\nb\rc\n\r\n", ":12\r\n", ":-1\r\n", "$0\r\n\r\n", "$-1\r\n", "$4\r\na\r\nb\r\n",
	"*0\r\n", "*-1\r\n", "*2\r\n:1\r\n*1\r\n$1\r\nx\r\n", "_\r\n", "#t\r\n", ",1.5\r\n", ",inf\r\n",
	"(3492890328409238509324850943850943825024385\r\n", "!5\r\nERR x\r\n", "=7\r\ntxt:abc\r\n",
	"%1\r\n+k\r\n*1\r\n:1\r\n", "~2\r\n:1\r\n:2\r\n", ">2\r\n+message\r\n+x\r\n",
	"|1\r\n+ttl\r\n:3\r\n*1\r\n:7\r\n",
}

func TestReadReplyReturnsTheBytesOfEveryKindAtEverySplit(t *testing.T) {
	all := strings.Join(everyKind, "")
	for _, src := range []io.Reader{strings.NewReader(all), iotest.OneByteReader(strings.NewReader(all))} {
		r := bufio.NewReader(src)
		for _, want := range everyKind {
			got, err := ReadReplyInto(nil, r)
			if err != nil || string(got) != want {
				t.Fatalf("got %q, %v; want %q", got, err, want)
			}
			if _, err := ParseValue(got); err != nil {
				t.Errorf("parse %q: %v", got, err)
			}
		}
		if _, err := ReadReplyInto(nil, r); err != io.EOF {
			t.Errorf("after the last reply: %v, want EOF", err)
		}
	}
}

func TestReadReplyRefusesWhatIsNotRESP(t *testing.T) {
	for _, bad := range []string{"\r\n", "x\r\n", "$x\r\n", "$-2\r\n", "$2\r\nabc\r\n", "*9999999999\r\n",
		strings.Repeat("*1\r\n", 2*maxDepth)} {
		_, err := ReadReplyInto(nil, bufio.NewReader(strings.NewReader(bad)))
		if !errors.Is(err, ErrNotRESP) {
			t.Errorf("%.20q: error %v, want ErrNotRESP", bad, err)
		}
	}
	for _, cut := range []string{"+O", "+a\n", "$5\r\nab", "*2\r\n:1\r\n"} {
		_, err := ReadReplyInto(nil, bufio.NewReader(strings.NewReader(cut)))
		if err != io.ErrUnexpectedEOF {
			t.Errorf("cut %q: error %v, want unexpected EOF", cut, err)
		}
	}
}

func TestSortedMakesRepliesEqualThatDifferInOrderOnly(t *testing.T) {
	parse := func(raw string) Value {
		v, err := ParseValue([]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	a := parse("%2\r\n+a\r\n~2\r\n:1\r\n:2\r\n+b\r\n:3\r\n").Sorted().String()
	b := parse("%2\r\n+b\r\n:3\r\n+a\r\n~2\r\n:2\r\n:1\r\n").Sorted().String()
	if a != b {
		t.Errorf("maps: %s != %s", a, b)
	}
	c := parse("*4\r\n+a\r\n+1\r\n+b\r\n+2\r\n").SortedPairs().String()
	d := parse("*4\r\n+b\r\n+2\r\n+a\r\n+1\r\n").SortedPairs().String()
	e := parse("*4\r\n+a\r\n+2\r\n+b\r\n+1\r\n").SortedPairs().String()
	if c != d || c == e {
		t.Errorf("pairs: %s, %s, %s", c, d, e)
	}
}
