package e2e

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"ringmaster/internal/testkit"
	"ringmaster/shard"
)

// A node of a cluster that goes by names comes back with another address behind its name: clients are served again, and no other
// node's connections are touched.
func TestAnAddressChangesBehindAHostname(t *testing.T) {
	if !testkit.Apart(t) {
		return
	}
	names := testkit.NewNames(t)
	var hosts []*testkit.Host
	for i := range 3 {
		hosts = append(hosts, &testkit.Host{IP: fmt.Sprintf("127.0.0.%d", 11+i)})
		names.Set(nodeName(i), hosts[i].IP)
	}
	c := testkit.StartClusterWith(t, testkit.ClusterOptions{Primaries: 3, Hosts: hosts, NodeArgs: func(i, _ int) []string {
		return []string{"--cluster-announce-hostname", nodeName(i), "--cluster-preferred-endpoint-type", "hostname"}
	}})
	named := func(i int) string { return fmt.Sprintf("%s:%d", nodeName(i), c.Nodes[i].Port(t)) }
	proxy := testkit.Proxy(t, []string{named(0)}, "--topology", "cluster")
	p := testkit.Dial(t, proxy.Addr)
	keys := keysOf(3)
	for i, k := range keys {
		if got := p.Do("SET", k, "1"); got != "+OK\r\n" {
			t.Fatalf("SET at node %d: %q", i, got)
		}
		if proxy.Metric(t, "ringmaster_server_connects_total", named(i)) == 0 {
			t.Errorf("nothing is connected to %s", named(i))
		}
	}
	others := proxy.Metric(t, "ringmaster_server_connects_total", named(1)) + proxy.Metric(t, "ringmaster_server_connects_total", named(2))
	for n := range 3 {
		to := &testkit.Host{IP: fmt.Sprintf("127.0.1.%d", n+1)}
		names.Set(nodeName(0), to.IP)
		c.Nodes[0].Move(t, to)
		back := time.Now()
		value := fmt.Sprint(n)
		testkit.Until(t, "service of the node at its new address", func() bool { return p.Do("SET", keys[0], value) == "+OK\r\n" })
		t.Logf("served %v after the node was back", time.Since(back).Round(time.Millisecond))
		if got := c.Must(t, c.Nodes[0], "GET", keys[0]); got.Text != value {
			t.Errorf("the node at %s has %q, want %q", to.IP, got.Text, value)
		}
		c.WaitOK(t)
	}
	for i, k := range keys {
		if got := p.Do("SET", k, "2"); got != "+OK\r\n" {
			t.Errorf("SET at node %d: %q", i, got)
		}
	}
	if now := proxy.Metric(t, "ringmaster_server_connects_total", named(1)) + proxy.Metric(t, "ringmaster_server_connects_total", named(2)); now != others {
		t.Errorf("the other nodes were connected to %v times, %v before", now, others)
	}
}

func nodeName(i int) string { return fmt.Sprintf("node%d.cluster.test", i) }

// keysOf gives each of n primaries, which have the slots in equal parts, a key.
func keysOf(n int) []string {
	keys := make([]string, n)
	for i, missing := 0, n; missing > 0; i++ {
		k := fmt.Sprintf("k%d", i)
		if at := int(shard.Slot([]byte(k))) * n / shard.Slots; keys[at] == "" {
			keys[at] = k
			missing--
		}
	}
	return keys
}

// A server that is named in the settings comes back with another address behind its name.
func TestAnAddressChangesBehindAnUpstreamsName(t *testing.T) {
	if !testkit.Apart(t) {
		return
	}
	names := testkit.NewNames(t)
	names.Set("a.test", "127.0.0.1")
	s := testkit.Redis(t)
	proxy := testkit.Proxy(t, []string{fmt.Sprintf("a.test:%d", s.Port(t))})
	p := testkit.Dial(t, proxy.Addr)
	for n := range 3 {
		value := fmt.Sprint(n)
		testkit.Until(t, "service of the server", func() bool { return p.Do("SET", "k", value) == "+OK\r\n" })
		if got := testkit.Dial(t, s.Addr).Do("GET", "k"); got != testkit.Request(value)[4:] {
			t.Errorf("the server at %s has %q, want %q", s.Addr, got, value)
		}
		to := &testkit.Host{IP: fmt.Sprintf("127.0.1.%d", n+1)}
		names.Set("a.test", to.IP)
		s.Move(t, to)
	}
}

// Nodes with IPv6 addresses, which MOVED and ASK write without brackets.
func TestAClusterOfIPv6(t *testing.T) {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skipf("no IPv6 here: %v", err)
	}
	l.Close()
	hosts := []*testkit.Host{{IP: "::1"}, {IP: "::1"}, {IP: "::1"}}
	c := testkit.StartClusterWith(t, testkit.ClusterOptions{Primaries: 3, Hosts: hosts})
	proxy := testkit.Proxy(t, []string{c.Nodes[0].Addr}, "--topology", "cluster")
	p := testkit.Dial(t, proxy.Addr)
	keys := keysOf(3)
	for i, k := range keys {
		if got := p.Do("SET", k, "1"); got != "+OK\r\n" {
			t.Fatalf("SET at node %d: %q", i, got)
		}
	}
	slot := int(shard.Slot([]byte(keys[0])))
	c.OpenSlot(t, slot, c.Nodes[0], c.Nodes[1])
	if got := p.Do("SET", "{"+keys[0]+"}new", "1"); got != "+OK\r\n" {
		t.Errorf("SET of a new key of a slot that moves: %q", got)
	}
	if n := proxy.Metric(t, "ringmaster_redirects_total", `reason="ask"`); n != 1 {
		t.Errorf("%v requests went where ASK said, want 1", n)
	}
	if _, body := proxy.Get(t, "/topology"); !strings.Contains(body, c.Nodes[2].Addr) {
		t.Errorf("the topology lacks %s: %s", c.Nodes[2].Addr, body)
	}
}
