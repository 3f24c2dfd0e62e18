//go:build !proxydebug

package queue

// poison is for debug builds: see debug_on.go.
func poison([]byte) {}
