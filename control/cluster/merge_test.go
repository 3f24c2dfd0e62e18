package cluster

import (
	"fmt"
	"strings"
	"testing"

	"ringmaster/shard"
)

// seenBy makes the view of a node. A line is "ID flags primary epoch slots..."; the node's address is ID:6379. The
// view is "ok" or "fail".
func seenBy(t testing.TB, state string, lines ...string) *view {
	t.Helper()
	var b strings.Builder
	for _, l := range lines {
		f := strings.Fields(l)
		link := "connected"
		if strings.Contains(f[1], "fail") {
			link = "disconnected"
		}
		fmt.Fprintf(&b, "%s %s:6379@16379 %s %s 0 0 %s %s %s\n", f[0], f[0], f[1], f[2], f[3], link, strings.Join(f[4:], " "))
	}
	v, err := parseNodes("seed:6379", b.String())
	if err != nil {
		t.Fatal(err)
	}
	v.ok = state == "ok"
	return v
}

// String writes the groups as "a(r) 0-99,200 | b 300".
func (t *topology) String() string {
	if t == nil {
		return "nothing"
	}
	var groups []string
	for _, g := range t.groups {
		name := strings.TrimSuffix(g.primary.addr, ":6379")
		var replicas []string
		for _, r := range g.replicas {
			replicas = append(replicas, strings.TrimSuffix(r.addr, ":6379"))
		}
		if len(replicas) > 0 {
			name += "(" + strings.Join(replicas, ",") + ")"
		}
		groups = append(groups, name+" "+named(g.slots))
	}
	return strings.Join(groups, " | ")
}

// The cluster of most cases: three primaries a, b, c and a's replica r.
var (
	byA = []string{"a myself,master - 1 0-5460", "b master - 2 5461-10922", "c master - 3 10923-16383", "r slave a 1"}
	byB = []string{"a master - 1 0-5460", "b myself,master - 2 5461-10922", "c master - 3 10923-16383", "r slave a 1"}
	byC = []string{"a master - 1 0-5460", "b master - 2 5461-10922", "c myself,master - 3 10923-16383", "r slave a 1"}
	byR = []string{"a master - 1 0-5460", "b master - 2 5461-10922", "c master - 3 10923-16383", "r myself,slave a 1"}
	// After r was promoted in place of a.
	promotedByB = []string{"a master,fail - 1", "b myself,master - 2 5461-10922", "c master - 3 10923-16383", "r master - 4 0-5460"}
	promotedByR = []string{"a master,fail - 1", "b master - 2 5461-10922", "c master - 3 10923-16383", "r myself,master - 4 0-5460"}
	// a on its own side of a partition.
	cutOffA = []string{"a myself,master - 1 0-5460", "b master,fail? - 2 5461-10922", "c master,fail? - 3 10923-16383", "r slave,fail? a 1"}
)

const (
	atFirst       = "a(r) 0-5460 | b 5461-10922 | c 10923-16383"
	afterFailover = "r 0-5460 | b 5461-10922 | c 10923-16383"
)

