package topology

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ringmaster/internal/testkit"
	"ringmaster/pool"
	"ringmaster/shard"
)

// TestOneServerMayBecomeSeveralAndTheReverse: both are lists.
func TestOneServerMayBecomeSeveralAndTheReverse(t *testing.T) {
	one := fixed(t, "10.0.0.1:1")
	one.Kind = Standalone
	top, _ := begin(t, one)
	for _, c := range []Config{fixed(t, "10.0.0.1:1,10.0.0.2:1"), one} {
		change := prepare(t, top, c)
		if change.Map() == nil {
			t.Errorf("%s: the map stays", c.Kind)
		}
		change.Commit()
		if got := top.Describe(nil).Topology; got != c.Kind {
			t.Errorf("it is described as %s, want %s", got, c.Kind)
		}
	}
}

// places returns the addresses of a map by number, "-" for an empty place; nil: "".
func places(m *shard.Map) string {
	if m == nil {
		return ""
	}
	var list []string
	for i := range m.Len() {
		if list = append(list, m.Server(i).Addr); m.Server(i).Addr == "" {
			list[i] = "-"
		}
	}
	return strings.Join(list, " ")
}

func prepare(t *testing.T, top *Topology, c Config) *Change {
	t.Helper()
	change, err := top.Prepare(c)
	if err != nil {
		t.Fatal(err)
	}
	return change
}

func TestAListChangesWhileItRuns(t *testing.T) {
	top, _ := begin(t, fixed(t, "10.0.0.1:1@red,10.0.0.2:1@blue"))
	d := run(t, top)
	for _, step := range []struct {
		list  string
		takes bool
		want  string // the map; "": the one before stays
	}{
		{"10.0.0.2:1@blue,10.0.0.3:1", true, "- 10.0.0.2:1 10.0.0.3:1"},
		{"10.0.0.2:1@blue,10.0.0.3:1", true, ""},
		{"10.0.0.4:1", false, "- - - 10.0.0.4:1"},
		{"10.0.0.5:1,10.0.0.2:1:3@green", true, "- 10.0.0.2:1 - 10.0.0.5:1"},
		{"10.0.0.1:1", true, "10.0.0.1:1 - - -"},
	} {
		before := top.Names()
		change := prepare(t, top, fixed(t, step.list))
		if got := places(change.Map()); got != step.want {
			t.Errorf("%s: the map is %q, want %q", step.list, got, step.want)
		}
		if !slices.Equal(top.Names(), before) {
			t.Errorf("%s: before it is taken the names are %q", step.list, top.Names())
		}
		if !step.takes {
			change.Abort()
			if !slices.Equal(top.Names(), before) {
				t.Errorf("%s: though it is not taken the names are %q", step.list, top.Names())
			}
		}
		change.Commit()
	}
	if got := top.Names(); !slices.Equal(got, []string{"10.0.0.1:1", "", "", ""}) {
		t.Errorf("at the end the names are %q", got)
	}
	if d.latest() != nil {
		t.Errorf("the caller's maps came from here, too: %s", places(d.latest()))
	}
}

