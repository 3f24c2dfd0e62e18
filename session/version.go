package session

import (
	"ringmaster/parser"
)

// HelloField is a field of what a server has answered to HELLO with this protocol; nil: unknown.
func (e *Env) HelloField(proto int, name string) []byte {
	fields, _ := parser.ElementsOf(e.Pool.Hello(proto))
	for key := fields.Next(); key != nil; key = fields.Next() {
		value := fields.Next()
		if text, ok := parser.Text(key); ok && string(text) == name {
			return value
		}
	}
	return nil
}

// Valkey reports whether the servers are Valkeys of this version or a later one, which say some things in words of their own.
func (e *Env) Valkey(major int) bool {
	if !e.ServerIs(major, 0) {
		return false
	}
	for proto := 2; proto <= 3; proto++ {
		if name, ok := parser.Text(e.HelloField(proto, "server")); ok && string(name) == "valkey" {
			return true
		}
	}
	return false
}

// ServerIs reports whether the servers say that they are of this version or a later one.
func (e *Env) ServerIs(major, minor int) bool {
	v := e.Pool.Version()
	has, rest := leadingNumber(v)
	var hasMinor int
	if len(rest) > 0 && rest[0] == '.' {
		hasMinor, _ = leadingNumber(rest[1:])
	}
	return has > major || has == major && hasMinor >= minor
}

func leadingNumber(b []byte) (n int, rest []byte) {
	for len(b) > 0 && b[0] >= '0' && b[0] <= '9' && n < 1<<20 {
		n, b = n*10+int(b[0]-'0'), b[1:]
	}
	return n, b
}