func TestMergeDecidesBetweenViews(t *testing.T) {
	type given struct {
		state string
		lines []string
	}
	for name, c := range map[string]struct {
		views    []given
		want     string
		outvoted int
	}{
		"all agree": {[]given{{"ok", byA}, {"ok", byB}, {"ok", byC}}, atFirst, 0},
		"one node":  {[]given{{"ok", byR}}, atFirst, 0},
		"nobody":    {nil, "nothing", 0},
		"the latest epoch wins against a majority": {[]given{{"ok", byC}, {"ok", byA}, {"ok", promotedByR}}, afterFailover, 2},
		"a minority that has not noticed yet":      {[]given{{"ok", cutOffA}, {"ok", promotedByB}}, afterFailover, 1},
		"a minority that has noticed":              {[]given{{"fail", cutOffA}, {"ok", promotedByB}}, afterFailover, 1},
		"a failing view does not count, whatever its epoch": {[]given{
			{"fail", []string{"a myself,master - 9 0-16383", "b master - 2"}}, {"ok", byB}}, atFirst, 1},
		"failing views count alone":              {[]given{{"fail", cutOffA}}, "a 0-5460 | b 5461-10922 | c 10923-16383", 0},
		"failing views among themselves, epochs": {[]given{{"fail", byA}, {"fail", promotedByB}}, afterFailover, 1},
		"a failing primary stays": {[]given{{"ok", []string{"a master,fail - 1 0-5460", "b myself,master - 2 5461-16383"}}},
			"a 0-5460 | b 5461-16383", 0},
		"a slot moved, one view is late": {[]given{{"ok", byA}, {"ok", []string{"a master - 1 1-5460", "b myself,master - 4 0 5461-10922", "c master - 3 10923-16383", "r slave a 1"}}},
			"b 0,5461-10922 | a(r) 1-5460 | c 10923-16383", 1},
		"a slot moved and back, one view is late": {[]given{{"ok", []string{"a myself,master - 5 0-5460", "b master - 4 5461-16383"}}, {"ok", []string{"a master - 1 1-5460", "b myself,master - 4 0 5461-16383"}}},
			"a 0-5460 | b 5461-16383", 1},
		"what a node says of itself counts more than what others say of it": {[]given{
			{"ok", []string{"a myself,master - 2 0-99", "b master - 1"}}, {"ok", []string{"a master - 2 0-199", "b myself,master - 1 300"}}}, "a 0-99 | b 300", 1},
		"equal epochs: most primaries": {[]given{
			{"ok", []string{"a master - 7 0-9", "b master - 7 10-19", "c myself,master - 1"}},
			{"ok", []string{"a master - 7 0-9", "b master - 7 10-19", "d myself,master - 1", "c master - 1"}},
			{"ok", []string{"a master - 7", "b master - 7 0-19", "e myself,master - 1", "c master - 1"}}}, "a 0-9 | b 10-19", 1},
		"equal epochs: replicas have no vote": {[]given{
			{"ok", []string{"a master - 7", "b master - 7 0-9", "c myself,master - 1"}},
			{"ok", []string{"a master - 7 0-9", "b master - 7", "r myself,slave c 1", "c master - 1"}},
			{"ok", []string{"a master - 7 0-9", "b master - 7", "s myself,slave c 1", "c master - 1"}}}, "b 0-9", 2},
		"equal epochs, equal votes: the smaller ID, as in Redis": {[]given{
			{"ok", []string{"b myself,master - 7 0-9", "a master - 7"}},
			{"ok", []string{"b master - 7", "a myself,master - 7 0-9"}}}, "a 0-9", 1},
		"holes":              {[]given{{"ok", []string{"a myself,master - 1 0-9 20", "b master - 2 30"}}}, "a 0-9,20 | b 30", 0},
		"no slots, no group": {[]given{{"ok", []string{"a myself,master - 1 0-9", "b master - 2"}}}, "a 0-9", 0},
		"replicas that fail, or do not link, are left out": {[]given{{"ok", []string{"a myself,master - 1 0", "r slave,fail a 1", "s slave,fail? a 1", "u slave,noaddr a 1", "v slave a 1"}}}, "a(v) 0", 0},
		"one of three has a replica failing": {[]given{
			{"ok", []string{"a myself,master - 1 0", "b master - 2 1", "r slave,fail? a 1"}},
			{"ok", []string{"a master - 1 0", "b myself,master - 2 1", "r slave a 1"}},
			{"ok", []string{"a master - 1 0", "b master - 2 1", "r myself,slave a 1"}}}, "a(r) 0 | b 1", 0},
		"nodes that shake hands are nobody": {[]given{{"ok", []string{"a myself,master - 1 0", "x handshake - 9 1", "y master,handshake - 9 2"}}}, "a 0", 0},
		"a node that was taken out":         {[]given{{"fail", []string{"z myself,master - 0"}}, {"ok", byB}}, atFirst, 1},
		"another cluster":                   {[]given{{"ok", []string{"y myself,master - 99 0-16383"}}, {"ok", byB}, {"ok", byC}}, atFirst, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var views, backwards []*view
			for _, g := range c.views {
				views = append(views, seenBy(t, g.state, g.lines...))
				backwards = append([]*view{seenBy(t, g.state, g.lines...)}, backwards...)
			}
			got, outvoted := merge(views, nil, true)
			if got.String() != c.want || len(outvoted) != c.outvoted {
				t.Errorf("got %s, %d outvoted; want %s, %d", got, len(outvoted), c.want, c.outvoted)
			}
			if again, _ := merge(backwards, nil, true); again.String() != c.want {
				t.Errorf("in another order: %s, want %s", again, c.want)
			}
		})
	}
}

