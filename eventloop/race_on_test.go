//go:build race

package eventloop

// raceEnabled: the detector makes sync.Pool drop buffers at random.
const raceEnabled = true
