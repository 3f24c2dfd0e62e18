package shard

import (
	"fmt"
	"slices"
	"strings"
)

// Distribution is a way from a key's hash to a server.
type Distribution uint8

// The distributions. Ketama is the default.
const (
	Ketama Distribution = iota // twemproxy's consistent hashing, by md5 of the servers' names
	Maglev                     // consistent hashing by lookup table, more even than ketama
	Modula                     // remainder of the hash by the total weight
	Random                     // any server, drawn by weight for each call
)

var distributionNames = []string{"ketama", "maglev", "modula", "random"}

// Hash is a function from a key to 32 bits, as twemproxy computes it on x86-64.
type Hash uint8

// The hashes. FNV64a is the default. Their names are twemproxy's, given by String.
const (
	FNV64a     Hash = iota // fnv1a_64: FNV-1a on 32 bits with the low half of the 64-bit prime
	FNV64                  // fnv1_64: the low half of 64-bit FNV-1
	FNV32a                 // fnv1a_32
	FNV32                  // fnv1_32
	CRC16                  // crc16: CRC-16/XMODEM whose register is 32 bits wide
	CRC32                  // crc32: 15 bits of CRC-32, as libmemcached has it
	CRC32A                 // crc32a: CRC-32 (IEEE)
	MD5                    // md5: the first four bytes, little-endian
	OneAtATime             // one_at_a_time: Bob Jenkins 1997
	Jenkins                // jenkins: Bob Jenkins's lookup3 (2006), initval 13
	Hsieh                  // hsieh: Paul Hsieh's SuperFastHash, started at 0
	Murmur                 // murmur: MurmurHash2, seeded by the length
)

var hashNames = []string{
	"fnv1a_64", "fnv1_64", "fnv1a_32", "fnv1_32", "crc16", "crc32", "crc32a", "md5",
	"one_at_a_time", "jenkins", "hsieh", "murmur",
}

// Distributions returns the names that [ParseDistribution] knows, the default first.
func Distributions() []string { return slices.Clone(distributionNames) }

// Hashes returns the names that [ParseHash] knows, the default first.
func Hashes() []string { return slices.Clone(hashNames) }

// ParseDistribution returns the distribution called s.
func ParseDistribution(s string) (Distribution, error) {
	i, err := position("distribution", s, distributionNames)
	return Distribution(i), err
}

// ParseHash returns the hash called s.
func ParseHash(s string) (Hash, error) {
	i, err := position("hash", s, hashNames)
	return Hash(i), err
}

// String returns d's name, as [ParseDistribution] takes it.
func (d Distribution) String() string { return name(int(d), distributionNames) }

// String returns h's name, as [ParseHash] takes it.
func (h Hash) String() string { return name(int(h), hashNames) }

func position(what, s string, names []string) (int, error) {
	if i := slices.Index(names, s); i >= 0 {
		return i, nil
	}
	return 0, fmt.Errorf("shard: no %s is called %q: want one of %s", what, s, strings.Join(names, ", "))
}

func name(i int, names []string) string {
	if i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("unknown(%d)", i)
}
