package testkit

import "syscall"

// dieWithUs makes the kernel end a started process when the test process ends. That covers ends without a cleanup,
// such as a test timeout.
func dieWithUs() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
