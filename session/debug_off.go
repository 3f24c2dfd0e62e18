//go:build !proxydebug

package session

// panicsEnd: a panic ends the process after all.
const panicsEnd = false
