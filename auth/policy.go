package auth

import (
	"crypto/sha256"
	"crypto/subtle"
)

// Policy says which credentials are accepted. It is immutable: a change is a new Policy.
type Policy struct {
	passwords [][sha256.Size]byte // hashed
}

// maxPassword bounds a password, bytes: the longest argument that a client may send before it has logged in. A longer one is
// wrong without being hashed, which would take long.
const maxPassword = 16 << 10

// NewPolicy accepts user "default" with any of passwords. None: no password is needed.
func NewPolicy(passwords ...string) *Policy {
	p := &Policy{}
	for _, s := range passwords {
		p.passwords = append(p.passwords, sha256.Sum256([]byte(s)))
	}
	return p
}

// Open reports whether no password is needed. Any goroutine.
func (p *Policy) Open() bool { return len(p.passwords) == 0 }

// Check reports whether user with password may log in. How long it takes says nothing about the passwords, not even how
// long they are. Without passwords the user "default" is let in with any, as Redis's nopass does.
// Any goroutine. Borrows its arguments until return.
func (p *Policy) Check(user, password []byte) bool {
	if string(user) != "default" {
		return false
	}
	if p.Open() {
		return true
	}
	if len(password) > maxPassword {
		return false
	}
	ok, hash := 0, sha256.Sum256(password)
	for i := range p.passwords {
		ok |= subtle.ConstantTimeCompare(hash[:], p.passwords[i][:])
	}
	return ok == 1
}
