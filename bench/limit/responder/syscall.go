package responder

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The functions of package unix tell Go's scheduler before and after each call, so that it can give the processor to
// another goroutine meanwhile. Here there is none, so these functions do not. Only epollWait can block.

func read(fd int, p []byte) (int, syscall.Errno) {
	n, _, err := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	return int(n), err
}

func write(fd int, p []byte) (int, syscall.Errno) {
	n, _, err := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	return int(n), err
}

// epollWait waits at most so many milliseconds, without limit if it is negative.
func epollWait(epfd int, events []unix.EpollEvent, milliseconds int) (int, syscall.Errno) {
	n, _, err := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epfd), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), uintptr(milliseconds), 0, 0)
	return int(n), err
}

func accept4(listener, flags int) (int, syscall.Errno) {
	fd, _, err := unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(listener), 0, 0, uintptr(flags), 0, 0)
	return int(fd), err
}
