package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ringmaster/internal/testkit"
)

// Many clients of one channel, over two loops: the server sees two subscribers, every client every message,
// once and in order, and one that does not read keeps nobody waiting.
func TestManySubscribersShareOneSubscriptionPerLoop(t *testing.T) {
	clients := scale(t, "SUBSCRIBERS", 50, 500, 500)
	messages := 200
	s := testkit.Redis(t)
	proxy := testkit.Proxy(t, []string{s.Addr}, "--loops", "2")
	subscribers := make([]*testkit.Conn, clients)
	for i := range subscribers {
		subscribers[i] = testkit.Dial(t, proxy.Addr)
		if got := subscribers[i].Do("SUBSCRIBE", "news"); got != "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n" {
			t.Fatalf("subscriber %d: %q", i, got)
		}
	}
	stalled := testkit.Dial(t, proxy.Addr)
	stalled.Do("SUBSCRIBE", "news")

	direct := testkit.Dial(t, s.Addr)
	if got := direct.Do("PUBSUB", "NUMSUB", "news"); got != "*2\r\n$4\r\nnews\r\n:2\r\n" {
		t.Errorf("the server has other than one subscriber for each loop: %q", got)
	}
	publisher := testkit.Dial(t, proxy.Addr)
	if got, want := publisher.Do("PUBSUB", "NUMSUB", "news"), fmt.Sprintf("*2\r\n$4\r\nnews\r\n:%d\r\n", clients+1); got != want {
		t.Errorf("NUMSUB is %q, want %q", got, want)
	}
	for m := range messages {
		if got, want := publisher.Do("PUBLISH", "news", text(m)), fmt.Sprintf(":%d\r\n", clients+1); got != want {
			t.Fatalf("PUBLISH %d answered %q, want %q", m, got, want)
		}
	}
	for i, c := range subscribers {
		for m := range messages {
			want := testkit.Request("message", "news", text(m))
			if got, err := c.Next(); err != nil || string(got) != want {
				t.Fatalf("subscriber %d, message %d: %.100q, %v", i, m, got, err)
			}
		}
	}
	for _, c := range subscribers {
		c.Close()
	}
	stalled.Close()
	testkit.Until(t, "the server to be without subscribers", func() bool {
		return direct.Do("PUBSUB", "NUMSUB", "news") == "*2\r\n$4\r\nnews\r\n:0\r\n"
	})
}

// text is a message that says which it is, 1 KB long.
func text(m int) string { return fmt.Sprintf("%06d %s", m, strings.Repeat("x", 1000)) }

// Subscribers of a server that is lost are closed, so that they know; those of others stay.
func TestSubscribersOfALostServerAreClosed(t *testing.T) {
	a, b := testkit.Redis(t), testkit.Redis(t)
	proxy := testkit.Proxy(t, []string{a.Addr + "@a", b.Addr + "@b"}, "--loops", "1")
	on := map[bool]*testkit.Conn{} // by: on a
	direct := testkit.Dial(t, a.Addr)
	for i := 0; len(on) < 2; i++ {
		c := testkit.Dial(t, proxy.Addr)
		name := fmt.Sprint("channel", i)
		c.Do("SUBSCRIBE", name)
		at := strings.HasSuffix(direct.Do("PUBSUB", "NUMSUB", name), ":1\r\n")
		if on[at] == nil {
			on[at] = c
		}
	}
	a.Restart(t)
	if rest, err := on[true].Rest(); err != nil || rest != "" {
		t.Errorf("the subscriber of the lost server got %q, %v", rest, err)
	}
	if got := on[false].Do("PING"); got != "*2\r\n$4\r\npong\r\n$0\r\n\r\n" {
		t.Errorf("the other subscriber got %q", got)
	}
}

// With lost-subscriptions resubscribe they stay, on every loop, and get the messages of the server that comes back.
func TestSubscribersOfALostServerStayAndAreSubscribedAgain(t *testing.T) {
	a, b := testkit.Redis(t), testkit.Redis(t)
	proxy := testkit.Proxy(t, []string{a.Addr + "@a", b.Addr + "@b"}, "--loops", "2", "--lost-subscriptions", "resubscribe")
	var clients []*testkit.Conn
	for range 20 { // more than enough to be on both loops
		c := testkit.Dial(t, proxy.Addr)
		c.Do("PSUBSCRIBE", "news*")
		for i := range 4 { // which live on both servers
			c.Do("SUBSCRIBE", fmt.Sprint("news", i))
		}
		clients = append(clients, c)
	}
	publish := func(message string) {
		t.Helper()
		publisher := testkit.Dial(t, proxy.Addr)
		for i := range 4 {
			name := fmt.Sprint("news", i)
			if got, want := publisher.Do("PUBLISH", name, message), fmt.Sprintf(":%d\r\n", 2*len(clients)); got != want {
				t.Errorf("PUBLISH %s counts %q, want %q", name, got, want)
			}
			if got, want := publisher.Do("PUBSUB", "NUMSUB", name), fmt.Sprintf("*2\r\n$5\r\n%s\r\n:%d\r\n", name, len(clients)); got != want {
				t.Errorf("NUMSUB is %q, want %q", got, want)
			}
		}
		for i, c := range clients {
			got := map[string]bool{}
			for range 8 {
				b, err := c.Next()
				if err != nil {
					t.Fatalf("client %d: %v", i, err)
				}
				got[string(b)] = true
			}
			for n := range 4 {
				name := fmt.Sprint("news", n)
				if !got[testkit.Request("message", name, message)] || !got[testkit.Request("pmessage", "news*", name, message)] {
					t.Errorf("client %d misses a message of %s: %v", i, name, got)
				}
			}
		}
	}
	publish("before")
	metric := func(name string) float64 {
		return proxy.Metric(t, "ringmaster_server_subscriptions_"+name, `server="a"`)
	}
	before := testkit.Dial(t, a.Addr)
	onA := float64(2 * (1 + strings.Count(before.Do("PUBSUB", "CHANNELS"), "news"))) // the pattern, and both loops
	a.Restart(t)
	testkit.Until(t, "what was lost to be subscribed again", func() bool {
		return metric("lost_total") == onA && metric("restored_total") == onA
	})
	publish("after")
	if n := proxy.Metric(t, "ringmaster_server_subscriptions_lost_total", `server="b"`); n != 0 {
		t.Errorf("%v subscriptions of the other server were lost", n)
	}
	for _, c := range clients {
		c.Close()
	}
	direct := testkit.Dial(t, a.Addr)
	testkit.Until(t, "the server to be without subscribers", func() bool {
		return direct.Do("PUBSUB", "NUMPAT") == ":0\r\n" && direct.Do("PUBSUB", "CHANNELS") == "*0\r\n"
	})
}