func TestWhatCannotChangeIsNamed(t *testing.T) {
	n := startNode(t)
	list, cluster := fixed(t, "10.0.0.1:1,10.0.0.2:1"), Config{Kind: Cluster, Seeds: []string{n.Addr}, Name: "cache"}
	s := startScript(t)
	sentinel := Config{Kind: Sentinel, Seeds: []string{s.Addr}, Masters: []string{"m"}}
	tops := map[Kind]*Topology{}
	for _, c := range []Config{list, cluster, sentinel} {
		tops[c.Kind], _ = begin(t, c)
	}
	for _, c := range []struct {
		from   Config
		change func(c *Config)
		want   string
	}{
		{list, func(c *Config) { c.Reads = shard.ReadAny }, "read-policy can't change from primary to any"},
		{list, func(c *Config) { c.Fixed = nil }, "between fixed and discovered"},
		{cluster, func(c *Config) { c.Kind = Sentinel }, "upstream cache: topology can't change from cluster to sentinel"},
		{cluster, func(c *Config) { c.Seeds = nil }, "servers"},
		{sentinel, func(c *Config) { c.Masters = []string{"n"} }, `sentinel-masters can't change from ["m"] to ["n"]`},
		{sentinel, func(c *Config) { c.Placement.Distribution = shard.Maglev }, "distribution can't change from ketama to maglev"},
		{sentinel, func(c *Config) { c.Placement.Hash = shard.MD5 }, "hash can't change from fnv1a_64 to md5"},
		{sentinel, func(c *Config) { c.Placement.HashTag = "{}" }, `hash-tag can't change from "" to "{}"`},
	} {
		config, top := c.from, tops[c.from.Kind]
		c.change(&config)
		if change, err := top.Prepare(config); change != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("want %q: %v", c.want, err)
		}
		prepare(t, top, c.from).Abort() // fails if the refusal has changed anything
	}
}

// startScript starts a sentinel of the name m, whose primary and replica can't be reached.
func startScript(t *testing.T) *testkit.FakeShard {
	t.Helper()
	return testkit.NewFakeShard(t, testkit.Answering(func(_ int, args []string) string {
		switch strings.Join(args[:min(2, len(args))], " ") {
		case "SENTINEL GET-MASTER-ADDR-BY-NAME":
			return testkit.Request("127.0.0.1", "1")
		case "SENTINEL MASTER":
			return testkit.Request("ip", "127.0.0.1", "port", "1", "flags", "master", "config-epoch", "1")
		case "SENTINEL REPLICAS", "SENTINEL SENTINELS":
			return "*0\r\n"
		}
		return "-ERR unknown\r\n"
	}))
}

func TestOneChangeAtATime(t *testing.T) {
	c := fixed(t, "10.0.0.1:1")
	top, _ := begin(t, c)
	one := prepare(t, top, c)
	if two, err := top.Prepare(c); two != nil || err == nil {
		t.Error("a second change begins while the first waits")
	}
	one.Commit()
	two := prepare(t, top, fixed(t, "10.0.0.2:1"))
	one.Commit() // it is over
	one.Abort()
	if _, err := top.Prepare(c); err == nil {
		t.Error("the second change does not wait any more")
	}
	two.Commit()
	if got := top.Names(); !slices.Equal(got, []string{"", "10.0.0.2:1"}) {
		t.Errorf("%q", got)
	}
}

// The placement of keys on a list may change, too.
func TestTheDistributionOfAListChanges(t *testing.T) {
	c := fixed(t, "10.0.0.1:1,10.0.0.2:1,10.0.0.3:1")
	top, _ := begin(t, c)
	servers := []shard.Server{top.Initial().Server(2), top.Initial().Server(0)}
	var err error
	if c.Fixed, err = shard.New(shard.Config{Servers: servers, Distribution: shard.Modula, Hash: shard.MD5, HashTag: "{}"}); err != nil {
		t.Fatal(err)
	}
	change := prepare(t, top, c)
	m := change.Map()
	change.Commit()
	for i := range 1000 {
		key := fmt.Appendf(nil, "key:{%d}", i)
		if want := c.Fixed.Server(c.Fixed.Lookup(key)); m.Server(m.Lookup(key)) != want {
			t.Fatalf("%s is at %v, want %v", key, m.Server(m.Lookup(key)), want)
		}
	}
	if places(m) != "10.0.0.1:1 - 10.0.0.3:1" {
		t.Errorf("%s", places(m))
	}
}

