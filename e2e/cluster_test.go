package e2e

import (
	"testing"
	"time"

	"ringmaster/internal/testkit"
)

// Slots with the keys that are asked for most are moved from node to node by redis-cli, and nodes come and go, under traffic:
// clients see no error, and no write that was acknowledged is lost.
func TestReshardingUnderTrafficIsNotSeen(t *testing.T) {
	run := startClusterRun(t, 3, 0, "--timeout", "10s")
	run.start(scale(t, "CLUSTER_CLIENTS", 10, 20, 20))
	end := time.Now().Add(time.Duration(scale(t, "RESHARD_SECONDS", 2, 4, 4)) * time.Second)
	moves, added := 0, 0
	for moves == 0 || time.Now().Before(end) && !run.faulty() {
		moves += run.tour(t)
		moves += run.visit(t)
		added++
	}
	run.finish(t)
	t.Logf("%d times redis-cli moved %d slots, %d nodes came and went", moves, hotSlots, added)
}

// tour moves the hot slots to every node and back.
func (r *clusterRun) tour(t *testing.T) (moves int) {
	t.Helper()
	for range r.cluster.Running() {
		moves += r.moveOn(t)
	}
	return moves
}

// moveOn moves the hot slots to the next node.
func (r *clusterRun) moveOn(t *testing.T) (moves int) {
	t.Helper()
	primaries := r.cluster.Primaries(t)
	r.cluster.Reshard(t, hotSlots, primaries[0], primaries[1])
	return 1
}

// visit adds a node, moves the hot slots there and back, and removes it.
func (r *clusterRun) visit(t *testing.T) (moves int) {
	t.Helper()
	home := r.cluster.Primary(0)
	guest := r.cluster.Join(t)
	r.cluster.Reshard(t, hotSlots, home, guest)
	r.cluster.Reshard(t, hotSlots, guest, home)
	r.cluster.Leave(t, guest)
	guest.Kill()
	return 2
}

// A primary is killed and its replica takes over: requests fail between the two only, with clear words.
func TestFailoverEndsTheErrors(t *testing.T) {
	rounds := scale(t, "FAILOVERS", 1, 1, 1)
	run := startClusterRun(t, 3, 3)
	run.start(scale(t, "CLUSTER_CLIENTS", 10, 20, 20))
	for round := range rounds {
		run.failOver(t, round*5462%16384)
		if run.faulty() {
			break
		}
	}
	run.finish(t)
}

// failOver kills slot's owner, waits until the proxy serves the slot again, and has the one that was killed back as a replica.
func (r *clusterRun) failOver(t *testing.T, slot int) {
	t.Helper()
	old := r.kill(t, slot)
	seen := time.Now()
	probe := testkit.Dial(t, r.proxy.Addr)
	defer probe.Close()
	testkit.Until(t, "writes to all slots", func() bool {
		return probe.Do("MSET", "a", "1", "b", "1", "c", "1", "d", "1", "e", "1", "f", "1") == "+OK\r\n"
	})
	t.Logf("writes %v after the promotion was visible", time.Since(seen).Round(time.Millisecond))
	old.Restart(t)
	r.cluster.WaitOK(t)
}