// A client that is blocked and leaves frees the block at the server; others go on meanwhile.
func TestBlockedClientsLeaveNothingBehind(t *testing.T) {
	clients := scale(t, "BLOCKED", 20, 200, 200)
	s := testkit.Redis(t)
	proxy := testkit.Proxy(t, []string{s.Addr}, "--loops", "2")
	direct := testkit.Dial(t, s.Addr)
	blocked := func() string { return infoField(direct, "clients", "blocked_clients") }
	var waiting []*testkit.Conn
	for range clients {
		c := testkit.Dial(t, proxy.Addr)
		c.Send(testkit.Request("BLPOP", "queue", "0"))
		waiting = append(waiting, c)
	}
	testkit.Until(t, "all to be blocked", func() bool { return blocked() == fmt.Sprint(clients) })
	other := testkit.Dial(t, proxy.Addr)
	other.Do("SET", "k", "v")
	if got := other.Do("GET", "k"); got != "$1\r\nv\r\n" {
		t.Errorf("beside %d blocked clients: %q", clients, got)
	}
	half := clients / 2
	for _, c := range waiting[:half] {
		c.Close()
	}
	testkit.Until(t, "those who left to be free at the server", func() bool { return blocked() == fmt.Sprint(clients-half) })
	for range clients - half {
		other.Do("RPUSH", "queue", "x")
	}
	for i, c := range waiting[half:] {
		if got, err := c.Next(); err != nil || string(got) != testkit.Request("queue", "x") {
			t.Fatalf("blocked client %d: %q, %v", i, got, err)
		}
	}
}

// Two clients race on a counter that they watch: no increment is lost. Without WATCH transactions need no
// connection of their own.
func TestWatchedCountersLoseNoUpdate(t *testing.T) {
	seconds := scale(t, "WATCH_SECONDS", 1, 2, 3)
	s := testkit.Redis(t)
	proxy := testkit.Proxy(t, []string{s.Addr}, "--loops", "2")
	direct := testkit.Dial(t, s.Addr)
	plain := testkit.Dial(t, proxy.Addr)
	plain.Do("PING")
	before := afterFirstTransactions(t, proxy, direct, 1, plain)
	for i := range 500 {
		plain.Send(testkit.Request("MULTI") + testkit.Request("INCR", "plain") + testkit.Request("EXEC"))
		got := plain.Read1() + plain.Read1() + plain.Read1()
		if want := fmt.Sprintf("+OK\r\n+QUEUED\r\n*1\r\n:%d\r\n", i+1); got != want {
			t.Fatalf("transaction %d: %q", i, got)
		}
	}
	if after := connectionsEver(t, direct); after != before {
		t.Errorf("500 transactions without WATCH took connections: %d, then %d", before, after)
	}
	end := time.Now().Add(time.Duration(seconds) * time.Second)
	counts := make(chan [2]int)
	for range 2 {
		c := testkit.Dial(t, proxy.Addr)
		go func() {
			won, lost := 0, 0
			for time.Now().Before(end) {
				_, _ = c.Call("WATCH", "counter")
				value, _ := c.Call("GET", "counter")
				var n int
				_, _ = fmt.Sscanf(value, "$%d\r\n%d", new(int), &n)
				_, _ = c.Call("MULTI")
				_, _ = c.Call("SET", "counter", fmt.Sprint(n+1))
				switch got, err := c.Call("EXEC"); {
				case err != nil:
					t.Error(err)
					counts <- [2]int{won, lost}
					return
				case got == "*-1\r\n":
					lost++
				default:
					won++
				}
			}
			counts <- [2]int{won, lost}
		}()
	}
	first, second := <-counts, <-counts
	won, lost := first[0]+second[0], first[1]+second[1]
	if got, want := direct.Do("GET", "counter"), fmt.Sprint(won); !strings.HasSuffix(got, "\r\n"+want+"\r\n") {
		t.Errorf("%d increments were confirmed, the counter is %q", won, got)
	}
	if won == 0 || lost == 0 {
		t.Errorf("%d won and %d lost: they did not race", won, lost)
	}
	t.Logf("%d increments, %d retries", won, lost)
}
