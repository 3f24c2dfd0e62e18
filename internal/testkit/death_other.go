//go:build !linux

package testkit

import "syscall"

func dieWithUs() *syscall.SysProcAttr { return nil }
