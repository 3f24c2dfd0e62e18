package cluster

import (
	"fmt"
	"strings"
	"testing"

	"ringmaster/internal/respclient"
	"ringmaster/parser"
)

func TestParseNodesOfARealServer(t *testing.T) {
	v, err := parseNodes("127.0.0.1:21901", `22230d8720713e34220ce7ae8ed505f75e12b105 127.0.0.1:21902@31902,host.example slave e124e786736bebdc894eeb95c262a1e03ae40b4b 0 1795655827306 7 connected
e124e786736bebdc894eeb95c262a1e03ae40b4b :21901@31901,,shard-id=1f myself,master - 0 0 7 connected 0-5460 7000 [77->-22230d8720713e34220ce7ae8ed505f75e12b105] [78-<-22230d8720713e34220ce7ae8ed505f75e12b105]
a1b2 ::1:7000@17000 master,nofailover - 0 0 8 disconnected 8000
c3d4 :0@0 master,noaddr - 0 0 2 disconnected
`)
	if err != nil {
		t.Fatal(err)
	}
	self := v.self
	if self.addr != "127.0.0.1:21901" || self.origin != sameHost || self.epoch != 7 || self.away || v.open != 2 || fmt.Sprint(self.slots) != "[{0 5460} {7000 7000}]" {
		t.Errorf("myself is %+v, %d open", self, v.open)
	}
	replica := v.nodes["22230d8720713e34220ce7ae8ed505f75e12b105"]
	if replica.primary != self.id || replica.addr != "127.0.0.1:21902" || replica.away {
		t.Errorf("replica is %+v", replica)
	}
	if n := v.nodes["a1b2"]; n.addr != "[::1]:7000" || !n.away || n.failing {
		t.Errorf("IPv6 node is %+v", n)
	}
	if n := v.nodes["c3d4"]; n.addr != "" || !n.away {
		t.Errorf("node without an address is %+v", n)
	}
}

func TestParseNodesRefuses(t *testing.T) {
	const good = "a 127.0.0.1:1@2 myself,master - 0 0 1 connected"
	many := make([]string, 0, MaxNodes+1)
	for i := range MaxNodes + 1 {
		many = append(many, fmt.Sprintf("n%d h:1@2 master - 0 0 1 connected", i))
	}
	for name, text := range map[string]string{
		"nothing":         "",
		"few fields":      "a 127.0.0.1:1@2 myself,master - 0 0 1",
		"no myself":       "a 127.0.0.1:1@2 master - 0 0 1 connected",
		"two myselves":    good + "\nb h:1@2 myself,master - 0 0 1 connected",
		"an ID twice":     good + "\n" + good,
		"a long ID":       strings.Repeat("a", 65) + good[1:],
		"epoch":           "a 127.0.0.1:1@2 myself,master - 0 0 -1 connected",
		"slot too high":   good + " 16384",
		"range backwards": good + " 9-8",
		"no number":       good + " x-1",
		"a slot twice":    good + " 0-9\nb h:1@2 master - 0 0 1 connected 9",
		"too many nodes":  strings.Join(many, "\n"),
	} {
		if v, err := parseNodes("seed:1", text); err == nil {
			t.Errorf("%s: no error, %+v", name, v)
		}
	}
}

func TestEndpointAddresses(t *testing.T) {
	for _, c := range []struct {
		e    endpoint
		want string
		from origin
	}{
		{endpoint{host: "10.0.0.1", port: 7000}, "10.0.0.1:7000", announced},
		{endpoint{host: "node-1.example.com", ip: "10.0.0.1", port: 7000}, "node-1.example.com:7000", announced},
		{endpoint{host: "fe80::1", port: 7000}, "[fe80::1]:7000", announced},
		{endpoint{host: "10.0.0.1", port: 7000, tls: 7443}, "10.0.0.1:7000", announced},
		{endpoint{host: "10.0.0.1", tls: 7443}, "10.0.0.1:7443", announced},
		{endpoint{port: 7000}, "asked:7000", sameHost},
		{endpoint{host: "", ip: "10.0.0.1", port: 7000}, "asked:7000", sameHost},
		{endpoint{host: "?", port: 7000}, "asked:7000", sameHost},
		{endpoint{host: "?", ip: "10.0.0.1", port: 7000}, "10.0.0.1:7000", announced},
		{endpoint{host: "10.0.0.1"}, "", announced},
		{endpoint{host: "10.0.0.1", port: 70000}, "", announced},
		{endpoint{host: "evil\nhost", port: 1}, "", announced},
		{endpoint{host: "a,b", port: 1}, "", announced},
		{endpoint{host: strings.Repeat("a", 250), port: 1}, "", announced},
	} {
		if got, from := c.e.address("asked:6379"); got != c.want || from != c.from {
			t.Errorf("%+v: %q, %d; want %q, %d", c.e, got, from, c.want, c.from)
		}
	}
}

