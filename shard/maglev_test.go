package shard

import (
	"math/big"
	"slices"
	"testing"
)

// entries counts the table entries of each server.
func entries(t *testing.T, list []Server) []int {
	t.Helper()
	m, err := newMaglev(list)
	if err != nil {
		t.Fatal(err)
	}
	counts := make([]int, len(list))
	for _, server := range m.table {
		counts[server]++
	}
	return counts
}

func TestMaglevSizeIsPrime(t *testing.T) {
	if !big.NewInt(maglevSize).ProbablyPrime(20) {
		t.Errorf("%d is not prime: a walk could miss entries", maglevSize)
	}
}

func TestMaglevSharesTheTableEvenly(t *testing.T) {
	equal := make([]int, 26)
	for i := range equal {
		equal[i] = 9
	}
	for _, weights := range [][]int{{1, 1}, {1, 1, 1}, equal} {
		counts := entries(t, servers(weights...))
		if slices.Max(counts)-slices.Min(counts) > 1 {
			t.Errorf("equal weights of %d servers: entries %v, want a difference of 1 at most", len(weights), counts)
		}
	}
}

func TestMaglevSharesTheTableByWeight(t *testing.T) {
	for _, weights := range [][]int{{1, 2, 3}, {5, 1, 1, 13}, {1, 1000}, {MaxTotalWeight / 3, MaxTotalWeight / 3 * 2}} {
		total := 0
		for _, w := range weights {
			total += w
		}
		for i, got := range entries(t, servers(weights...)) {
			want := maglevSize * weights[i] / total
			if got < want-2 || got > want+2 {
				t.Errorf("weights %v: server %d has %d entries, want %d by weight", weights, i, got, want)
			}
		}
	}
}

// With 1 of n servers gone, 1/n of the entries must move; the paper (section 5.3)
// measures a few percent beyond that for tables this much larger than n.
func TestMaglevMovesFewEntriesWhenAServerLeaves(t *testing.T) {
	all := servers(1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
	for gone := range all {
		left := slices.Delete(slices.Clone(all), gone, gone+1)
		before, err := newMaglev(all)
		if err != nil {
			t.Fatal(err)
		}
		after, err := newMaglev(left)
		if err != nil {
			t.Fatal(err)
		}
		needless := 0
		for i := range before.table {
			was, is := all[before.table[i]].Name, left[after.table[i]].Name
			if was != is && was != all[gone].Name {
				needless++
			}
		}
		if limit := maglevSize * 5 / 100; needless > limit {
			t.Errorf("without %s, %d entries moved between servers that stayed, want at most %d", all[gone].Name, needless, limit)
		}
	}
}

func TestMaglevDoesNotDependOnTheOrderOfTheServers(t *testing.T) {
	list := servers(1, 2, 3)
	turned := []Server{list[2], list[0], list[1]}
	a := mustNew(t, Config{Servers: list, Distribution: Maglev})
	b := mustNew(t, Config{Servers: turned, Distribution: Maglev})
	for _, key := range goldenKeys(t) {
		if x, y := a.Server(a.Lookup(key)).Name, b.Server(b.Lookup(key)).Name; x != y {
			t.Fatalf("key %q is on %s, and on %s when listed in another order", key, x, y)
		}
	}
}
