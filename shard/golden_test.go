package shard

import (
	"compress/gzip"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
)

// The golden files are written by scripts/gen-placements from a real nutcracker.

func readGolden(t testing.TB, name string) []string {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

func goldenKeys(t testing.TB) [][]byte {
	t.Helper()
	var keys [][]byte
	for _, line := range readGolden(t, "keys.txt.gz") {
		key, err := strconv.Unquote(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		keys = append(keys, []byte(key))
	}
	return keys
}

// goldenMap builds the map that a heading "DISTRIBUTION HASH TAG SERVERS" describes.
func goldenMap(t testing.TB, heading string) *Map {
	t.Helper()
	words := strings.Fields(heading)
	if len(words) != 4 {
		t.Fatalf("heading %q: want four words", heading)
	}
	var c Config
	var errs [4]error
	c.Distribution, errs[0] = ParseDistribution(words[0])
	c.Hash, errs[1] = ParseHash(words[1])
	if words[2] != "-" {
		c.HashTag = words[2]
	}
	c.Servers, errs[2] = ParseServers(words[3])
	var m *Map
	m, errs[3] = New(c)
	for _, err := range errs {
		if err != nil {
			t.Fatalf("heading %q: %v", heading, err)
		}
	}
	return m
}

func TestEveryKeyIsPlacedWhereNutcrackerPlacesIt(t *testing.T) {
	keys := goldenKeys(t)
	lines := readGolden(t, "placements.txt.gz")[1:]
	seen := map[string]bool{}
	bad := 0
	for ; len(lines) >= 2; lines = lines[2:] {
		heading, want := lines[0], lines[1]
		m := goldenMap(t, heading)
		seen[m.hash.String()] = true
		if len(want) != len(keys) {
			t.Fatalf("%s: %d placements of %d keys", heading, len(want), len(keys))
		}
		wrong := 0
		for i, key := range keys {
			got := m.Lookup(key)
			if got == int(want[i]-'0') {
				continue
			}
			if wrong++; wrong <= 3 {
				t.Errorf("%s: key %q is on shard %d, nutcracker puts it on %c", heading, key, got, want[i])
			}
		}
		if wrong > 0 {
			t.Errorf("%s: %d of %d keys differ", heading, wrong, len(keys))
			bad++
		}
		if bad == 10 {
			t.Fatal("ten headings differ: the rest is not looked at")
		}
	}
	if len(keys) != 10000 || len(seen) != len(hashNames) || len(lines) != 0 {
		t.Errorf("the golden files have %d keys, %d of %d hashes and %d lines left over", len(keys), len(seen), len(hashNames), len(lines))
	}
}

func TestGoldenKeysReachThePointThatTwoServersShare(t *testing.T) {
	m := goldenMap(t, "ketama md5 - 127.0.0.1:27101@s705,127.0.0.1:27102@s272,127.0.0.1:27103@s1")
	ring := m.owners.(*ketama)
	var at []int
	for i, p := range ring.points {
		if p == 4287979131 {
			at = append(at, i)
		}
	}
	if len(at) != 2 || ring.owners[at[0]] != 1 || ring.owners[at[1]] != 0 {
		t.Fatalf("points %v have the shared value, want two, s272's first", at)
	}
	reached := 0
	for _, key := range goldenKeys(t) {
		if h := m.hash.sum(key); h <= ring.points[at[0]] && h > ring.points[at[0]-1] {
			reached++
		}
	}
	if reached == 0 {
		t.Error("no golden key belongs to the shared point: the golden data does not decide whose it is")
	}
}
