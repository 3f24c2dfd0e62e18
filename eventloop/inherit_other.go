//go:build !linux

package eventloop

import (
	"net"
	"time"
)

func (a *acceptor) prepare(time.Duration) {}

func inherited(*net.TCPConn, time.Duration) bool { return false }
