package sentinel

import (
	"slices"
	"testing"
	"time"
)

// saying makes one sentinel's view of "m": its primary, the epoch, and the replicas that are ready.
func saying(id, addr string, epoch uint64, replicas ...string) *view {
	m := &master{addr: addr, epoch: epoch}
	for _, r := range replicas {
		m.replicas = append(m.replicas, replica{r, true})
	}
	return &view{id: id, masters: map[string]*master{"m": m}}
}

var names = []string{"m"}

func TestDecide(t *testing.T) {
	for name, tc := range map[string]struct {
		views []*view
		want  string
	}{
		"all agree":                   {[]*view{saying("1", "a", 1, "b"), saying("2", "a", 1, "b")}, "a"},
		"one knows first":             {[]*view{saying("1", "a", 1, "b"), saying("2", "b", 2, "a"), saying("3", "a", 1, "b")}, "b"},
		"one is behind":               {[]*view{saying("1", "b", 2, "a"), saying("2", "a", 1, "b"), saying("3", "b", 2, "a")}, "b"},
		"one of another installation": {[]*view{saying("1", "a", 1, "b"), saying("2", "x", 9, "y"), saying("3", "a", 1, "b")}, "a"},
		"most do not know who took over in a partition": {[]*view{saying("1", "a", 1), saying("2", "x", 2), saying("3", "a", 1)}, "a"},
		"two installations, as many of each":            {[]*view{saying("1", "a", 1), saying("2", "x", 9)}, "x"},
		"the same epoch: of most":                       {[]*view{saying("1", "b", 2, "a"), saying("2", "a", 2, "b"), saying("3", "b", 2, "a")}, "b"},
		"the same epoch, as many: the smaller":          {[]*view{saying("1", "b", 2, "a"), saying("2", "a", 2, "b")}, "a"},
		"alone":                                         {[]*view{saying("1", "a", 1)}, "a"},
		"who does not know the name has no say":         {[]*view{{id: "0"}, {id: "2"}, saying("1", "a", 1)}, "a"},
	} {
		for range tc.views { // in any order
			top, unknown := decide(names, tc.views, nil, time.Now())
			if len(unknown) > 0 || top.shards[0].addr != tc.want {
				t.Errorf("%s: %+v, unknown %v", name, top.shards, unknown)
			}
			tc.views = append(tc.views[1:], tc.views[0])
		}
	}
}

func TestWhatWasFoundStandsAgainstWhoKnowsLess(t *testing.T) {
	now := time.Now()
	top, _ := decide(names, []*view{saying("1", "b", 2, "a")}, nil, now)
	stale := []*view{saying("2", "a", 1, "b"), saying("3", "a", 1, "b")}
	top, _ = decide(names, stale, top, now)
	if s := top.shards[0]; s.addr != "b" || s.epoch != 2 || s.agreed != 0 || s.views != 2 || top.settled() || top.outvoted != 2 {
		t.Errorf("it is %+v", s)
	}
	top, _ = decide(names, stale, top, now.Add(memory-time.Second))
	if s := top.shards[0]; s.addr != "b" {
		t.Errorf("after less than a minute it is %+v", s)
	}
	top, _ = decide(names, stale, top, now.Add(memory))
	if s := top.shards[0]; s.addr != "a" || !s.against.IsZero() {
		t.Errorf("after a minute it is %+v", s)
	}
}

func TestANameThatNobodyKnowsAnyMoreStays(t *testing.T) {
	top, _ := decide(names, []*view{saying("1", "a", 1, "b")}, nil, time.Now())
	after, unknown := decide(names, []*view{{id: "1"}}, top, time.Now())
	if !slices.Equal(unknown, names) || after.shards[0].addr != "a" || !slices.Equal(after.shards[0].replicas, []string{"b"}) {
		t.Errorf("%v, %+v", unknown, after.shards)
	}
	if _, unknown = decide(names, []*view{{id: "1"}}, nil, time.Now()); !slices.Equal(unknown, names) {
		t.Errorf("never known: %v", unknown)
	}
}

func TestReplicasThatMostCallReady(t *testing.T) {
	half := saying("2", "a", 1, "b")
	half.masters["m"].replicas = append(half.masters["m"].replicas, replica{"c", false})
	top, _ := decide(names, []*view{saying("1", "a", 1, "c", "b"), half, saying("3", "c", 0, "a", "d")}, nil, time.Now())
	if got := top.shards[0].replicas; !slices.Equal(got, []string{"b"}) {
		t.Errorf("%v", got)
	}
}
