package e2e

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ringmaster/internal/testkit"
)

// Replies that are larger than everything a client may leave unread arrive whole, as a direct Redis delivers them. LARGE_MB is
// their size; the limits are a quarter of it.

func largeSize(t *testing.T) (mb int, flags []string) {
	t.Helper()
	mb = scale(t, "LARGE_MB", 32, 32, 32)
	return mb, []string{"--timeout", "30s", "--client-output-limit", strconv.Itoa(mb/4) + "mb"}
}

// megabyte is a value that differs from key to key.
func megabyte(key int) string {
	b := bytes.Repeat([]byte(fmt.Sprintf("%07d|", key)), 1<<17)
	return string(b)
}

// fill sets n keys of a megabyte.
func fill(t *testing.T, addr string, n int) {
	t.Helper()
	c := testkit.Dial(t, addr)
	for i := range n {
		if got := c.Do("SET", "mb:"+strconv.Itoa(i), megabyte(i)); got != "+OK\r\n" {
			t.Fatalf("SET: %.100q", got)
		}
	}
}

// slowly reads n bytes, one megabyte at a time with a pause between.
func slowly(t *testing.T, c *testkit.Conn, n int, pause time.Duration) []byte {
	t.Helper()
	all := make([]byte, n)
	pace := time.NewTicker(pause)
	defer pace.Stop()
	for at := 0; at < n; at += min(1<<20, n-at) {
		<-pace.C
		if err := c.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c.Conn, all[at:at+min(1<<20, n-at)]); err != nil {
			t.Fatalf("after %d of %d bytes: %v", at, n, err)
		}
	}
	return all
}

func bulkOf(value string) string { return "$" + strconv.Itoa(len(value)) + "\r\n" + value + "\r\n" }

func TestOneLargeReplyToASlowReaderArrivesWhole(t *testing.T) {
	mb, flags := largeSize(t)
	s := testkit.Redis(t)
	proxy := testkit.Proxy(t, []string{s.Addr}, flags...)
	value := strings.Repeat(megabyte(7), mb)
	if got := testkit.Dial(t, proxy.Addr).Do("SET", "large", value); got != "+OK\r\n" {
		t.Fatal(got)
	}
	c := testkit.Dial(t, proxy.Addr)
	for range 2 {
		c.Send(testkit.Request("GET", "large") + testkit.Request("GET", "none"))
		want := bulkOf(value) + "$-1\r\n"
		if got := slowly(t, c, len(want), 20*time.Millisecond); string(got) != want {
			t.Fatalf("%d bytes came, not those that were stored", len(got))
		}
	}
	t.Logf("%d MB: peak RSS %d MB", mb, proxy.PeakRSS(t)>>20)
}

func TestManyLargeRepliesThatAreReadLateArriveWhole(t *testing.T) {
	mb, flags := largeSize(t)
	s := testkit.Redis(t)
	proxy := testkit.Proxy(t, []string{s.Addr}, flags...)
	fill(t, proxy.Addr, mb)
	c := testkit.Dial(t, proxy.Addr)
	var raw, want strings.Builder
	for i := range mb {
		raw.WriteString(testkit.Request("GET", "mb:"+strconv.Itoa(i)))
		want.WriteString(bulkOf(megabyte(i)))
	}
	c.Send(raw.String())
	testkit.Until(t, "the client to wait for its own reading", func() bool {
		return proxy.Metric(t, "ringmaster_clients_not_reading") == 1
	})
	held := proxy.Metric(t, "ringmaster_client_output_bytes")
	if held > float64(mb<<20)/4+2<<20 {
		t.Errorf("%v bytes are held for a client that does not read", held)
	}
	if got := slowly(t, c, want.Len(), time.Millisecond); string(got) != want.String() {
		t.Fatal("what came is not what was stored")
	}
	if got := c.Do("PING"); got != "+PONG\r\n" {
		t.Errorf("the client goes on with %q", got)
	}
	t.Logf("%d x 1 MB: %v bytes held, peak RSS %d MB", mb, held, proxy.PeakRSS(t)>>20)
}

func TestLargeMGETOverShardsArrivesWhole(t *testing.T) {
	mb, flags := largeSize(t)
	var addrs []string
	for range 3 {
		addrs = append(addrs, testkit.Redis(t).Addr)
	}
	proxy := testkit.Proxy(t, addrs, flags...)
	fill(t, proxy.Addr, mb)
	args, want := []string{"MGET"}, "*"+strconv.Itoa(mb)+"\r\n"
	for i := range mb {
		args = append(args, "mb:"+strconv.Itoa(i))
		want += bulkOf(megabyte(i))
	}
	for _, pause := range []time.Duration{time.Microsecond, 10 * time.Millisecond} {
		c := testkit.Dial(t, proxy.Addr)
		c.Send(testkit.Request(args...))
		if got := slowly(t, c, len(want), pause); string(got) != want {
			t.Fatal("what came is not what was stored")
		}
		t.Logf("%d MB with a pause of %v: peak RSS %d MB", mb, pause, proxy.PeakRSS(t)>>20)
	}
}

