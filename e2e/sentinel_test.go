package e2e

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"ringmaster/internal/testkit"
)

// sentinelProxy starts the proxy in front of sentinels.
func sentinelProxy(t *testing.T, s *testkit.Sentinels, names string, flags ...string) *testkit.Server {
	t.Helper()
	return testkit.Proxy(t, s.Addrs(), append([]string{"--topology", "sentinel", "--sentinel-masters", names}, flags...)...)
}

// A primary is killed and its replica takes over: errors end with the promotion.
func TestSentinelFailoverEndsTheErrors(t *testing.T) {
	rounds := scale(t, "FAILOVERS", 1, 1, 1)
	s := testkit.StartSentinels(t, 1)
	proxy := sentinelProxy(t, s, "mymaster")
	var strict atomic.Bool
	strict.Store(true)
	stop := startMixed(t, proxy.Addr, scale(t, "SENTINEL_CLIENTS", 10, 20, 20), &strict)
	for round := range rounds {
		old := s.Primary("mymaster")
		strict.Store(false)
		old.Kill()
		s.WaitPromoted(t, "mymaster", old)
		seen := time.Now()
		probe := testkit.Dial(t, proxy.Addr)
		testkit.Until(t, "writes to the promoted replica", func() bool {
			return probe.Do("SET", "probe", fmt.Sprint(round)) == "+OK\r\n"
		})
		t.Logf("round %d: writes %v after the promotion was visible", round, time.Since(seen).Round(time.Millisecond))
		strict.Store(true)
		old.Restart(t)
		s.WaitOK(t)
	}
	done, errors := stop()
	t.Logf("%d commands, %d errors", done, errors)
}
