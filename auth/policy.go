package auth

import (
	"crypto/sha256"
	"crypto/subtle"
)

// Policy says which credentials are accepted. It is immutable: a change is a new Policy.
type Policy struct {
	passwords [][sha256.Size]byte // hashed
}

// maxPassword bounds a password, bytes. It is the longest argument that a client may send before it has logged in. A
// longer one is wrong, and is not hashed, because that would take long.
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

// Check reports whether user with password may log in. The time that it takes reveals nothing about the passwords,
// not even their length. Without passwords the user "default" may log in with any, like nopass in Redis. Any
// goroutine. Borrows its arguments until return.
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
