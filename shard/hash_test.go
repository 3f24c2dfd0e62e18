package shard

import (
	"hash/crc32"
	"hash/fnv"
	"testing"
)

// Check values published with the functions, for keys without bytes from 0x80.
func TestHashesOfKnownKeys(t *testing.T) {
	for _, c := range []struct {
		hash Hash
		key  string
		want uint32
	}{
		{FNV32, "foobar", 0x31f0b262},
		{FNV32a, "foobar", 0xbf9cf968},
		{CRC32A, "123456789", 0xcbf43926},
		{CRC32, "123456789", 0xcbf43926 >> 16 & 0x7fff},
		{OneAtATime, "a", 0xca2e9442},
		{OneAtATime, "The quick brown fox jumps over the lazy dog", 0x519e91f5},
		{MD5, "a", 0xb975c10c}, // digest 0cc175b9…
	} {
		if got := c.hash.sum([]byte(c.key)); got != c.want {
			t.Errorf("%v of %q is %#x, want %#x", c.hash, c.key, got, c.want)
		}
	}
}

func TestEmptyKeyHashesToZero(t *testing.T) {
	for h := range hashNames {
		if got := Hash(h).sum(nil); got != 0 {
			t.Errorf("%v of the empty key is %#x", Hash(h), got)
		}
	}
}

func FuzzHashesAgreeWithTheStandardLibraryOnASCII(f *testing.F) {
	f.Add([]byte("user:1"))
	f.Fuzz(func(t *testing.T, key []byte) {
		if len(key) == 0 {
			return
		}
		for i := range key {
			key[i] &= 0x7f
		}
		wide, narrow := fnv.New64(), fnv.New32()
		wide.Write(key)
		narrow.Write(key)
		if got, want := FNV64.sum(key), uint32(wide.Sum64()); got != want {
			t.Errorf("fnv1_64 of %q is %#x, want %#x", key, got, want)
		}
		if got, want := FNV32.sum(key), narrow.Sum32(); got != want {
			t.Errorf("fnv1_32 of %q is %#x, want %#x", key, got, want)
		}
		widea := fnv.New64a()
		widea.Write(key)
		if got, want := FNV64a.sum(key), uint32(widea.Sum64()); got != want {
			t.Errorf("fnv1a_64 of %q is %#x, want %#x", key, got, want)
		}
		if got, want := CRC32A.sum(key), crc32.ChecksumIEEE(key); got != want {
			t.Errorf("crc32a of %q is %#x, want %#x", key, got, want)
		}
	})
}
