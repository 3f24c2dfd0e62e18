package e2e

import (
	"os"
	"strings"
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

// newFront starts servers, with SERVER_ARGS as further arguments (such as a module to load) where there is no Sentinel, and the proxy.
func newFront(t *testing.T, kind string, flags ...string) *front {
	t.Helper()
	f := &front{kind: kind}
	args := strings.Fields(os.Getenv("SERVER_ARGS"))
	flags = append([]string{"--timeout", "5s"}, flags...)
	switch kind {
	case "one":
		f.servers = []*testkit.Server{testkit.Redis(t, args...)}
		if os.Getenv("ATTACK_SELF") != "" { // no proxy: checks the test itself, and shows what the server itself costs
			f.proxy = f.servers[0]
			break
		}
		f.proxy = testkit.Proxy(t, f.addrs(), flags...)
	case "shards":
		f.servers = []*testkit.Server{testkit.Redis(t, args...), testkit.Redis(t, args...), testkit.Redis(t, args...)}
		f.proxy = testkit.Proxy(t, f.addrs(), append(flags, "--hash-tag", "{}")...)
	case "cluster":
		f.servers = testkit.StartClusterWith(t, testkit.ClusterOptions{Primaries: 3, Args: args}).Nodes
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
