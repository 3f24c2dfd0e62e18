package shard

import (
	"strings"
	"testing"
)

func TestNamesParseToWhatPrintsThem(t *testing.T) {
	for _, s := range Distributions() {
		if d, err := ParseDistribution(s); err != nil || d.String() != s {
			t.Errorf("distribution %s: %v, %v", s, d, err)
		}
	}
	for _, s := range Hashes() {
		if h, err := ParseHash(s); err != nil || h.String() != s {
			t.Errorf("hash %s: %v, %v", s, h, err)
		}
	}
	if got := Hash(200).String(); got != "unknown(200)" {
		t.Errorf("an unknown hash prints %q", got)
	}
}

func TestDefaultsAreFirstAndZero(t *testing.T) {
	if s := Distributions()[0]; s != "ketama" || s != Distribution(0).String() {
		t.Errorf("default distribution %s", s)
	}
	if s := Hashes()[0]; s != "fnv1a_64" || s != Hash(0).String() {
		t.Errorf("default hash %s", s)
	}
	Hashes()[0] = "changed"
	if Hashes()[0] != "fnv1a_64" {
		t.Error("a caller can change the list of names")
	}
}

func TestUnknownNamesAreAnsweredWithTheKnown(t *testing.T) {
	_, err := ParseDistribution("Ketama")
	if err == nil || !strings.Contains(err.Error(), `"Ketama"`) || !strings.Contains(err.Error(), "ketama, maglev, modula, random") {
		t.Errorf("error %v", err)
	}
	if _, err = ParseHash(""); err == nil || !strings.Contains(err.Error(), "fnv1a_64, ") {
		t.Errorf("error %v", err)
	}
}