func TestMergeRemembers(t *testing.T) {
	for name, c := range map[string]struct {
		before, now []string
		state       string
		distrusted  bool
		want        string
		remembered  bool
	}{
		"only the old primary answers, not knowing":       {promotedByB, cutOffA, "ok", false, afterFailover, true},
		"only the old primary answers, failing":           {promotedByB, cutOffA, "fail", false, afterFailover, true},
		"failing views never win":                         {promotedByB, cutOffA, "fail", true, afterFailover, true},
		"a minute later views that say ok win":            {promotedByB, byB, "ok", true, "b 5461-10922 | c 10923-16383 | a(r) 0-5460", false},
		"a later epoch":                                   {byB, promotedByB, "ok", false, afterFailover, false},
		"slots given back without a new epoch":            {[]string{"a master - 5 0-99", "b myself,master - 2 100"}, []string{"a master - 5 0-49", "b myself,master - 2 50-100"}, "ok", false, "a 0-49 | b 50-100", false},
		"a new cluster in its place":                      {byB, []string{"x myself,master - 0 0-9"}, "ok", false, "x 0-9", false},
		"a node that was reset alone":                     {byB, []string{"x myself,master - 0 0-9"}, "fail", false, "nothing", false},
		"failing views do not take replicas away":         {byB, []string{"a master,fail - 1 0-5460", "b myself,master - 2 5461-10922", "c master - 3 10923-16383", "r slave,fail? a 1"}, "fail", false, atFirst, false},
		"a group keeps its place when its slots move":     {byA, []string{"a myself,master - 1 1-5460", "b master - 4 0 5461-10922", "c master - 3 10923-16383", "r slave a 1"}, "ok", false, "a(r) 1-5460 | b 0,5461-10922 | c 10923-16383", false},
		"a new group comes last":                          {byA, []string{"a myself,master - 1 100-5460", "b master - 2 5461-10922", "c master - 3 10923-16383", "r slave a 1", "d master - 4 0-99"}, "ok", false, "a(r) 100-5460 | b 5461-10922 | c 10923-16383 | d 0-99", false},
		"a promoted replica beside its primary is behind": {byA, []string{"a myself,master - 1 100-5460", "b master - 2 5461-10922", "c master - 3 10923-16383", "r master - 4 0-99"}, "ok", false, "a 100-5460 | r 0-99 | b 5461-10922 | c 10923-16383", false},
	} {
		t.Run(name, func(t *testing.T) {
			last, _ := merge([]*view{seenBy(t, "ok", c.before...)}, nil, true)
			got, _ := merge([]*view{seenBy(t, c.state, c.now...)}, last, !c.distrusted)
			if got.String() != c.want || got != nil && got.remembered != c.remembered {
				t.Errorf("got %s, remembered %t; want %s", got, got != nil && got.remembered, c.want)
			}
			if got != nil {
				changes(last, got) // does not panic
			}
		})
	}
}