// While a Change waits nothing is published, and the process can stop.
func TestMapsWaitForAChange(t *testing.T) {
	n := startNode(t)
	c := Config{Kind: Cluster, Seeds: []string{n.Addr}}
	top, _ := begin(t, c)
	d := new(data)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		top.Run(ctx, d)
	}()
	testkit.Until(t, "it to run", func() bool { top.Hint(); return top.Counted().Refreshes > 1 })
	grows := func(with int) {
		t.Helper()
		text := fmt.Sprintf("a %s@1 myself,master - 0 0 1 connected %d-16383", n.Addr, with)
		for i := range with {
			text += fmt.Sprintf("\nb%d 10.0.0.%d:1@2 master - 0 0 2 connected %d", i, i+1, i)
		}
		changes := top.Counted().Changes
		n.says(text)
		testkit.Until(t, "the change to be seen", func() bool { top.Hint(); return top.Counted().Changes > changes })
	}
	for _, end := range []func(*Change){(*Change).Commit, (*Change).Abort} {
		before := d.latest()
		change := prepare(t, top, c)
		if change.Map() != nil {
			t.Error("a cluster's settings have a map")
		}
		servers := len(top.Names())
		grows(servers)
		if d.latest() != before || len(top.Names()) != servers {
			t.Errorf("published: %s", places(d.latest()))
		}
		end(change)
		testkit.Until(t, "the map", func() bool { m := d.latest(); return m != before && m.Len() == servers+1 })
	}
	prepare(t, top, c) // is never committed or aborted
	grows(3)
	cancel()
	<-ended
	if m := d.latest(); m.Len() != 3 {
		t.Errorf("published at the end: %s", places(m))
	}
}

// From the next refresh on, a cluster is asked at the new seeds, and by the new user.
func TestSeedsAndLoginChangeWhileItRuns(t *testing.T) {
	var auths sync.Map // the logins received, by node
	node := func() *testkit.FakeShard {
		var addr string
		n := testkit.NewFakeShard(t, func(_ int, c *testkit.Conn) {
			for {
				args, err := c.ReadRequest()
				if err != nil || len(args) == 0 {
					return
				}
				reply := "+OK\r\n"
				switch text := strings.Join(args, " "); {
				case args[0] == "AUTH":
					auths.Store(addr, text)
				case text == "CLUSTER INFO":
					reply = bulk("cluster_state:ok\r\n")
				case text == "CLUSTER NODES":
					reply = bulk(fmt.Sprintf("a %s@1 myself,master - 0 0 1 connected 0-16383", addr))
				case args[0] == "CLUSTER":
					reply = "*0\r\n"
				}
				if c.SendBytes([]byte(reply)) != nil {
					return
				}
			}
		})
		addr = n.Addr
		return n
	}
	one, two := node(), node()
	c := Config{Kind: Cluster, Seeds: []string{one.Addr}, Servers: Login{Password: "x"}, Timeout: testkit.Patience}
	top, _ := begin(t, c)
	d := run(t, top)
	// One is gone; the other reports the same ID.
	one.Close()
	c.Seeds, c.Servers = []string{two.Addr}, Login{Username: "ann", Password: "y"}
	prepare(t, top, c).Commit()
	testkit.Until(t, "the map of the other seed", func() bool { m := d.latest(); return m != nil && m.Server(m.Shards()[0]).Addr == two.Addr })
	if text, _ := auths.Load(two.Addr); text != "AUTH ann y" {
		t.Errorf("the login was %v", text)
	}
	if text, _ := auths.Load(one.Addr); text != "AUTH x" {
		t.Errorf("the first login was %v", text)
	}
}

