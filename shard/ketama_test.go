package shard

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// plainOwner is the search that ketama's index replaces.
func plainOwner(k *ketama, hash uint32) int {
	i, _ := slices.BinarySearch(k.points, hash)
	if i == len(k.points) {
		i = 0
	}
	return int(k.owners[i])
}

func TestIndexedRingAgreesWithPlainSearch(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, list := range [][]Server{servers(1, 1), servers(1, 2, 3), servers(1, 1000000), servers(5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5)} {
		k := newKetama(list)
		hashes := []uint32{0, 1, 1<<31 - 1, 1 << 31, 1<<32 - 2, 1<<32 - 1}
		for _, p := range k.points {
			hashes = append(hashes, p-1, p, p+1)
		}
		for range 10000 {
			hashes = append(hashes, r.Uint32())
		}
		for _, h := range hashes {
			if got, want := k.owner(h), plainOwner(k, h); got != want {
				t.Fatalf("%d servers: hash %d belongs to %d, by plain search to %d", len(list), h, got, want)
			}
		}
	}
}

func TestKetamaPointsFollowTheWeights(t *testing.T) {
	for _, c := range []struct{ weight, total, servers, want int }{
		{1, 3, 3, 40},
		{1, 25, 25, 39}, // 40 exactly, were it not for float's rounding
		{3, 11, 4, 43},
		{29, 60, 3, 57}, // 58 exactly
		{1, 100001, 2, 0},
		{MaxTotalWeight - 1, MaxTotalWeight, 2, 80},
	} {
		if got := digests(c.weight, c.total, c.servers); got != c.want {
			t.Errorf("weight %d of %d among %d servers: %d digests, want %d", c.weight, c.total, c.servers, got, c.want)
		}
	}
}

func TestKetamaMovesOnlyTheKeysOfTheServerThatLeft(t *testing.T) {
	before := mustNew(t, Config{Servers: servers(1, 1, 1, 1, 1)})
	after := mustNew(t, Config{Servers: servers(1, 1, 1, 1)})
	for _, key := range goldenKeys(t) {
		if was, is := before.Lookup(key), after.Lookup(key); was != is && was != 4 {
			t.Fatalf("key %q moved from shard %d, which stayed, to %d", key, was, is)
		}
	}
}

func BenchmarkKetamaOwner(b *testing.B) {
	k := newKetama(servers(1, 1, 1, 1))
	hashes := make([]uint32, 4096)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range hashes {
		hashes[i] = r.Uint32()
	}
	sum := 0
	b.Run("indexed", func(b *testing.B) {
		for i := range b.N {
			sum += k.owner(hashes[i%len(hashes)])
		}
	})
	b.Run("plain", func(b *testing.B) {
		for i := range b.N {
			sum += plainOwner(k, hashes[i%len(hashes)])
		}
	})
	if sum < 0 {
		b.Fatal("owners are never negative")
	}
}
