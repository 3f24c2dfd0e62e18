package e2e

import (
	"testing"

	"ringmaster/internal/testkit"
)

// front is the proxy in front of servers of one kind of topology.
type front struct {
	kind    string // one, shards, cluster or sentinel
	proxy   *testkit.Server
	servers []*testkit.Server // those that hold data
}

// fronts are all kinds.
var fronts = []string{"one", "shards", "cluster", "sentinel"}

func newFront(t *testing.T, kind string, flags ...string) *front {
	t.Helper()
	f := &front{kind: kind}
	flags = append([]string{"--timeout", "5s"}, flags...)
	switch kind {
	case "one":
		f.servers = []*testkit.Server{testkit.Redis(t)}
		f.proxy = testkit.Proxy(t, f.addrs(), flags...)
	case "shards":
		f.servers = []*testkit.Server{testkit.Redis(t), testkit.Redis(t), testkit.Redis(t)}
		f.proxy = testkit.Proxy(t, f.addrs(), append(flags, "--hash-tag", "{}")...)
	case "cluster":
		f.servers = testkit.StartCluster(t, 3, 0).Nodes
		f.proxy = testkit.Proxy(t, f.addrs()[:2], append(flags, "--topology", "cluster")...)
	case "sentinel":
		s := testkit.StartSentinels(t, 1)
		f.servers = s.Groups["mymaster"][:1]
		f.proxy = sentinelProxy(t, s.Addrs(), "mymaster", flags...)
	default:
		t.Fatalf("no topology %q", kind)
	}
	return f
}

func (f *front) addrs() (addrs []string) {
	for _, s := range f.servers {
		addrs = append(addrs, s.Addr)
	}
	return addrs
}
