package respclient

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ringmaster/internal/testkit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestARealServerAnswersInOrder(t *testing.T) {
	s := testkit.Redis(t, "--requirepass", "secret")
	c, err := Dial(t.Context(), s.Addr, Options{Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	replies, err := c.Do(t.Context(), []string{"SET", "k", "a\r\nb"}, []string{"GET", "k"}, []string{"NONSENSE"}, []string{"CLIENT", "GETNAME"})
	if err != nil {
		t.Fatal(err)
	}
	if replies[1].Text != "a\r\nb" || Refused("NONSENSE", replies[2]) == nil || replies[3].Text != clientName {
		t.Errorf("got %v", replies)
	}
}

func TestLoginsThatAreRefused(t *testing.T) {
	s := testkit.Redis(t, "--requirepass", "secret")
	for name, o := range map[string]Options{"wrong": {Password: "x"}, "unknown user": {Username: "u", Password: "secret"}} {
		_, err := Dial(t.Context(), s.Addr, o)
		var refusal *Refusal
		if !errors.As(err, &refusal) || refusal.Code() != "WRONGPASS" || refusal.Command != "AUTH" {
			t.Errorf("%s: %v", name, err)
		}
	}
	c, err := Dial(t.Context(), s.Addr, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	replies, err := c.Do(t.Context(), []string{"CLUSTER", "INFO"})
	if err != nil || !strings.Contains(Refused("CLUSTER INFO", replies[0]).Error(), "NOAUTH") {
		t.Errorf("%v, %v", replies, err)
	}
}

// serving dials a server that answers every connection with a greeting, then raw.
func serving(t *testing.T, o Options, raw func(c *testkit.Conn)) *Conn {
	t.Helper()
	f := testkit.NewFakeShard(t, func(_ int, c *testkit.Conn) {
		if _, err := c.ReadRequest(); err != nil || c.SendBytes([]byte("+OK\r\n")) != nil {
			return
		}
		raw(c)
	})
	c, err := Dial(t.Context(), f.Addr, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestARepliesBytesAreBounded(t *testing.T) {
	for name, piece := range map[string]string{"bulk": "$1000000000\r\n" + strings.Repeat("x", 4096), "line": "+" + strings.Repeat("x", 4096)} {
		c := serving(t, Options{MaxReply: 64 << 10}, func(c *testkit.Conn) {
			for c.SendBytes([]byte(piece)) == nil {
				piece = strings.Repeat("x", 4096)
			}
		})
		_, err := c.Do(t.Context(), []string{"PING"})
		if err == nil || !strings.Contains(err.Error(), "more than 65536 bytes") {
			t.Errorf("%s: %v", name, err)
		}
		if cap(c.buf) > 256<<10 {
			t.Errorf("%s: a buffer of %d bytes", name, cap(c.buf))
		}
	}
}

func TestADribblingServerTimesOut(t *testing.T) {
	c := serving(t, Options{}, func(c *testkit.Conn) {
		pace := time.NewTicker(time.Millisecond)
		defer pace.Stop()
		for range pace.C {
			if c.SendBytes([]byte("*1\r\n")) != nil {
				return
			}
		}
	})
	c.options.Timeout = 50 * time.Millisecond // after the dial
	if _, err := c.Do(t.Context(), []string{"PING"}); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestTheContextEndsAWait(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := serving(t, Options{}, func(c *testkit.Conn) {
		_, _ = c.ReadRequest()
		cancel()
		_, _ = c.ReadRequest()
	})
	if _, err := c.Do(ctx, []string{"PING"}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestAClosedConnectionAndNonsenseAreErrors(t *testing.T) {
	for want, raw := range map[string]string{"closed": "*2\r\n:1\r\n", "not RESP": "HTTP/1.1 400 Bad Request\r\n"} {
		c := serving(t, Options{}, func(c *testkit.Conn) {
			_, _ = c.ReadRequest()
			_ = c.SendBytes([]byte(raw))
		})
		if _, err := c.Do(t.Context(), []string{"PING"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

func TestWhatComesUnaskedIsReceived(t *testing.T) {
	s := testkit.Redis(t)
	c, err := Dial(t.Context(), s.Addr, Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Do(t.Context(), []string{"PSUBSCRIBE", "*"}); err != nil {
		t.Fatal(err)
	}
	testkit.Dial(t, s.Addr).Do("PUBLISH", "news", "hi")
	v, err := c.Receive(t.Context())
	if err != nil || len(v.Elems) != 4 || v.Elems[2].Text != "news" || v.Elems[3].Text != "hi" {
		t.Errorf("%v, %v", v, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Receive(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}
