package shard

import (
	"fmt"
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

// slotCases were answered by CLUSTER KEYSLOT of Redis 7.0.15.
var slotCases = map[string]uint16{
	"":             0,
	"123456789":    12739, // the check value of CRC-16/XMODEM, 0x31c3
	"foo":          12182,
	"bar":          5061,
	"{foo}bar":     12182,
	"x{foo}{bar}":  12182,
	"foo{}{bar}":   8363,
	"foo{{bar}}":   4015,
	"foo{bar}{zz}": 5061,
}

func TestSlotOfKnownKeys(t *testing.T) {
	for key, want := range slotCases {
		if got := Slot([]byte(key)); got != want {
			t.Errorf("key %q has slot %d, want %d", key, got, want)
		}
	}
}

func TestSlotAgreesWithRedis(t *testing.T) {
	c := testkit.Dial(t, testkit.Redis(t, "--cluster-enabled", "yes").Addr)
	keys := goldenKeys(t)
	for key := range slotCases {
		keys = append(keys, []byte(key))
	}
	for len(keys) > 0 {
		n := min(500, len(keys))
		var request []byte
		for _, key := range keys[:n] {
			request = testkit.AppendRequest(request, "CLUSTER", "KEYSLOT", string(key))
		}
		c.Send(string(request))
		for _, key := range keys[:n] {
			if got, want := fmt.Sprintf(":%d\r\n", Slot(key)), c.Read1(); got != want {
				t.Fatalf("key %q: slot %q, redis-server says %q", key, got, want)
			}
		}
		keys = keys[n:]
	}
}

// plainSlot follows the wording of the specification, bit by bit.
func plainSlot(key string) uint16 {
	if _, rest, found := strings.Cut(key, "{"); found {
		if tag, _, found := strings.Cut(rest, "}"); found && tag != "" {
			key = tag
		}
	}
	var crc uint16
	for i := range len(key) {
		for bit := 7; bit >= 0; bit-- {
			flip := crc>>15 != uint16(key[i]>>bit&1)
			crc <<= 1
			if flip {
				crc ^= 0x1021
			}
		}
	}
	return crc & 0x3fff
}

func FuzzSlotAgreesWithThePlainRules(f *testing.F) {
	for key := range slotCases {
		f.Add([]byte(key))
	}
	f.Add([]byte("}{a"))
	f.Fuzz(func(t *testing.T, key []byte) {
		if got, want := Slot(key), plainSlot(string(key)); got != want {
			t.Errorf("key %q: slot %d, by the plain rules %d", key, got, want)
		}
	})
}
