package load

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

func TestScheduleIsConstantAndDoesNotDrift(t *testing.T) {
	s := newSchedule(3000, 10*time.Second)
	if s.total != 30000 {
		t.Fatalf("total %d, want 30000", s.total)
	}
	if s.due(0) != 0 || s.due(3000) != int64(time.Second) || s.due(29999) >= int64(10*time.Second) {
		t.Fatalf("due times %d, %d, %d", s.due(0), s.due(3000), s.due(29999))
	}
	for i := 1; i < s.total; i++ {
		if gap := s.due(i) - s.due(i-1); gap < 333_333 || gap > 333_334 {
			t.Fatalf("request %d is due %d ns after the one before", i, gap)
		}
	}
}

func TestRepliesAreCountedAtEverySplit(t *testing.T) {
	stream := []byte("+OK\r\n$-1\r\n:12\r\n$0\r\n\r\n$5\r\na\r\nbc\r\n_\r\n")
	const want = 6
	for cut := range len(stream) {
		var r replies
		a, err := r.feed(stream[:cut])
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		b, err := r.feed(stream[cut:])
		if err != nil || a+b != want {
			t.Fatalf("cut at %d: %d+%d replies, %v", cut, a, b, err)
		}
	}
	var r replies
	n := 0
	for i := range stream {
		k, err := r.feed(stream[i : i+1])
		if err != nil {
			t.Fatal(err)
		}
		n += k
	}
	if n != want {
		t.Fatalf("byte by byte: %d replies, want %d", n, want)
	}
}

func TestRepliesRefuseErrorsAndGarbage(t *testing.T) {
	for _, text := range []string{
		"-ERR no\r\n", "$-2\r\n", "$99999999999999999999\r\n", "$x\r\n", "*1\r\n", "hello\r\n", "+OK\n", "\r\n", "+" + strings.Repeat("a", 2*maxLine),
	} {
		var r replies
		if n, err := r.feed([]byte(text)); err == nil {
			t.Errorf("%.20q: %d replies and no error", text, n)
		}
	}
}

func TestDueTimesKeepTheirOrderWhenTheRingGrows(t *testing.T) {
	c := &conn{due: make([]int64, 4)}
	var want int64
	pop := func() {
		if got := c.due[c.head&(len(c.due)-1)]; got != want {
			t.Fatalf("got %d, want %d", got, want)
		}
		c.head++
		want++
	}
	for i := range int64(100) {
		if err := c.request(nil, i); err != nil {
			t.Fatal(err)
		}
		if i%3 == 0 {
			pop()
		}
	}
	for c.inFlight() > 0 {
		pop()
	}
	for range MaxInFlight {
		if err := c.request(nil, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.request(nil, 0); err == nil {
		t.Fatal("more than MaxInFlight requests were taken")
	}
}

// serve answers every line-terminated PING of each connection by handle, until the test ends.
func serve(t *testing.T, handle func(n int) string) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				in := bufio.NewScanner(c)
				for n := 0; in.Scan(); n++ {
					reply := handle(n)
					if reply == "" {
						return
					}
					if _, err := fmt.Fprint(c, reply); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

func ping(addr string) Options {
	return Options{Addr: addr, Connections: 4, Rate: 2000, Warmup: 50 * time.Millisecond, Length: 250 * time.Millisecond, Requests: [][]byte{[]byte("PING\r\n")}}
}

func TestOpenLoopAnswersTheWholeSchedule(t *testing.T) {
	addr := serve(t, func(int) string { return "+PONG\r\n" })
	r, err := Open(context.Background(), ping(addr))
	if err != nil {
		t.Fatal(err)
	}
	// 2000/s over 0.25 s; requests due in the first 0.05 s are not recorded.
	if r.Answered != 500 || r.Latency.TotalCount() != 400 || r.SendLag.TotalCount() != 400 {
		t.Fatalf("answered %d, recorded %d latencies and %d lags", r.Answered, r.Latency.TotalCount(), r.SendLag.TotalCount())
	}
}

// A server that stops for a while must show in the latencies of all requests that were due meanwhile, not only in one
// per connection.
func TestPauseOfTheServerIsSeenByEveryRequestDueInIt(t *testing.T) {
	const pause = 100 * time.Millisecond
	addr := serve(t, func(n int) string {
		if n == 50 { // on each connection at once: all four get the same share
			time.Sleep(pause)
		}
		return "+PONG\r\n"
	})
	o := ping(addr)
	o.Length = 500 * time.Millisecond
	r, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	late := int64(0)
	for _, b := range r.Latency.Distribution() {
		if b.From >= int64(pause)/2 {
			late += b.Count
		}
	}
	// 2000/s for the first half of 100 ms is 100 requests; a closed loop would see 4.
	if late < 90 {
		t.Fatalf("%d requests waited for at least half of the pause, want about 100", late)
	}
}

func TestOpenLoopNamesWhatWentWrong(t *testing.T) {
	for want, handle := range map[string]func(int) string{
		"error reply: ERR no":                 func(int) string { return "-ERR no\r\n" },
		"the server closed the connection":    func(n int) string { return map[bool]string{true: "+PONG\r\n"}[n < 3] },
		"replies to":                          func(int) string { return "+PONG\r\n+PONG\r\n" },
		"unexpected reply line \"hello\\r\\n": func(int) string { return "hello\r\n" },
	} {
		if _, err := Open(context.Background(), ping(serve(t, handle))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if _, err := Open(context.Background(), Options{}); err == nil {
		t.Error("empty options: no error")
	}
}

func TestOpenLoopEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	addr := serve(t, func(int) string { return "+PONG\r\n" })
	if _, err := Open(ctx, ping(addr)); err != context.Canceled {
		t.Fatalf("got %v", err)
	}
}

func TestClosedLoopAsksOneByOne(t *testing.T) {
	addr := serve(t, func(int) string { return "$3\r\nabc\r\n" })
	r, err := Closed(context.Background(), addr, [][]byte{[]byte("PING\r\n")}, 200)
	if err != nil || r.Answered != 200 || r.Latency.TotalCount() != 180 {
		t.Fatalf("answered %d, recorded %d, %v", r.Answered, r.Latency.TotalCount(), err)
	}
	bad := serve(t, func(int) string { return "-ERR no\r\n" })
	if _, err := Closed(context.Background(), bad, [][]byte{[]byte("PING\r\n")}, 2); err == nil {
		t.Fatal("an error reply is no error")
	}
}
