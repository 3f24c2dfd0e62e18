package cluster

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestChangesSayWhatMovedWhere(t *testing.T) {
	for name, c := range map[string]struct {
		before, after []string
		want          []string
	}{
		"failover": {byB, promotedByB, []string{"primary of 0-5460 is now r:6379, was a:6379", "replica r:6379 of a:6379 removed: promoted"}},
		"the old primary is back": {promotedByB, []string{"a slave r 4", "b myself,master - 2 5461-10922", "c master - 3 10923-16383", "r master - 4 0-5460"},
			[]string{"replica a:6379 of r:6379 added"}},
		"slots move": {byB, []string{"a master - 1 101-5460", "b myself,master - 4 0-100 5461-10922", "c master - 3 10923-16383", "r slave a 1"},
			[]string{"slots 0-100 moved from a:6379 to b:6379"}},
		"a replica fails": {byB, []string{"a master - 1 0-5460", "b myself,master - 2 5461-10922", "c master - 3 10923-16383", "r slave,fail a 1"},
			[]string{"replica r:6379 of a:6379 removed: failing or gone"}},
		"a replica moves": {byB, []string{"a master - 1 0-5460", "b myself,master - 2 5461-10922", "c master - 3 10923-16383", "r slave b 2"},
			[]string{"replica r:6379 now follows b:6379, was a replica of a:6379"}},
		"slots without an owner": {byB, []string{"a master - 1 0-5460", "b myself,master - 2 5461-10922", "r slave a 1"},
			[]string{"slots 10923-16383 no longer have an owner; it was c:6379"}},
		"an owner again": {[]string{"a myself,master - 1 0-9"}, []string{"a myself,master - 1 0-9", "b master - 2 20"}, []string{"slots 20 now have an owner: b:6379"}},
	} {
		old, _ := merge([]*view{seenBy(t, "ok", c.before...)}, nil, true)
		now, _ := merge([]*view{seenBy(t, "ok", c.after...)}, nil, true)
		var got []string
		for _, l := range changes(old, now) {
			got = append(got, l.text)
		}
		if strings.Join(got, "; ") != strings.Join(c.want, "; ") {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestANodesNewAddressIsTold(t *testing.T) {
	old, _ := merge([]*view{seenBy(t, "ok", byA...)}, nil, true)
	v := seenBy(t, "ok", byA...)
	v.nodes["a"].addr = "elsewhere:6379"
	now, _ := merge([]*view{v}, old, true)
	if got := changes(old, now); len(got) != 1 || got[0].text != "node a is now at elsewhere:6379, was at a:6379" {
		t.Errorf("got %v", got)
	}
}

func TestManyChangesAreShort(t *testing.T) {
	var even, all []string
	for s := range 1000 {
		if s%2 == 0 {
			even = append(even, fmt.Sprint(s))
		}
		all = append(all, fmt.Sprint(s))
	}
	old, _ := merge([]*view{seenBy(t, "ok", "a myself,master - 1 "+strings.Join(all, " "), "b master - 0")}, nil, true)
	now, _ := merge([]*view{seenBy(t, "ok", "a myself,master - 1", "b master - 2 "+strings.Join(even, " "))}, nil, true)
	lines := changes(old, now)
	if want := "slots 0,2,4,6 and others, 500 in all, moved from a:6379 to b:6379"; len(lines) != 2 || lines[1].text != want && lines[0].text != want {
		t.Errorf("got %v", lines)
	}

	var before, after []string
	for i := range 500 {
		before = append(before, fmt.Sprintf("n%d %s - 1 %d", i, []string{"master", "myself,master"}[min(1, 1-min(1, i))], i))
		after = append(after, fmt.Sprintf("n%d %s - 2 %d", i, []string{"master", "myself,master"}[min(1, 1-min(1, i))], (i+1)%500))
	}
	old, _ = merge([]*view{seenBy(t, "ok", before...)}, nil, true)
	now, _ = merge([]*view{seenBy(t, "ok", after...)}, nil, true)
	if lines := changes(old, now); len(lines) != maxLines+1 || lines[maxLines].level != slog.LevelInfo {
		t.Errorf("%d lines", len(lines))
	}
}
