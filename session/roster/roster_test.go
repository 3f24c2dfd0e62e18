package roster

import (
	"slices"
	"testing"
)

func TestAWalkMeetsEachOnceWhileTheyComeAndGo(t *testing.T) {
	var r Roster[*int]
	list := map[uint64]*int{}
	add := func(id uint64) {
		list[id] = new(int)
		r.Add(id, list[id])
	}
	for id := uint64(1); id <= 300; id++ {
		add(id)
	}
	next, met := uint64(0), []uint64{}
	meet := func(s *int) bool {
		for id, one := range list {
			if one == s {
				met = append(met, id)
			}
		}
		return len(met)%100 != 0
	}
	if r.Walk(&next, 1000, meet) || next != 101 {
		t.Fatalf("stopped at %d", next)
	}
	for id := uint64(1); id <= 250; id++ {
		r.Remove(id, list[id])
	}
	add(400) // gives the places of those that have gone back
	if !r.Walk(&next, 1000, meet) {
		t.Error("there are more")
	}
	want := []uint64{}
	for id := uint64(1); id <= 100; id++ {
		want = append(want, id)
	}
	for id := uint64(251); id <= 300; id++ {
		want = append(want, id)
	}
	if want = append(want, 400); !slices.Equal(met, want) {
		t.Errorf("met %v", met)
	}
	if r.Find(300) != list[300] || r.Find(250) != nil || r.Find(301) != nil || r.Empty() {
		t.Error("it finds others")
	}
	r.Remove(300, list[299])
	if r.Find(300) == nil {
		t.Error("one was removed by another's ID")
	}
	n := 0
	r.Each(func(s *int) {
		n++
		for _, id := range []uint64{251, 252} {
			r.Remove(id, list[id])
		}
	})
	if n != 50 { // 252 went before its turn
		t.Errorf("%d were called", n)
	}
}

func TestItIsEmptyWhenAllHaveGone(t *testing.T) {
	var r Roster[*int]
	one := new(int)
	r.Add(1, one)
	r.Remove(1, one)
	if !r.Empty() || r.Find(1) != nil {
		t.Error("it still has one")
	}
}
