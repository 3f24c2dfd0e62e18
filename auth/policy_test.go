package auth

import (
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	long := strings.Repeat("x", maxPassword)
	p := NewPolicy("one", "two", long)
	for password, want := range map[string]bool{
		"one": true, "two": true, long: true, "": false, "on": false, "onee": false, "One": false, "onetwo": false, long + "x": false, long[1:]: false,
	} {
		if p.Check([]byte("default"), []byte(password)) != want {
			t.Errorf("a password of %d bytes, %.10q: not %v", len(password), password, want)
		}
	}
	if p.Check([]byte("joe"), []byte("one")) {
		t.Error("joe is let in")
	}
	if open := NewPolicy(); !open.Check([]byte("default"), []byte("any")) || open.Check([]byte("joe"), nil) {
		t.Error("without a password")
	}
}

// TestPasswordsAreNotKept checks that a comparison works on hashes, whose length reveals nothing about the
// password's.
func TestPasswordsAreNotKept(t *testing.T) {
	p := NewPolicy("one", strings.Repeat("two", 100))
	for _, hash := range p.passwords {
		if strings.Contains(string(hash[:]), "one") || strings.Contains(string(hash[:]), "two") {
			t.Error("a password is kept as it is")
		}
	}
}
