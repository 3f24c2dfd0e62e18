//go:build !linux

package eventloop

func unacknowledged(int) bool { return false }
