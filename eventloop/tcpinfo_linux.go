package eventloop

import "golang.org/x/sys/unix"

// resentOften is the number of retransmissions in a row without an acknowledgement from which a peer counts as
// silent. That is 0.6 s after the first one at the earliest.
const resentOften = 2

// unacknowledged reports whether the peer of a TCP socket has not acknowledged several retransmissions.
func unacknowledged(fd int) bool {
	info, err := unix.GetsockoptTCPInfo(fd, unix.SOL_TCP, unix.TCP_INFO)
	return err == nil && info.Retransmits >= resentOften
}