// Twenty clients ask for sixty large values each and read none. What a hundred light ones wait is compared with what they wait when
// the twenty are at the server directly, and when there are none, in the same minute. NEVER_READ_MB is the size of a value, LIGHT_REQUESTS
// what each light one asks. The bound is twice what they wait directly. With values of 10 MB the server is at work for seconds,
// and p99 is compared. With smaller ones it stands still once, for about a second: that is one request of each light client, which
// may be just outside of p99. So the mean of the slowest two in a hundred is compared.
func TestClientsThatNeverReadLargeReplies(t *testing.T) {
	mb := scale(t, "NEVER_READ_MB", 1, 2, 2)
	s := testkit.Redis(t)
	proxy := testkit.Proxy(t, []string{s.Addr}, "--timeout", "30s", "--client-memory", "128mb")
	if got := testkit.Dial(t, s.Addr).Do("SET", "large", strings.Repeat(megabyte(1), mb)); got != "+OK\r\n" {
		t.Fatal(got)
	}
	var direct, through, alone latencies
	for range 2 { // in turns: the machine may be busy at one time and not at another
		alone = append(alone, measureLight(t, proxy.Addr, 100)...)
		through = append(through, besideNeverReaders(t, proxy.Addr)...)
		direct = append(direct, besideNeverReaders(t, s.Addr)...)
		testkit.Until(t, "the server to have freed what nobody read", func() bool {
			used, _ := strconv.Atoi(infoField(testkit.Dial(t, s.Addr), "memory", "used_memory"))
			return used < 64<<20
		})
	}
	slices.Sort(alone)
	slices.Sort(direct)
	slices.Sort(through)
	t.Logf("through the proxy: %v, max %v, peak RSS %d MB; directly: %v, max %v", through, through.at(1), proxy.PeakRSS(t)>>20, direct, direct.at(1))
	name, slow := "the mean of the slowest 2 %", func(l latencies) time.Duration { return l.slowest(.02) }
	if mb >= 10 {
		name, slow = "p99", func(l latencies) time.Duration { return l.at(.99) }
	}
	t.Logf("%s: %v through the proxy, %v directly, %v without the twenty", name, slow(through), slow(direct), slow(alone))
	if bound := 2 * max(slow(direct), slow(alone), noise); slow(through) > bound {
		t.Errorf("%s is %v, directly %v, without the twenty %v", name, slow(through), slow(direct), slow(alone))
	}
}

// besideNeverReaders measures light clients, while which twenty others begin not to read.
func besideNeverReaders(t *testing.T, addr string) latencies {
	t.Helper()
	raw := strings.Repeat(testkit.Request("GET", "large"), 60)
	var heavy []*testkit.Conn
	for range 20 {
		heavy = append(heavy, testkit.Dial(t, addr))
	}
	begun := make(chan struct{})
	go func() {
		defer close(begun)
		first := testkit.Dial(t, addr)
		defer first.Close()
		if _, err := light(first, 0, 10); err != nil {
			t.Error(err)
		}
		for _, c := range heavy {
			if err := c.SendBytes([]byte(raw)); err != nil {
				t.Error(err)
			}
		}
	}()
	got := measureLight(t, addr, scale(t, "LIGHT_REQUESTS", 100, 200, 200))
	<-begun
	for _, c := range heavy {
		c.Close()
	}
	return got
}

// A client that never reads is closed once it is over its limit for the named time; one that reads a little is not.
func TestClientThatReadsNothingIsClosedWithAReason(t *testing.T) {
	s := testkit.Redis(t)
	proxy := testkit.Proxy(t, []string{s.Addr}, "--client-output-limit", "1mb", "--client-read-timeout", "1s")
	fill(t, proxy.Addr, 1)
	raw := strings.Repeat(testkit.Request("GET", "mb:0"), 20)
	never, slow := testkit.Dial(t, proxy.Addr), testkit.Dial(t, proxy.Addr)
	never.Send(raw)
	slow.Send(raw)
	want := strings.Repeat(bulkOf(megabyte(0)), 20)
	if got := slowly(t, slow, len(want), 150*time.Millisecond); string(got) != want {
		t.Error("what came to the slow reader is not what was stored")
	}
	testkit.Until(t, "the other to be closed", func() bool {
		return proxy.Metric(t, "ringmaster_clients_closed_total", `reason="not_reading"`) == 1
	})
	testkit.Until(t, "the log to say so", func() bool { return strings.Contains(proxy.Log(), "reason=not_reading") })
	testkit.Until(t, "nothing to be held", func() bool { return proxy.Metric(t, "ringmaster_client_output_bytes") == 0 })
}
