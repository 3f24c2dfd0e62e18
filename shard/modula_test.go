package shard

import "testing"

func TestNameOrderIsByLengthThenBytes(t *testing.T) {
	list := []Server{{Name: "bb"}, {Name: "\xff"}, {Name: "ab"}, {Name: "b"}, {Name: "aaa"}}
	want := []int{3, 1, 2, 0, 4}
	for i, got := range nameOrder(list) {
		if got != want[i] {
			t.Fatalf("order %v, want %v", nameOrder(list), want)
		}
	}
}

func TestModulaGivesEachServerItsWeightInRemainders(t *testing.T) {
	m := newModula(servers(2, 1, 3))
	for hash, want := range []int{0, 0, 1, 2, 2, 2, 0, 0, 1} {
		if got := m.owner(uint32(hash)); got != want {
			t.Errorf("hash %d belongs to %d, want %d", hash, got, want)
		}
	}
}

// The bounds are eight standard deviations away: a correct draw misses them about once
// in 10^15 runs.
func TestRandomDrawsByWeight(t *testing.T) {
	m := mustNew(t, Config{Servers: servers(1, 3), Distribution: Random})
	const draws = 40000
	counts := make([]int, m.Len())
	for range draws {
		counts[m.Lookup([]byte("the same key"))]++
	}
	const deviation = 87 // sqrt(draws * 1/4 * 3/4)
	if d := counts[0] - draws/4; d > 8*deviation || d < -8*deviation {
		t.Errorf("draws %v, want one in four for the first server", counts)
	}
}
