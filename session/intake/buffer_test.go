package intake

import (
	"bytes"
	"fmt"
	"testing"

	"ringmaster/parser"
	"ringmaster/pool"
)

var limits = parser.AnyLimits()

func TestWhatIsUsedIsNotKept(t *testing.T) {
	var i Buffer
	var free pool.Buffers
	i.Store([]byte("abcdef"), &free)
	i.Left(i.Waiting()[4:], &free)
	if got := string(i.Waiting()); got != "ef" || i.Memory() != 2 {
		t.Errorf("%q waits, %d bytes", got, i.Memory())
	}
	i.Store([]byte("gh"), &free)
	if got := string(i.Waiting()); got != "efgh" {
		t.Errorf("%q waits", got)
	}
	i.Left(nil, &free)
	if !i.Empty() || i.Waiting() != nil {
		t.Error("something is kept")
	}
}

func TestLacksEndsAtTheRequestsEndSoThatNoMoreIsCopied(t *testing.T) {
	request := []byte("*2\r\n$3\r\nGET\r\n$5\r\nk\nkkk\r\n")
	for cut := 1; cut < len(request); cut++ {
		var i Buffer
		var free pool.Buffers
		var req parser.Request
		b := append(bytes.Clone(request), "PING\r\n"...)
		i.Store(b[:cut], &free)
		done, err := i.Parser.Next(i.Waiting(), &limits, &req)
		for b = b[cut:]; !done; done, err = i.Parser.Next(i.Waiting(), &limits, &req) {
			n := i.Lacks(b)
			if n == 0 {
				t.Fatalf("cut at %d: nothing lacks", cut)
			}
			i.Store(b[:n], &free)
			b = b[n:]
		}
		if err != nil || string(b) != "PING\r\n" || string(req.Args[1]) != "k\nkkk" {
			t.Errorf("cut at %d: %q is left, %v", cut, b, err)
		}
	}
}

func TestAnAnnouncementAloneCostsLittle(t *testing.T) {
	var i Buffer
	var free pool.Buffers
	var req parser.Request
	head := fmt.Appendf(nil, "*2\r\n$3\r\nSET\r\n$%d\r\n", 100<<20)
	i.Store(head, &free)
	if done, err := i.Parser.Next(i.Waiting(), &limits, &req); done || err != nil {
		t.Fatal(done, err)
	}
	i.Store(make([]byte, 4096), &free)
	if got := cap(i.buf.B); got > growth*(len(head)+4096) {
		t.Errorf("%d bytes of memory for %d that have come", got, i.Memory())
	}
}

func TestOnlyALargeRequestThatStandsAloneIsHandedOn(t *testing.T) {
	large := fmt.Appendf(nil, "*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n", pool.LargeRequest, make([]byte, pool.LargeRequest))
	for _, c := range []struct {
		name, before, after string
		request             []byte
		want                bool
	}{
		{"alone", "", "", large, true},
		{"small", "", "", []byte("*1\r\n$4\r\nPING\r\n"), false},
		{"another follows", "", "PING\r\n", large, false},
		{"another was before it", "PING\r\n", "", large, false},
	} {
		var i Buffer
		var free pool.Buffers
		var req parser.Request
		i.Store([]byte(c.before+string(c.request)+c.after), &free)
		if c.before != "" {
			if _, err := i.Parser.Next(i.Waiting(), &limits, &req); err != nil {
				t.Fatal(err)
			}
			i.Left(i.Waiting()[req.Size:], &free)
		}
		if done, err := i.Parser.Next(i.Waiting(), &limits, &req); !done || err != nil {
			t.Fatal(c.name, done, err)
		}
		if got := i.Whole(&req) != nil; got != c.want {
			t.Errorf("%s: handed on: %t", c.name, got)
		}
	}
}
