//go:build race

package session_test

// raceEnabled: the detector makes sync.Pool drop buffers at random.
const raceEnabled = true