// resp writes v like a server: strings, ints, nil, []any for arrays and map for maps of one pair.
func resp(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return parser.AppendNull(b, 2)
	case string:
		return parser.AppendBulkString(b, v)
	case int:
		return parser.AppendInt(b, int64(v))
	case []any:
		b = parser.AppendArray(b, len(v))
		for _, e := range v {
			b = resp(b, e)
		}
	}
	return b
}

func value(t testing.TB, v any) respclient.Value {
	t.Helper()
	out, err := respclient.Parse(string(resp(nil, v)))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEndpointsOfShardsAndOfSlots(t *testing.T) {
	shards := []any{
		[]any{"slots", []any{0, 9}, "nodes", []any{
			[]any{"id", "a", "port", 7000, "ip", "10.0.0.1", "endpoint", "a.example", "hostname", "a.example", "role", "master", "health", "online"},
			[]any{"id", "r", "tls-port", 7443, "ip", "10.0.0.2", "endpoint", nil, "role", "replica", "health", "loading"}}},
		[]any{"slots", []any{}, "nodes", []any{[]any{"id", "unknown", "port", 1, "endpoint", "x"}, "nonsense", []any{"id"}}},
		"nonsense",
	}
	slots := []any{
		[]any{0, 9, []any{"a.example", 7000, "a", []any{"ip", "10.0.0.1"}}, []any{nil, 7443, "r", []any{}}},
		[]any{10, 20, []any{"x", 1, "unknown"}, "nonsense", []any{"short"}},
		"nonsense", []any{1},
	}
	for name, c := range map[string]struct {
		reply  any
		locate func(*view, respclient.Value) error
	}{"shards": {shards, (*view).locateByShards}, "slots": {slots, (*view).locateBySlots}} {
		v := seenBy(t, "ok", "a myself,master - 1 0-9", "r slave a 1", "b master - 1")
		v.asked = "asked:6379"
		if err := c.locate(v, value(t, c.reply)); err != nil {
			t.Fatal(err)
		}
		a, r, b := v.nodes["a"], v.nodes["r"], v.nodes["b"]
		if a.addr != "a.example:7000" || a.origin != announced || r.addr != "asked:7443" || r.origin != sameHost || b.addr != "b:6379" || b.origin != ipOnly {
			t.Errorf("%s: a %q %d, r %q %d, b %q %d", name, a.addr, a.origin, r.addr, r.origin, b.addr, b.origin)
		}
		if name == "shards" && (!r.loading || a.loading) {
			t.Errorf("loading: a %t, r %t", a.loading, r.loading)
		}
		for _, bad := range []any{"text", nil, 1} {
			if c.locate(v, value(t, bad)) == nil {
				t.Errorf("%s: %v is taken for an answer", name, bad)
			}
		}
	}
}

// FuzzView: every answer of a node is either refused, or makes a view that can be merged, with every slot in at most
// one group.
func FuzzView(f *testing.F) {
	f.Add("cluster_state:ok\r\n", "a 127.0.0.1:1@2 myself,master - 0 0 1 connected 0-9 [7->-b]\nb ::1:2@3 slave a 0 0 1 connected\n",
		resp(nil, []any{[]any{"slots", []any{0, 9}, "nodes", []any{[]any{"id", "a", "port", 7000, "endpoint", "?", "health", "loading"}}}}))
	f.Add("cluster_state:fail\r\n", "a :1@2,h myself,master,fail? - 0 0 1 connected 5\nb x:2@3 master - 0 0 1 connected 9-10\n",
		resp(nil, []any{[]any{0, 9, []any{nil, 7000, "a"}, []any{"", 1, "b", []any{"ip", "::1"}}}}))
	last, _ := merge([]*view{seenBy(f, "ok", byA...)}, nil, true)
	f.Fuzz(func(t *testing.T, info, nodes string, endpoints []byte) {
		reply, err := respclient.Parse(string(endpoints))
		if err != nil {
			return
		}
		text := func(s string) respclient.Value { return respclient.Value{Kind: '$', Text: s} }
		for _, locate := range []func(*view, respclient.Value) error{(*view).locateByShards, (*view).locateBySlots} {
			v, err := parseView("asked:1", text(info), text(nodes), reply, locate)
			if err != nil {
				continue
			}
			for _, before := range []*topology{nil, last} {
				got, _ := merge([]*view{v, seenBy(t, "ok", byB...)}, before, true)
				if got == nil {
					continue
				}
				taken := map[uint16]bool{}
				for _, g := range got.published() {
					if g.Primary.Addr == "" || len(g.Slots) == 0 {
						t.Fatalf("group %+v", g)
					}
					for _, r := range g.Slots {
						for s := int(r.First); s <= int(r.Last); s++ {
							if taken[uint16(s)] {
								t.Fatalf("slot %d twice", s)
							}
							taken[uint16(s)] = true
						}
					}
				}
				changes(last, got)
			}
		}
	})
}
