package testkit

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestClusterSurvivesWhatTheHarnessDoesToIt(t *testing.T) {
	c := StartClusterWith(t, ClusterOptions{Primaries: 3, Replicas: 3, Password: "secret"})
	slot, err := strconv.Atoi(c.Must(t, c.Nodes[0], "CLUSTER", "KEYSLOT", "{k}").Text)
	if err != nil {
		t.Fatal(err)
	}
	from := c.Primary(slot)
	if from == nil {
		t.Fatal("nobody owns the slot")
	}
	to := c.Nodes[(slices.Index(c.Nodes, from)+1)%3]
	c.Must(t, from, "SET", "{k}1", "a")
	c.OpenSlot(t, slot, from, to)
	if v, err := c.Ask(from, "GET", "{k}2"); err != nil || !strings.HasPrefix(v.Text, "ASK ") {
		t.Errorf("an open slot answers %v, %v", v, err)
	}
	for c.MoveKeys(t, slot, 10, from, to) > 0 {
	}
	c.CloseSlot(t, slot, to)
	c.WaitOK(t)
	if got := c.Must(t, to, "GET", "{k}1").Text; got != "a" {
		t.Errorf("the key did not move: %q", got)
	}
	c.MoveSlots(t, slot, slot, to, from)

	replica := c.ReplicasOf(t, from)[0]
	c.Failover(t, replica)
	c.WaitOK(t)
	if got := c.Primary(slot); got != replica {
		t.Fatalf("after the failover %v owns the slot", got)
	}
	replica.Kill()
	if got := c.WaitPromoted(t, replica, slot); got != from {
		t.Errorf("after the kill %s owns the slot, want %s", got.Addr, from.Addr)
	}
	replica.Restart(t)
	c.WaitOK(t)

	added := c.AddNode(t, from)
	if got := c.ReplicasOf(t, from); !slices.Contains(got, added) {
		t.Errorf("the new node is no replica: %v", got)
	}
	c.RemoveNode(t, added)
	c.WaitOK(t)
}

// Without the wait that MoveSlots requires, the key is lost within a few moves, and without clearDoubts sooner or
// later.
func TestKeysStayWhenSlotsMoveBackAndForth(t *testing.T) {
	const moves = 50
	c := StartCluster(t, 3, 0)
	key, slot := "k", 7629
	at := 1
	c.Must(t, c.Nodes[at], "SET", key, "v")
	for i := range moves {
		to := (at + 1 + i%2) % 3
		c.MoveSlots(t, slot, slot, c.Nodes[at], c.Nodes[to])
		c.WaitOK(t)
		c.clearDoubts(t, c.Nodes[to])
		if at = to; c.Must(t, c.Nodes[at], "GET", key).Text != "v" {
			t.Fatalf("the key is gone after %d moves", i+1)
		}
	}
}

func TestNodesComeAndGoByRedisCLI(t *testing.T) {
	c := StartCluster(t, 3, 0)
	c.Must(t, c.Nodes[1], "SET", "k", "v")
	n := c.Join(t)
	c.Reshard(t, 10, c.Nodes[0], n)
	if got := c.Primary(9); got != n {
		t.Fatalf("slot 9 is at %v, want the new node", got)
	}
	c.Reshard(t, c.Owned(t, n), n, c.Nodes[0])
	c.Leave(t, n)
	if got := c.Primary(9); got != c.Nodes[0] || len(c.Running()) != 3 {
		t.Fatalf("slot 9 is at %v of %d nodes, want the first of three", got, len(c.Running()))
	}
}
