package e2e

import (
	"testing"
	"time"

	"ringmaster/internal/testkit"
)

// meter measures what this machine makes of a plain Redis while something else is measured: it connects, asks and goes, round
// after round. A bound on time beside it is broken by the proxy, not by a busy machine.
type meter struct {
	stop chan struct{}
	done chan time.Duration
}

// startMeter begins to measure at a plain Redis.
func startMeter(t *testing.T, addr string) *meter {
	t.Helper()
	m := &meter{stop: make(chan struct{}), done: make(chan time.Duration, 1)}
	go func() {
		var longest time.Duration
		defer func() { m.done <- longest }()
		for {
			began := time.Now()
			if err := visit(addr); err != nil {
				t.Errorf("a plain Redis: %v", err)
				return
			}
			longest = max(longest, time.Since(began))
			select {
			case <-m.stop:
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	return m
}

func visit(addr string) error {
	c, err := testkit.Connect(addr)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Call("PING")
	return err
}

// longest ends the measurement and gives the longest round.
func (m *meter) longest() time.Duration {
	close(m.stop)
	return <-m.done
}
