package auth

import "crypto/subtle"

// Policy says which credentials are accepted. It is immutable: a change is a new Policy.
type Policy struct {
	passwords [][]byte
}

// NewPolicy accepts user "default" with any of passwords. None: no password is needed.
func NewPolicy(passwords ...string) *Policy {
	p := &Policy{}
	for _, s := range passwords {
		p.passwords = append(p.passwords, []byte(s))
	}
	return p
}

// Open reports whether no password is needed. Any goroutine.
func (p *Policy) Open() bool { return len(p.passwords) == 0 }

// Check reports whether user with password may log in, comparing in constant time.
// Without passwords the user "default" is let in with any, as Redis's nopass does.
// Any goroutine. Borrows its arguments until return.
func (p *Policy) Check(user, password []byte) bool {
	if string(user) != "default" {
		return false
	}
	if p.Open() {
		return true
	}
	ok := 0
	for _, want := range p.passwords {
		ok |= subtle.ConstantTimeCompare(password, want)
	}
	return ok == 1
}
