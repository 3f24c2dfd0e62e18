package e2e

import (
	"os"
	"strings"
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
	tours := 0
	for tours == 0 || time.Now().Before(end) && !run.faulty() {
		for i := range 4 {
			run.moveOn(t, i)
		}
		run.visit(t)
		tours++
	}
	run.end()
	run.report(t)
	t.Logf("%d tours of %d slots to every node and back, and to one that joined and left", tours, hotSlots)
}

// moveOn moves the hot slots to one of the other nodes, in turn.
func (r *clusterRun) moveOn(t *testing.T, round int) {
	t.Helper()
	primaries := r.cluster.Primaries(t)
	r.cluster.Reshard(t, hotSlots, primaries[0], primaries[1+round%(len(primaries)-1)])
}

// visit adds a node, moves the hot slots there and back, and removes it.
func (r *clusterRun) visit(t *testing.T) {
	t.Helper()
	home := r.cluster.Primary(0)
	guest := r.cluster.Join(t)
	r.cluster.Reshard(t, hotSlots, home, guest)
	r.emptied.Store(true)
	r.cluster.Reshard(t, r.cluster.Owned(t, guest), guest, home)
	r.cluster.Leave(t, guest)
	testkit.Until(t, "the proxy to let go of a node that was removed", func() bool {
		v, err := r.cluster.Ask(guest, "INFO", "clients")
		return err == nil && strings.Contains(v.Text, "connected_clients:1\r\n") // this one
	})
	guest.Kill()
	r.emptied.Store(false)
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
	run.end()
	run.report(t)
}

// failOver kills slot's owner, waits until the proxy serves all slots again, and has the one that was killed back as a replica.
func (r *clusterRun) failOver(t *testing.T, slot int) {
	t.Helper()
	old := r.kill(t, slot)
	seen := time.Now()
	probe := testkit.Dial(t, r.proxy.Addr)
	defer probe.Close()
	everywhere := []string{"MSET"}
	for i := range coldSlots {
		everywhere = append(everywhere, coldKey(i)+"probe", "x")
	}
	testkit.Until(t, "writes to all nodes", func() bool { return probe.Do(everywhere...) == "+OK\r\n" })
	t.Logf("writes %v after the promotion was visible", time.Since(seen).Round(time.Millisecond))
	old.Restart(t)
	r.cluster.WaitOK(t)
}

// Failovers and moves, one every 20 seconds for as long as CHURN_SECONDS says, leave nothing behind.
func TestChurnLeavesNothingBehind(t *testing.T) {
	if os.Getenv("CHURN_SECONDS") == "" {
		t.Skip("takes minutes: runs where CHURN_SECONDS is set")
	}
	seconds, clients := scale(t, "CHURN_SECONDS", 0, 0, 0), scale(t, "CLUSTER_CLIENTS", 10, 20, 20)
	run := startClusterRun(t, 3, 3)
	start := run.proxy.Usage(t)
	run.start(clients)
	for round := range 4 {
		run.disturb(t, round)
	}
	run.end()
	before := run.rest(t, start)

	run.start(clients)
	began := time.Now()
	every := time.NewTicker(20 * time.Second)
	defer every.Stop()
	round := 0
	for ; time.Since(began) < time.Duration(seconds)*time.Second && !run.faulty(); round++ {
		run.disturb(t, round)
		if round%15 == 0 {
			t.Logf("%v: %v, RSS %d MB", time.Since(began).Round(time.Second), run.proxy.Usage(t), run.proxy.RSS(t)>>20)
		}
		<-every.C
	}
	run.end()
	took := time.Since(began).Round(time.Second)
	after := run.rest(t, start)
	run.report(t)
	t.Logf("%d disturbances in %v; at the start %v, after the warm-up RSS %d MB, now RSS %d MB, at most %d MB", round, took, start, before>>20, after>>20, run.proxy.PeakRSS(t)>>20)
	if after > before+before/4 {
		t.Errorf("RSS has grown from %d to %d bytes", before, after)
	}
}

// disturb does one of what can happen to a cluster, in turn.
func (r *clusterRun) disturb(t *testing.T, round int) {
	t.Helper()
	switch round % 4 {
	case 0:
		r.failOver(t, round/4*5462%16384)
	case 1:
		r.moveOn(t, round/4)
	case 2:
		r.changeRoles(t, round/4*5462%16384)
	case 3:
		r.visit(t)
	}
	// What was moved is acknowledged by the node that had it before: its new node's replica must have it, too, before that is killed.
	r.cluster.WaitReplicated(t)
}

// changeRoles makes a replica of slot's owner the primary, which loses nothing.
func (r *clusterRun) changeRoles(t *testing.T, slot int) {
	t.Helper()
	replicas := r.cluster.ReplicasOf(t, r.cluster.Primary(slot))
	if len(replicas) == 0 {
		t.Fatalf("the owner of slot %d has no replica", slot)
	}
	r.cluster.Failover(t, replicas[0])
	r.cluster.WaitOK(t)
}

// rest waits until the proxy holds no more than at the start, but for a connection of each loop to each server for messages, which
// stays, and returns its resident memory in bytes.
func (r *clusterRun) rest(t *testing.T, start testkit.Usage) int64 {
	t.Helper()
	const feeds = 2 * 3
	var now testkit.Usage
	settled := testkit.Eventually(testkit.Patience, func() bool {
		now = r.proxy.Usage(t)
		return now.Goroutines <= start.Goroutines && now.FDs <= start.FDs+feeds
	})
	if !settled {
		_, stacks := r.proxy.Get(t, "/debug/pprof/goroutine?debug=1")
		t.Errorf("leak: %v at the start, %v now\n%s", start, now, stacks)
	}
	return r.proxy.RSS(t)
}

// Patterns are at one node of a cluster, or at all where they may match key events; clients find all of it as on one Redis.
func TestAClusterEqualsADirectRedis(t *testing.T) {
	c := testkit.StartCluster(t, 3, 0)
	proxy := testkit.Proxy(t, []string{c.Nodes[0].Addr}, "--topology", "cluster", "--admin-commands", "allow", "--loops", "2")
	sameStory(t, &pair{direct: testkit.Redis(t), proxy: proxy.Addr}, `
a PSUBSCRIBE n*
b SUBSCRIBE one
b PSUBSCRIBE n?xt *s
c PUBLISH new 1
a hears 1
c PUBLISH next 2
a hears 1
b hears 1
c PUBLISH ones 3
b hears 1
c PUBLISH one 4
b hears 1
c PUBLISH nobody 5
a hears 1
c PUBLISH other 6
c PUBSUB NUMPAT
c PUBSUB NUMSUB one new
c CONFIG SET notify-keyspace-events KEA
c SET keys 1
b hears 1
c SET locks 1
b hears 1
c SET cars 1
b hears 1
c SET bikes 1
b hears 1
c CONFIG SET notify-keyspace-events KA
c MULTI
c FLUSHALL
c SET keys 2
c CONFIG SET maxmemory nonsense
c EXEC
b hears 1
c DBSIZE
c MGET keys locks cars bikes
b PUNSUBSCRIBE *s n?xt
a PUNSUBSCRIBE n*
c PUBSUB NUMPAT
c PUBLISH next 7`)
}
