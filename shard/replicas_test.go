package shard

import (
	"slices"
	"testing"
)

func located(addrs ...string) (list []Server) {
	for _, a := range addrs {
		list = append(list, Server{Name: a, Addr: a, Weight: 1})
	}
	return list
}

func TestAPromotedReplicaKeepsItsNumber(t *testing.T) {
	n := Numbers{Replicas: true}
	g1, g2 := group("a:1", 0, 8191), group("b:1", 8192, 16383)
	g1.Replicas, g2.Replicas = located("c:1", "d:1"), located("e:1", "c:1")
	m, err := n.Map([]Group{g1, g2})
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Shards(); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("replicas are shards: %v", got)
	}
	if a, b := m.Replicas(0), m.Replicas(1); !slices.Equal(a, []int{2, 3}) || !slices.Equal(b, []int{4}) || m.Replicas(4) != nil || m.Replicas(99) != nil {
		t.Errorf("replicas are %v and %v", a, b)
	}
	g1.Primary, g1.Replicas = located("d:1")[0], located("c:1")
	m, err = n.Map([]Group{g1, g2})
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Shards(); !slices.Equal(got, []int{1, 3}) || m.SlotServer(0) != 3 || m.Server(0).Addr != "" {
		t.Errorf("the promoted replica is not number 3: %v", got)
	}
	if got := m.Replicas(3); !slices.Equal(got, []int{2}) {
		t.Errorf("its replicas are %v", got)
	}
}

func TestReplicasAreNotNumberedForNobody(t *testing.T) {
	var n Numbers
	g := group("a:1", 0, 16383)
	g.Replicas = located("b:1")
	m, err := n.Map([]Group{g})
	if err != nil || m.Len() != 1 || m.Replicas(0) != nil {
		t.Errorf("%d servers, replicas %v, %v", m.Len(), m.Replicas(0), err)
	}
}

func TestReplicasOfFixedServersComeBehindThem(t *testing.T) {
	base, err := New(Config{Servers: located("a:1", "b:1")})
	if err != nil {
		t.Fatal(err)
	}
	var n Numbers
	m, err := n.Attach(base, []Group{{Replicas: located("c:1")}, {Replicas: located("d:1", "a:1", "c:1")}})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := m.Replicas(0), m.Replicas(1); !slices.Equal(a, []int{2}) || !slices.Equal(b, []int{3}) || m.Len() != 4 || !slices.Equal(m.Shards(), []int{0, 1}) {
		t.Errorf("replicas are %v and %v", a, b)
	}
	m, err = n.Attach(base, []Group{{}, {Replicas: located("e:1", "d:1")}})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := m.Replicas(0), m.Replicas(1); a != nil || !slices.Equal(b, []int{4, 3}) || m.Server(2).Addr != "" || m.Server(3).Addr != "d:1" {
		t.Errorf("then replicas are %v and %v", a, b)
	}
	if base.Len() != 2 || base.Replicas(0) != nil {
		t.Error("the map that was extended has changed")
	}
	for _, key := range []string{"x", "y", "z"} {
		if m.Lookup([]byte(key)) != base.Lookup([]byte(key)) {
			t.Errorf("key %s is elsewhere", key)
		}
	}
}

func TestReadPoliciesAreFoundByName(t *testing.T) {
	for i, s := range ReadPolicies() {
		if p, err := ParseReadPolicy(s); err != nil || p.String() != s || int(p) != i {
			t.Errorf("%s: %v, %v", s, p, err)
		}
	}
	if _, err := ParseReadPolicy("master"); err == nil {
		t.Error("master is a policy")
	}
}
