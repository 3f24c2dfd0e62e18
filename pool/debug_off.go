//go:build !proxydebug

package pool

// poison is for debug builds: see debug_on.go.
func poison([]byte) {}
