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
