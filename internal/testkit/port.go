package testkit

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
)

// Ports are taken below the range that Linux gives to outgoing connections (32768 up),
// so that a server which is down keeps its port until it is started again.
const (
	lowestPort  = 11000
	highestPort = 31000
)

var ports struct {
	sync.Mutex
	taken map[int]bool
}

// FreePort returns a TCP port of 127.0.0.1 on which nothing listens and that this
// process has not handed out before.
func FreePort(t testing.TB) int {
	t.Helper()
	ports.Lock()
	defer ports.Unlock()
	if ports.taken == nil {
		ports.taken = map[int]bool{}
	}
	for range 1000 {
		p := lowestPort + rand.IntN(highestPort-lowestPort)
		if ports.taken[p] {
			continue
		}
		l, err := net.Listen("tcp", Loopback(p))
		if err != nil {
			continue
		}
		l.Close()
		ports.taken[p] = true
		return p
	}
	t.Fatalf("no free port between %d and %d", lowestPort, highestPort)
	return 0
}

// Loopback is the address "127.0.0.1:port". Any goroutine.
func Loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func portOf(addr string) (int, error) {
	_, p, err := net.SplitHostPort(addr)
	if err != nil {
		return 0, fmt.Errorf("address %q: %w", addr, err)
	}
	return strconv.Atoi(p)
}
