package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"ringmaster/internal/testkit"
)

// Clients beyond what the descriptors allow are refused, those that are in stay served,
// and places that become free are given again.
func TestRunningOutOfDescriptorsRefusesNewClientsAndRecovers(t *testing.T) {
	s := testkit.Redis(t)
	proxy := testkit.ProxyWith(t, testkit.ProxyOptions{Upstreams: []string{s.Addr}, OpenFiles: 64})
	first := testkit.Dial(t, proxy.Addr)
	first.Do("SET", "k", "v")
	var in []*testkit.Conn
	refused := 0
	for range 150 {
		c := testkit.Dial(t, proxy.Addr)
		switch got, err := c.Call("GET", "k"); {
		case err == nil && got == "$1\r\nv\r\n":
			in = append(in, c)
		case err == nil && got != "-ERR max number of clients reached\r\n":
			t.Fatalf("a further client got %q", got)
		case err != nil && isTimeout(err):
			t.Fatalf("a further client hangs after %d", len(in))
		default:
			refused++
			c.Close()
		}
	}
	if refused == 0 || len(in) < 10 {
		t.Fatalf("of 150 clients %d were served and %d refused under a limit of 64 descriptors", len(in), refused)
	}
	for i, c := range append(in, first) {
		if got := c.Do("GET", "k"); got != "$1\r\nv\r\n" {
			t.Errorf("client %d, which is in, got %q", i, got)
		}
	}
	for _, c := range in {
		c.Close()
	}
	testkit.Until(t, "as many clients to be served as before", func() bool { return servedAtOnce(t, proxy.Addr, len(in)) })
	if proxy.Exited() {
		t.Error("the proxy ended")
	}
}

// servedAtOnce reports whether n more clients get an answer while all are connected.
func servedAtOnce(t *testing.T, addr string, n int) bool {
	t.Helper()
	for range n {
		c, err := testkit.Connect(addr)
		if err != nil {
			return false
		}
		defer c.Close()
		if got, err := c.Call("GET", "k"); err != nil || got != "$1\r\nv\r\n" {
			return false
		}
	}
	return true
}

// Values of odd sizes, together 200 MB, arrive whole in both directions.
func TestManyMegabytesInOddSizesArriveWhole(t *testing.T) {
	proxy, _ := threeShards(t, "--timeout", "30s")
	total := scale(t, "TRANSFER_MB", 10, 100, 200) << 20
	r := rand.New(rand.NewPCG(1, 2))
	pattern := make([]byte, 3<<20)
	for i := range pattern {
		pattern[i] = byte(r.Uint32())
	}
	c := testkit.Dial(t, proxy.Addr)
	var got []byte
	for sent, n := 0, 0; sent < total; n++ {
		size := oddSize(r, len(pattern)/2)
		at := r.IntN(len(pattern) - size)
		value := pattern[at : at+size]
		key := "odd:" + strconv.Itoa(n%50)
		go func() {
			_ = c.SendBytes(append(testkit.AppendRequest(nil, "SET", key, string(value)), req("GET "+key)...))
		}()
		if reply := c.Read1(); reply != "+OK\r\n" {
			t.Fatalf("SET of %d bytes: %.100q", size, reply)
		}
		var err error
		if got, err = c.NextInto(got[:0]); err != nil {
			t.Fatalf("GET of %d bytes: %v", size, err)
		}
		head := len("$\r\n") + len(strconv.Itoa(size))
		if len(got) != head+size+2 || !bytes.Equal(got[head:head+size], value) {
			t.Fatalf("value %d of %d bytes came back different, %d bytes", n, size, len(got))
		}
		sent += size
	}
}

// oddSize is around a power of two, where buffers end, or anything up to limit.
func oddSize(r *rand.Rand, limit int) int {
	if r.IntN(2) == 0 {
		return r.IntN(limit)
	}
	return min(limit, max(0, 1<<r.IntN(21)+r.IntN(7)-3))
}

// A client that shuts its write half down gets every reply it is owed.
func TestHalfClosedClientGetsItsReplies(t *testing.T) {
	proxy, _ := threeShards(t)
	const n = 500
	var raw, want strings.Builder
	for i := range n {
		raw.WriteString(testkit.Request("SET", fmt.Sprintf("half:%d", i), "v") + testkit.Request("GET", fmt.Sprintf("half:%d", i)))
		want.WriteString("+OK\r\n$1\r\nv\r\n")
	}
	for range 20 {
		c := testkit.Dial(t, proxy.Addr)
		c.Send(raw.String())
		if err := c.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		got, err := c.Rest()
		if err != nil || got != want.String() {
			t.Fatalf("%d bytes of %d came after the half close: %v", len(got), want.Len(), err)
		}
	}
}

// One value of 100 MB passes, and the proxy does not hold it several times.
func TestHundredMegabyteValuePasses(t *testing.T) {
	if testing.Short() {
		t.Skip("moves 200 MB")
	}
	s := testkit.Redis(t)
	proxy := testkit.Proxy(t, []string{s.Addr}, "--timeout", "30s")
	const size = 100_000_000
	value := strings.Repeat("0123456789", size/10)
	c := testkit.Dial(t, proxy.Addr)
	c.Do("PING")
	before := proxy.RSS(t)
	began := time.Now()
	if got := c.Do("SET", "big", value); got != "+OK\r\n" {
		t.Fatalf("SET: %.100q", got)
	}
	got := c.Do("GET", "big")
	if len(got) != size+len("$100000000\r\n\r\n") || got[12:12+size] != value {
		t.Fatalf("GET: %d bytes came back, or different ones", len(got))
	}
	grown := proxy.PeakRSS(t) - before
	t.Logf("100 MB there and back in %v; memory %d MB before, grown by %d MB at most, %d MB now", time.Since(began).Round(time.Millisecond), before>>20, grown>>20, proxy.RSS(t)>>20)
	if grown > 250_000_000 {
		t.Errorf("memory grew by %d MB, want at most 250", grown>>20)
	}
}

func TestIdleClientsAreClosed(t *testing.T) {
	s := testkit.Redis(t)
	proxy := testkit.Proxy(t, []string{s.Addr}, "--idle-timeout", "1s")
	idle, blocked, subscribed := testkit.Dial(t, proxy.Addr), testkit.Dial(t, proxy.Addr), testkit.Dial(t, proxy.Addr)
	blocked.Send(testkit.Request("BLPOP", "list", "0"))
	subscribed.Do("SUBSCRIBE", "news")
	idle.Do("PING")
	if got, err := idle.Rest(); err != nil || got != "" {
		t.Errorf("the idle client got %q, %v; want a close", got, err)
	}
	if n := proxy.Metric(t, "ringmaster_clients_closed_total", `reason="idle"`); n != 1 {
		t.Errorf("%v clients were closed for being idle", n)
	}
	c := testkit.Dial(t, proxy.Addr)
	c.Do("PUBLISH", "news", "hello")
	c.Do("RPUSH", "list", "x")
	if got := subscribed.Read1(); got != "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n" {
		t.Errorf("the subscriber got %q", got)
	}
	if got := blocked.Read1(); got != "*2\r\n$4\r\nlist\r\n$1\r\nx\r\n" {
		t.Errorf("the blocked client got %q", got)
	}
}