// Found replicas stay with their primary, wherever it is in the list, and leave with it.
func TestReplicasStayWithTheirPrimary(t *testing.T) {
	one, two := testkit.Redis(t, "--repl-diskless-sync-delay", "0"), testkit.Redis(t)
	host, port, _ := strings.Cut(one.Addr, ":")
	replica := testkit.Redis(t, "--replicaof", host+" "+port, "--repl-diskless-sync-delay", "0")
	list := func(servers string) Config {
		c := fixed(t, servers)
		c.Reads, c.MaxLag, c.Timeout = shard.ReadAny, time.Second, testkit.Patience
		return c
	}
	top, _ := begin(t, list(one.Addr))
	d := run(t, top)
	testkit.Until(t, "the replica to be fit", func() bool {
		top.Hint()
		return len(top.Names()) == 2 && d.judged(replica.Addr).Reads == pool.ReadsAlways
	})
	found := len(d.all())

	change := prepare(t, top, list(two.Addr+","+one.Addr+"@renamed"))
	if m := change.Map(); places(m) != strings.Join([]string{one.Addr, replica.Addr, two.Addr}, " ") || !slices.Equal(m.Replicas(0), []int{1}) {
		t.Errorf("the map is %s", places(m))
	}
	change.Commit()
	if s := top.ReplicaStats()[replica.Addr]; !s.Readable {
		t.Errorf("%+v", top.ReplicaStats())
	}
	testkit.Until(t, "the new server to be asked", func() bool { return !d.judged(two.Addr).At.IsZero() })

	change = prepare(t, top, list(two.Addr))
	if m := change.Map(); places(m) != "- - "+two.Addr {
		t.Errorf("the map without it is %s", places(m))
	}
	change.Commit()
	testkit.Until(t, "it to be forgotten", func() bool { return d.judged(one.Addr).At.IsZero() && d.judged(replica.Addr).At.IsZero() })
	if len(d.all()) != found {
		t.Errorf("maps of the list before were published: %s", places(d.latest()))
	}
}

// The watcher's old names for the same servers make no new map.
func TestAMapThatIsTheSameIsNotPublished(t *testing.T) {
	list := func(servers string) Config {
		c := fixed(t, servers)
		c.Reads = shard.ReadAny
		return c
	}
	c := list("127.0.0.1:1@one,127.0.0.1:2")
	c.Groups[0].Replicas = []shard.Server{{Name: "r", Addr: "127.0.0.1:3", Weight: 1}}
	top, _ := begin(t, c)
	d := run(t, top)
	testkit.Until(t, "it to run", func() bool { return d.judged("127.0.0.1:1").Silent })
	change := prepare(t, top, list("127.0.0.1:1@one,127.0.0.1:2,127.0.0.1:1@further"))
	m := change.Map()
	change.Commit()
	top.publishReplicas()
	if d.latest() != nil || top.current.Load() != m || !slices.Equal(m.Replicas(0), []int{2}) {
		t.Errorf("published %s after %s", places(d.latest()), places(m))
	}
}

// The watchers of replicas and sentinels get new logins and addresses, too.
func TestEveryWatcherIsToldOfAnotherLogin(t *testing.T) {
	primary := testkit.Redis(t, "--requirepass", "secret")
	c := fixed(t, primary.Addr)
	c.Reads, c.Servers, c.Timeout = shard.ReadAny, Login{Password: "wrong"}, testkit.Patience
	top, _ := begin(t, c)
	d := run(t, top)
	testkit.Until(t, "it to run", func() bool { return d.knows(primary.Addr) })
	if !d.judged(primary.Addr).At.IsZero() {
		t.Error("the wrong password is right")
	}
	c.Servers.Password = "secret"
	prepare(t, top, c).Commit()
	testkit.Until(t, "an answer", func() bool { top.Hint(); return !d.judged(primary.Addr).At.IsZero() })

	one, two := startScript(t), startScript(t)
	c = Config{Kind: Sentinel, Seeds: []string{one.Addr}, Masters: []string{"m"}, Timeout: testkit.Patience}
	top, _ = begin(t, c)
	run(t, top)
	c.Seeds = []string{two.Addr}
	prepare(t, top, c).Commit()
	testkit.Until(t, "the other sentinel to be asked", func() bool { return slices.Equal(top.Describe(nil).Sentinel.Sentinels, c.Seeds) })
}

