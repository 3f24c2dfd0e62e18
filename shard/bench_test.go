package shard

import (
	"fmt"
	"testing"
)

func benchKeys() [][]byte {
	keys := make([][]byte, 1024)
	for i := range keys {
		keys[i] = fmt.Appendf(nil, "user:%08d:profile", i)
	}
	return keys
}

func benchLookup(b *testing.B, c Config) {
	m, keys := mustNew(b, c), benchKeys()
	b.ReportAllocs()
	b.ResetTimer()
	shards := 0
	for i := range b.N {
		shards += m.Lookup(keys[i%len(keys)])
	}
	if shards < 0 {
		b.Fatal("shards are never negative")
	}
}

func BenchmarkLookupByHash(b *testing.B) {
	for h := range hashNames {
		b.Run(Hash(h).String(), func(b *testing.B) {
			benchLookup(b, Config{Servers: servers(1, 1, 1), Hash: Hash(h)})
		})
	}
}

func BenchmarkLookupByDistribution(b *testing.B) {
	for d := range distributionNames {
		b.Run(Distribution(d).String(), func(b *testing.B) {
			benchLookup(b, Config{Servers: servers(1, 1, 1), Distribution: Distribution(d)})
		})
	}
	b.Run("ketama with tag", func(b *testing.B) {
		benchLookup(b, Config{Servers: servers(1, 1, 1), HashTag: "{}"})
	})
	b.Run("one server", func(b *testing.B) { benchLookup(b, Config{Servers: servers(1)}) })
}

func BenchmarkSlot(b *testing.B) {
	keys := benchKeys()
	b.ReportAllocs()
	b.ResetTimer()
	var slots int
	for i := range b.N {
		slots += int(Slot(keys[i%len(keys)]))
	}
	if slots < 0 {
		b.Fatal("slots are never negative")
	}
}
