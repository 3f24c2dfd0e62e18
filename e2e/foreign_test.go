package e2e

import (
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

// TestWordsOfHTTPEndTheConnectionAsInRedis compares what clients of other protocols get, with and without a password.
func TestWordsOfHTTPEndTheConnectionAsInRedis(t *testing.T) {
	const password = "secret"
	direct, locked, behind := testkit.Redis(t), testkit.Redis(t, "--requirepass", password), testkit.Redis(t)
	open := testkit.Proxy(t, []string{behind.Addr})
	closed := testkit.Proxy(t, []string{behind.Addr}, "--password", password)
	for _, raw := range []string{
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 13\r\n\r\nSET pwned 1\r\n", "post\r\nSET pwned 1\r\n", "*1\r\n$4\r\nPoSt\r\n" + req("SET pwned 1"),
		"GET / HTTP/1.1\r\nHost: x\r\n\r\nSET pwned 1\r\n", "PUT /a HTTP/1.1\r\nHost: x\r\n\r\nSET pwned 1\r\n", "Host: x\r\nSET pwned 1\r\n",
		"*2\r\n$5\r\nhOSt:\r\n$1\r\nx\r\n" + req("SET pwned 1"), req("PING") + "POST /\r\n" + req("SET pwned 1"), req("SET ran 1") + req("GET ran") + "POST /\r\n" + req("SET pwned 1"),
		req("MULTI") + req("SET pwned 1") + "POST /\r\n" + req("EXEC"), req("SUBSCRIBE c") + "POST /\r\n", testkit.Request("POST\x00x") + req("SET pwned 1"),
		"  'post' \r\nSET pwned 1\r\n", req("CLIENT REPLY OFF") + "POST\r\nSET pwned 1\r\n",
	} {
		sameEnd(t, direct.Addr, open.Addr, "", raw)
		sameEnd(t, locked.Addr, closed.Addr, "", raw)
		sameEnd(t, locked.Addr, closed.Addr, password, raw)
	}
	for _, raw := range []string{"POSTS / HTTP/1.1\r\n", "Host x\r\n", testkit.Request("POST "), testkit.Request("\x00POST"), "\x16\x03\x01\x01\n"} {
		sameConversation(t, direct.Addr, open.Addr, raw)
	}
	if got := testkit.Dial(t, behind.Addr).Do("EXISTS", "pwned"); got != ":0\r\n" {
		t.Errorf("a request after POST or Host: has run: %q", got)
	}
	if n := closed.Metric(t, "ringmaster_clients_closed_total", `reason="cross_protocol"`); n == 0 {
		t.Error("no client is counted as closed for another protocol")
	}
	testkit.Until(t, "a line about the attack, and one about HTTP", func() bool {
		log := open.Log()
		return strings.Contains(log, "possible cross-protocol attack") && strings.Count(log, "speaks HTTP") == 1
	})
}

// sameEnd compares what comes, after the login if there is a password, before a plain server and the proxy close.
func sameEnd(t *testing.T, direct, proxy, password, raw string) {
	t.Helper()
	var ends [2]string
	for i, addr := range []string{direct, proxy} {
		c := testkit.Dial(t, addr)
		if password != "" {
			c.Do("AUTH", password)
		}
		c.Send(raw)
		var err error
		if ends[i], err = c.Rest(); err != nil {
			t.Errorf("%s does not close after %.300q: %v", addr, raw, err)
		}
		c.Close()
	}
	if ends[0] != ends[1] {
		t.Errorf("after %.300q\ndirect: %.300q\nproxy:  %.300q", raw, ends[0], ends[1])
	}
}

func TestATLSClientIsNamedInTheLog(t *testing.T) {
	proxy := testkit.Proxy(t, []string{testkit.Redis(t).Addr})
	for range 3 {
		c := testkit.Dial(t, proxy.Addr)
		c.Send("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
		testkit.Until(t, "a line about TLS", func() bool { return strings.Contains(proxy.Log(), "speaks TLS") })
		c.Close()
	}
	if n := strings.Count(proxy.Log(), "speaks TLS"); n != 1 {
		t.Errorf("%d lines about one address", n)
	}
}
