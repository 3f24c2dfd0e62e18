package shard

import (
	"crypto/md5"
	"encoding/binary"
	"hash/crc32"
	"math/bits"
)

// sum returns key's hash; the empty key's is 0 whatever the function, as in twemproxy.
// The switch, rather than a function value, keeps key from escaping to the heap.
func (h Hash) sum(key []byte) uint32 {
	if len(key) == 0 {
		return 0
	}
	switch h {
	case FNV64a:
		return fnv1a(key, fnv64Init, fnv64Prime)
	case FNV64:
		return fnv1(key, fnv64Init, fnv64Prime)
	case FNV32a:
		return fnv1a(key, fnv32Init, fnv32Prime)
	case FNV32:
		return fnv1(key, fnv32Init, fnv32Prime)
	case CRC16:
		return crc16(key)
	case CRC32:
		return crc32.ChecksumIEEE(key) >> 16 & 0x7fff
	case CRC32A:
		return crc32.ChecksumIEEE(key)
	case MD5:
		digest := md5.Sum(key)
		return binary.LittleEndian.Uint32(digest[:])
	case OneAtATime:
		return oneAtATime(key)
	case Jenkins:
		return jenkins(key)
	case Hsieh:
		return hsieh(key)
	case Murmur:
		return murmur(key)
	}
	return 0
}

// signed widens b as twemproxy does when it reads keys through C's char. That has a sign on x86-64, so bytes from
// 0x80 set the upper bits.
func signed(b byte) uint32 { return uint32(int8(b)) }

// Only the low 32 bits of twemproxy's 64-bit FNV are ever used, and those depend on the
// low 32 bits of its state and constants alone.
const (
	fnv64Init  = 0xcbf29ce484222325 & 0xffffffff
	fnv64Prime = 0x100000001b3 & 0xffffffff
	fnv32Init  = 0x811c9dc5
	fnv32Prime = 0x01000193
)

func fnv1(key []byte, h, prime uint32) uint32 {
	for _, b := range key {
		h = h*prime ^ signed(b)
	}
	return h
}

func fnv1a(key []byte, h, prime uint32) uint32 {
	for _, b := range key {
		h = (h ^ signed(b)) * prime
	}
	return h
}

func oneAtATime(key []byte) uint32 {
	var h uint32
	for _, b := range key {
		h += signed(b)
		h += h << 10
		h ^= h >> 6
	}
	h += h << 3
	h ^= h >> 11
	return h + h<<15
}

// hsieh is SuperFastHash without the length in its start value. Only a third odd byte is
// read with a sign.
func hsieh(key []byte) uint32 {
	var h uint32
	for ; len(key) >= 4; key = key[4:] {
		h += uint32(binary.LittleEndian.Uint16(key))
		h = h<<16 ^ uint32(binary.LittleEndian.Uint16(key[2:]))<<11 ^ h
		h += h >> 11
	}
	switch len(key) {
	case 3:
		h += uint32(binary.LittleEndian.Uint16(key))
		h ^= h << 16
		h ^= signed(key[2]) << 18
		h += h >> 11
	case 2:
		h += uint32(binary.LittleEndian.Uint16(key))
		h ^= h << 11
		h += h >> 17
	case 1:
		h += uint32(key[0])
		h ^= h << 10
		h += h >> 1
	}
	h ^= h << 3
	h += h >> 5
	h ^= h << 4
	h += h >> 17
	h ^= h << 25
	return h + h>>6
}

// murmur is MurmurHash2 with a seed that depends on the length.
func murmur(key []byte) uint32 {
	const m = 0x5bd1e995
	n := uint32(len(key))
	h := 0xdeadbeef*n ^ n
	for ; len(key) >= 4; key = key[4:] {
		k := binary.LittleEndian.Uint32(key) * m
		k = (k ^ k>>24) * m
		h = h*m ^ k
	}
	if len(key) > 0 {
		h = (h ^ littleEndian(key)) * m
	}
	h = (h ^ h>>13) * m
	return h ^ h>>15
}

// jenkins is lookup3's hashlittle with initval 13, for a key that is not empty.
func jenkins(key []byte) uint32 {
	a := 0xdeadbeef + uint32(len(key)) + 13
	b, c := a, a
	for ; len(key) > 12; key = key[12:] {
		a += binary.LittleEndian.Uint32(key)
		b += binary.LittleEndian.Uint32(key[4:])
		c += binary.LittleEndian.Uint32(key[8:])
		a, b, c = jenkinsMix(a, b, c)
	}
	a += littleEndian(key)
	b += littleEndian(key[min(4, len(key)):])
	c += littleEndian(key[min(8, len(key)):])
	return jenkinsFinal(a, b, c)
}

func jenkinsMix(a, b, c uint32) (uint32, uint32, uint32) {
	a = (a - c) ^ bits.RotateLeft32(c, 4)
	c += b
	b = (b - a) ^ bits.RotateLeft32(a, 6)
	a += c
	c = (c - b) ^ bits.RotateLeft32(b, 8)
	b += a
	a = (a - c) ^ bits.RotateLeft32(c, 16)
	c += b
	b = (b - a) ^ bits.RotateLeft32(a, 19)
	a += c
	c = (c - b) ^ bits.RotateLeft32(b, 4)
	b += a
	return a, b, c
}

func jenkinsFinal(a, b, c uint32) uint32 {
	c = (c ^ b) - bits.RotateLeft32(b, 14)
	a = (a ^ c) - bits.RotateLeft32(c, 11)
	b = (b ^ a) - bits.RotateLeft32(a, 25)
	c = (c ^ b) - bits.RotateLeft32(b, 16)
	a = (a ^ c) - bits.RotateLeft32(c, 4)
	b = (b ^ a) - bits.RotateLeft32(a, 14)
	return (c ^ b) - bits.RotateLeft32(b, 24)
}

// littleEndian reads up to four bytes; those that are missing are 0.
func littleEndian(p []byte) uint32 {
	if len(p) >= 4 {
		return binary.LittleEndian.Uint32(p)
	}
	var v uint32
	for i, b := range p {
		v |= uint32(b) << (8 * i)
	}
	return v
}
