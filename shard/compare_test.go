package shard

import "testing"

func TestMapsThatPlaceAlike(t *testing.T) {
	var n Numbers
	at := func(c Config, list string, groups ...Group) *Map {
		return mustFix(t, new(Numbers), listed(t, c, list), groups...)
	}
	slots := func(groups ...Group) *Map {
		m, err := new(Numbers).Map(groups)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	mustFix(t, &n, listed(t, Config{}, "x:1"))
	second := mustFix(t, &n, listed(t, Config{}, "a:1")) // number 1
	for _, c := range []struct {
		name         string
		a, b         *Map
		alike, equal bool
	}{
		{"two of the same", at(Config{}, "a:1,b:1"), at(Config{}, "a:1,b:1"), true, true},
		{"maglev", at(Config{Distribution: Maglev}, "a:1,b:1"), at(Config{Distribution: Maglev}, "a:1,b:1"), true, true},
		{"modula", at(Config{Distribution: Modula}, "a:1,b:1"), at(Config{Distribution: Modula}, "a:1,b:1"), true, true},
		{"random", at(Config{Distribution: Random}, "a:1,b:1"), at(Config{Distribution: Random}, "a:1,b:1"), true, true},
		{"a further server", at(Config{}, "a:1,b:1"), at(Config{}, "a:1,b:1,c:1"), false, false},
		{"another server", at(Config{}, "a:1@a,b:1@b"), at(Config{}, "a:1@a,c:1@b"), false, false},
		{"another order", at(Config{}, "a:1,b:1"), at(Config{}, "b:1,a:1"), false, false},
		{"an address that is written otherwise", at(Config{}, "a:1@a,b:1@b"), at(Config{}, "A:1@a,b:1@b"), true, false},
		{"other names", at(Config{}, "a:1@a,b:1@b"), at(Config{}, "a:1@a,b:1@c"), false, false},
		{"other weights", at(Config{}, "a:1,b:1"), at(Config{}, "a:1:2,b:1"), false, false},
		{"weights that place alike", at(Config{}, "a:1,b:1"), at(Config{}, "a:1:2,b:1:2"), true, false},
		{"weights that count for modula", at(Config{Distribution: Modula}, "a:1,b:1"), at(Config{Distribution: Modula}, "a:1:2,b:1:2"), false, false},
		{"another distribution", at(Config{}, "a:1,b:1"), at(Config{Distribution: Maglev}, "a:1,b:1"), false, false},
		{"no placement at all", at(Config{}, "a:1,b:1"), at(Config{Distribution: Random}, "a:1,b:1"), false, false},
		{"another hash", at(Config{}, "a:1,b:1"), at(Config{Hash: MD5}, "a:1,b:1"), false, false},
		{"another tag", at(Config{HashTag: "{}"}, "a:1,b:1"), at(Config{HashTag: "[]"}, "a:1,b:1"), false, false},
		{"one server by another name", at(Config{Hash: MD5}, "a:1@a"), at(Config{}, "a:1@b:7"), true, false},
		{"one server under two names", at(Config{}, "a:1@a"), at(Config{}, "a:1@a,a:1@b"), true, false},
		{"one server with another number", at(Config{}, "a:1"), second, false, false},
		{"a replica", at(Config{}, "a:1,b:1"), at(Config{}, "a:1,b:1", replicated("a:1", "r:1")), true, false},
		{"a replica of the other", at(Config{}, "a:1,b:1", replicated("b:1", "r:1")), at(Config{}, "a:1,b:1", replicated("a:1", "r:1")), true, false},
		{"slots", slots(group("a:1", 0, 100), group("b:1", 101, 16383)), slots(group("a:1", 0, 100), group("b:1", 101, 16383)), true, true},
		{"a slot elsewhere", slots(group("a:1", 0, 100), group("b:1", 101, 16383)), slots(group("a:1", 0, 99), group("b:1", 100, 16383)), false, false},
		{"slots and a list", slots(group("a:1", 0, 16383)), at(Config{}, "a:1"), false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.a.SamePlacement(c.b) != c.alike || c.b.SamePlacement(c.a) != c.alike {
				t.Errorf("they place alike: %t", !c.alike)
			}
			if c.a.Equal(c.b) != c.equal || c.b.Equal(c.a) != c.equal {
				t.Errorf("they are equal: %t", !c.equal)
			}
			if !c.a.Equal(c.a) {
				t.Error("a map is not equal to itself")
			}
		})
	}
}

// A channel stays at the first server of its slot.
func TestMapsWithOtherChannelsDoNotPlaceAlike(t *testing.T) {
	last := []Group{group("a:1", 0, 50), group("b:1", 51, 16383)}
	after := func(first ...Group) *Map {
		var n Numbers
		if _, err := n.Map(first); err != nil {
			t.Fatal(err)
		}
		m, err := n.Map(last)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	kept, moved := after(last...), after(group("a:1", 0, 100), group("b:1", 101, 16383))
	if kept.SamePlacement(moved) || !kept.SamePlacement(after(last...)) {
		t.Error("the channels do not count")
	}
}
