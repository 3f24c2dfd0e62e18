package eventloop

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// writeNow writes what a non-blocking socket takes at once, and returns how much that is; 0 after any error. Go is not
// told of the call, because it does not block. That saves the bookkeeping that gnet's call has, which goes through the
// file system's layer besides.
func writeNow(fd int, b []byte) int {
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}
