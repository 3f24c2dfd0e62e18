package eventloop

import "golang.org/x/sys/unix"

// resentOften is how often in a row the system has sent something again that the peer's system does not acknowledge: 0.6 s after
// the first time at the earliest.
const resentOften = 2

// unacknowledged reports whether the peer of a TCP socket is silent though the system has sent something several times.
func unacknowledged(fd int) bool {
	info, err := unix.GetsockoptTCPInfo(fd, unix.SOL_TCP, unix.TCP_INFO)
	return err == nil && info.Retransmits >= resentOften
}