// Operators change the list while primaries list different replicas each time. The data plane gets maps from both,
// and each has the same numbers and each replica with its own primary.
func TestAListChangesWhileReplicasComeAndGo(t *testing.T) {
	const primaries, replicas = 4, 8
	var addrs []string
	owner := map[string]int{} // of a replica
	for p := range primaries {
		var turn atomic.Int64
		first := 1 + p*replicas // these ports refuse connections
		for r := range replicas {
			owner[testkit.Loopback(first+r)] = p
		}
		f := testkit.NewFakeShard(t, testkit.Answering(func(_ int, args []string) string {
			text := "role:master\r\nmaster_replid:abc\r\nmaster_repl_offset:14\r\n"
			if args[1] == "replication" {
				text += fmt.Sprintf("slave0:ip=127.0.0.1,port=%d,state=online,offset=14,lag=0\r\n", first+int(turn.Add(1)%replicas))
			}
			return bulk(text)
		}))
		addrs = append(addrs, f.Addr)
	}
	r := rand.New(rand.NewPCG(1, 2))
	list := func() Config {
		order := r.Perm(primaries)[:1+r.IntN(primaries)]
		var names []string
		for _, i := range order {
			names = append(names, fmt.Sprintf("%s@%d", addrs[i], r.IntN(2)*primaries+i))
		}
		c := fixed(t, strings.Join(names, ","))
		c.Reads, c.MaxLag, c.Timeout = shard.ReadAny, time.Millisecond, testkit.Patience
		return c
	}
	top, _ := begin(t, list())
	d := run(t, top)
	testkit.Until(t, "a first map", func() bool { top.Hint(); return d.latest() != nil })
	for step := range 60 {
		change := prepare(t, top, list())
		taken := step%6 != 0
		if m := change.Map(); m != nil && taken {
			d.Follow(m)
		}
		before, posted := top.replicas.Groups(), len(d.all())
		if step%3 == 0 {
			testkit.Until(t, "another replica", func() bool { return !reflect.DeepEqual(top.replicas.Groups(), before) })
			if len(d.all()) != posted {
				t.Error("a map was published while the change waits")
			}
		}
		if !taken {
			change.Abort()
			testkit.Until(t, "the map that waited", func() bool { return len(d.all()) > posted })
		}
		change.Commit()
		if step%3 == 1 {
			testkit.Until(t, "a map with another replica", func() bool { top.Hint(); return len(d.all()) > posted })
		}
	}
	maps := slices.Concat([]*shard.Map{top.Initial()}, d.all())
	for i, m := range maps[1:] {
		if m.Len() < maps[i].Len() {
			t.Fatalf("map %d has %d places after %d", i, m.Len(), maps[i].Len())
		}
		for n := range maps[i].Len() {
			was, is := maps[i].Server(n).Addr, m.Server(n).Addr
			if was != "" && is != "" && was != is {
				t.Fatalf("map %d: number %d passes from %s to %s", i, n, was, is)
			}
			for _, replica := range m.Replicas(n) {
				if p := owner[m.Server(replica).Addr]; addrs[p] != is {
					t.Fatalf("map %d: %s is a replica of %s", i, m.Server(replica).Addr, is)
				}
			}
		}
	}
	prepare(t, top, top.config) // nothing is published after this
	if d.latest() != top.current.Load() {
		t.Errorf("the last map is %s, and the current one %s", places(d.latest()), places(top.current.Load()))
	}
}

// Names that lead to one server are logged when the list changes, each pair once.
func TestAListThatChangesIsLookedUpAgain(t *testing.T) {
	top, log := begin(t, fixed(t, "a.example:1,b.example:1"))
	top.lookUp = func(_ context.Context, host string) []string {
		return map[string][]string{"a.example": {"10.0.0.1"}, "b.example": {"10.0.0.1"}, "c.example": {"10.0.0.1"}}[host]
	}
	run(t, top)
	warnings := func(n int) func() bool {
		return func() bool { return strings.Count(log.String(), "two names lead to the same server") == n }
	}
	testkit.Until(t, "a warning", warnings(1))
	prepare(t, top, fixed(t, "a.example:1,b.example:1,c.example:1,d.example:1")).Commit()
	testkit.Until(t, "the other pairs", warnings(2))
}