// A slot moves from a to b while they are asked: b before the move, and a after it.
func TestASlotBetweenTwoNodesStaysWithTheOld(t *testing.T) {
	last, _ := merge([]*view{seenBy(t, "ok", "a myself,master - 1 0-9", "b master - 2 10-19")}, nil, true)
	between := func() []*view {
		return []*view{
			seenBy(t, "ok", "a myself,master - 1 0-8", "b master - 3 9-19"),
			seenBy(t, "ok", "a master - 1 0-9", "b myself,master - 3 10-19"),
		}
	}
	got, _ := merge(between(), last, true)
	if got.String() != "a 0-9 | b 10-19" || got.settled() {
		t.Errorf("got %s, settled %t; want the slot at a, and more refreshes soon", got, got.settled())
	}
	if again, _ := merge(between(), got, true); again.String() != "a 0-8 | b 10-19" {
		t.Errorf("when asked again: %s, want nobody to have it", again)
	}
	if moved, _ := merge([]*view{seenBy(t, "ok", "a master - 1 0-8", "b myself,master - 3 9-19")}, got, true); moved.String() != "a 0-8 | b 9-19" {
		t.Errorf("afterwards: %s", moved)
	}
}

func TestAnAddressOccursOnce(t *testing.T) {
	v := seenBy(t, "ok", "a myself,master - 1 0-9", "b master - 2 10-19", "r slave b 2")
	v.nodes["b"].addr, v.nodes["r"].addr = "a:6379", "a:6379"
	got, _ := merge([]*view{v}, nil, true)
	if got.String() != "a 0-19" {
		t.Errorf("got %s", got)
	}
}

func TestAddressesAreVotedOn(t *testing.T) {
	views := func(addrs ...string) []*view {
		var out []*view
		for i, addr := range addrs {
			lines := []string{"x master - 1 0"}
			for j := range addrs {
				flags := "master"
				if i == j {
					flags = "myself,master"
				}
				lines = append(lines, fmt.Sprintf("n%d %s - %d", j, flags, j+2))
			}
			v := seenBy(t, "ok", lines...)
			x := v.nodes["x"]
			x.addr, x.origin = strings.TrimPrefix(addr, "~"), announced
			if strings.HasPrefix(addr, "~") {
				x.origin = sameHost
			}
			out = append(out, v)
		}
		return out
	}
	addr := func(last *topology, addrs ...string) (*topology, string) {
		got, _ := merge(views(addrs...), last, true)
		return got, got.groups[0].primary.addr
	}
	first, got := addr(nil, "b:1", "a:1", "b:1")
	if got != "b:1" {
		t.Errorf("most votes: %s", got)
	}
	if _, got = addr(first, "a:1", "b:1"); got != "b:1" {
		t.Errorf("a tie keeps what was known: %s", got)
	}
	if _, got = addr(first, "a:1", "a:1"); got != "a:1" {
		t.Errorf("a change is followed: %s", got)
	}
	if _, got = addr(nil, "~c:1", "~c:1", "a:1"); got != "a:1" {
		t.Errorf("an announced address goes before the host that was asked: %s", got)
	}
	if _, got = addr(first, "", ""); got != "b:1" {
		t.Errorf("nobody can say: %s", got)
	}
}

func TestPublishedGroups(t *testing.T) {
	got, _ := merge([]*view{seenBy(t, "ok", byA...)}, nil, true)
	groups := got.published()
	want := shard.Group{
		Primary:  shard.Server{Name: "a:6379", Addr: "a:6379", Weight: 1},
		Replicas: []shard.Server{{Name: "r:6379", Addr: "r:6379", Weight: 1}},
		Slots:    []shard.SlotRange{{First: 0, Last: 5460}},
	}
	if len(groups) != 3 || fmt.Sprint(groups[0]) != fmt.Sprint(want) {
		t.Errorf("got %v", groups)
	}
}
