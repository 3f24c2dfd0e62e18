package testkit

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Failover makes a replica the primary of its shard, whose primary lives, and returns when it says so.
func (c *Cluster) Failover(t testing.TB, replica *Server) {
	t.Helper()
	Until(t, "a failover to "+replica.Addr, func() bool {
		if view, err := c.View(replica); err == nil && view[0].Primary == "-" {
			return true
		}
		_, _ = c.Ask(replica, "CLUSTER", "FAILOVER") // refused while one is under way
		return false
	})
}

// WaitPromoted waits until a running node other than gone owns slot, as most running nodes see it, and returns it.
func (c *Cluster) WaitPromoted(t testing.TB, gone *Server, slot int) *Server {
	t.Helper()
	var primary *Server
	Until(t, "somebody takes the place of "+gone.Addr, func() bool {
		primary = c.Primary(slot)
		return primary != nil && primary != gone
	})
	return primary
}

// OpenSlot begins to move a slot: keys that from has not are asked for at to (ASK).
func (c *Cluster) OpenSlot(t testing.TB, slot int, from, to *Server) {
	t.Helper()
	s := strconv.Itoa(slot)
	c.Must(t, to, "CLUSTER", "SETSLOT", s, "IMPORTING", c.ID(t, from))
	c.Must(t, from, "CLUSTER", "SETSLOT", s, "MIGRATING", c.ID(t, to))
}

// MoveKeys moves up to n keys of an open slot and returns how many it moved.
func (c *Cluster) MoveKeys(t testing.TB, slot, n int, from, to *Server) int {
	t.Helper()
	keys := c.Must(t, from, "CLUSTER", "GETKEYSINSLOT", strconv.Itoa(slot), strconv.Itoa(n)).Elems
	if len(keys) == 0 {
		return 0
	}
	args := []string{"MIGRATE", "127.0.0.1", strconv.Itoa(to.Port(t)), "", "0", "5000"}
	if c.options.Password != "" {
		args = append(args, "AUTH", c.options.Password)
	}
	args = append(args, "KEYS")
	for _, k := range keys {
		args = append(args, k.Text)
	}
	c.Must(t, from, args...)
	return len(keys)
}

// CloseSlot ends the move of a slot: to owns it, and all running primaries are told.
func (c *Cluster) CloseSlot(t testing.TB, slot int, to *Server) {
	t.Helper()
	id := c.ID(t, to)
	c.Must(t, to, "CLUSTER", "SETSLOT", strconv.Itoa(slot), "NODE", id)
	for _, n := range c.Running() {
		if n != to {
			_, _ = c.Ask(n, "CLUSTER", "SETSLOT", strconv.Itoa(slot), "NODE", id) // replicas refuse; gossip tells all
		}
	}
}

// MoveSlots moves the slots from first to last, both included, with their keys.
func (c *Cluster) MoveSlots(t testing.TB, first, last int, from, to *Server) {
	t.Helper()
	for s := first; s <= last; s++ {
		c.OpenSlot(t, s, from, to)
		for c.MoveKeys(t, s, 100, from, to) > 0 {
		}
		c.CloseSlot(t, s, to)
	}
}

// AddNode starts a node without slots and returns it once everybody knows it. With a primary it becomes its replica.
func (c *Cluster) AddNode(t testing.TB, primary *Server) *Server {
	t.Helper()
	others := c.Running()
	n := c.start(t)
	for _, m := range others {
		c.meet(t, n, m)
	}
	c.waitKnown(t)
	if primary != nil {
		c.Must(t, n, "CLUSTER", "REPLICATE", c.ID(t, primary))
	}
	c.WaitOK(t)
	return n
}

// RemoveNode makes the others forget a node, which must own no slots, and kills it.
func (c *Cluster) RemoveNode(t testing.TB, n *Server) {
	t.Helper()
	id := c.ID(t, n)
	n.Kill()
	c.Nodes = slices.DeleteFunc(c.Nodes, func(m *Server) bool { return m == n })
	for _, m := range c.Running() {
		v, err := c.Ask(m, "CLUSTER", "FORGET", id)
		if err != nil || v.Kind == '-' && !strings.Contains(v.Text, "Unknown node") {
			t.Fatalf("forget %s at %s: %v, %v", n.Addr, m.Addr, v, err)
		}
	}
}
