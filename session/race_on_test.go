//go:build race

package session

// raceEnabled: the detector makes sync.Pool drop buffers at random.
const raceEnabled = true
