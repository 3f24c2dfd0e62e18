package shard

import (
	"fmt"
	"slices"
	"testing"
)

func group(addr string, first, last uint16) Group {
	return Group{Primary: Server{Name: addr, Addr: addr, Weight: 1}, Slots: []SlotRange{{first, last}}}
}

func TestNumbersStayFromMapToMap(t *testing.T) {
	var n Numbers
	m1, err := n.Map([]Group{group("a:1", 0, 8191), group("b:1", 8192, 16383)})
	if err != nil {
		t.Fatal(err)
	}
	m2, err := n.Map([]Group{group("c:1", 0, 100), group("b:1", 101, 16382)})
	if err != nil {
		t.Fatal(err)
	}
	if got := m1.Shards(); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("the first map's shards are %v", got)
	}
	if got := m2.Shards(); !slices.Equal(got, []int{1, 2}) || m2.Server(1).Addr != "b:1" || m2.Server(0).Addr != "" || m2.Len() != 3 {
		t.Errorf("the second map's shards are %v of %d", got, m2.Len())
	}
	if m2.SlotServer(100) != 2 || m2.SlotServer(101) != 1 || m2.SlotServer(16383) != 1 {
		t.Error("slots are elsewhere than they should be; one without an owner goes to the first shard")
	}
	if m1.Server(0).Addr != "a:1" || m1.SlotServer(0) != 0 {
		t.Error("the first map has changed")
	}
	for _, key := range []string{"foo", "{user}1", ""} {
		if got := m1.Lookup([]byte(key)); got != m1.SlotServer(Slot([]byte(key))) {
			t.Errorf("key %q is at %d", key, got)
		}
	}
}

func TestNumbersOfTheGoneAreGivenAgainLast(t *testing.T) {
	var n Numbers
	for i := range MaxNodes + 10 {
		m, err := n.Map([]Group{group(fmt.Sprint("host:", i), 0, 16383)})
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Shards()[0]; got != i%MaxNodes {
			t.Fatalf("server %d has number %d", i, got)
		}
		if m.Server(m.Shards()[0]).Addr != fmt.Sprint("host:", i) {
			t.Fatalf("number %d is %v", i, m.Server(m.Shards()[0]))
		}
	}
	if _, err := n.Map(nil); err == nil {
		t.Error("a map without servers was made")
	}
}

func TestANamedShardKeepsItsNumberAndKeys(t *testing.T) {
	n := Numbers{Placement: Config{Hash: Murmur, HashTag: "{}"}}
	groups := func(addrs ...string) (list []Group) {
		for i, a := range addrs {
			list = append(list, Group{Name: []string{"red", "green", "blue"}[i], Primary: Server{Name: a, Addr: a, Weight: 1}})
		}
		return list
	}
	m1, err := n.Map(groups("a:1", "b:1", "c:1"))
	if err != nil {
		t.Fatal(err)
	}
	m2, err := n.Map(groups("a:1", "d:1", "c:1"))
	if err != nil {
		t.Fatal(err)
	}
	static, err := New(Config{Hash: Murmur, HashTag: "{}", Servers: []Server{{"red", "x:1", 1}, {"green", "y:1", 1}, {"blue", "z:1", 1}}})
	if err != nil {
		t.Fatal(err)
	}
	if m1.Server(1) != (Server{"green", "b:1", 1}) || m2.Server(1) != (Server{"green", "d:1", 1}) || m2.Len() != 3 || m2.Slotted() {
		t.Errorf("green was %v and is %v", m1.Server(1), m2.Server(1))
	}
	var at [3]int
	for i := range 1000 {
		key := fmt.Appendf(nil, "key:%d", i)
		a, b, c := m1.Lookup(key), m2.Lookup(key), static.Lookup(key)
		if a != b || a != c {
			t.Fatalf("%s is at %d, then at %d, and with a fixed list at %d", key, a, b, c)
		}
		at[a]++
	}
	if at[0] == 0 || at[1] == 0 || at[2] == 0 {
		t.Errorf("the shards have %v keys", at)
	}
	one := Numbers{}
	if m, err := one.Map(groups("a:1")); err != nil || m.Lookup([]byte("x")) != 0 || !slices.Equal(m.Shards(), []int{0}) {
		t.Errorf("one name: %v", err)
	}
}
