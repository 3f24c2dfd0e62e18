package e2e

import (
	"testing"

	"ringmaster/internal/testkit"
	"ringmaster/shard"
)

// The slot of a shard channel is moved: its subscriber is closed, or with resubscribe gets what is published at the new node.
func TestShardChannelFollowsItsSlot(t *testing.T) {
	c := testkit.StartCluster(t, 3, 0)
	seeds := []string{c.Nodes[0].Addr}
	strict := testkit.Proxy(t, seeds, "--topology", "cluster")
	patient := testkit.Proxy(t, seeds, "--topology", "cluster", "--lost-subscriptions", "resubscribe")
	told, stays := testkit.Dial(t, strict.Addr), testkit.Dial(t, patient.Addr)
	subscribed := "*3\r\n$10\r\nssubscribe\r\n$4\r\nnews\r\n:1\r\n"
	for _, sub := range []*testkit.Conn{told, stays} {
		if got := sub.Do("SSUBSCRIBE", "news"); got != subscribed {
			t.Fatalf("SSUBSCRIBE: %q", got)
		}
	}
	slot := int(shard.Slot([]byte("news")))
	from := c.Primary(slot)
	to := c.Nodes[0]
	if to == from {
		to = c.Nodes[1]
	}
	c.MoveSlots(t, slot, slot, from, to)
	if rest, err := told.Rest(); err != nil || rest != "" {
		t.Errorf("the subscriber got %q, %v instead of being closed", rest, err)
	}
	again := testkit.Dial(t, strict.Addr)
	if got := again.Do("SSUBSCRIBE", "news"); got != subscribed {
		t.Errorf("SSUBSCRIBE after the move: %q", got)
	}
	publisher := testkit.Dial(t, patient.Addr)
	testkit.Until(t, "the subscriber to be subscribed at the new node", func() bool { return publisher.Do("SPUBLISH", "news", "hi") == ":2\r\n" })
	message := "*3\r\n$8\r\nsmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n"
	if got := stays.Read1(); got != message {
		t.Errorf("the subscriber that stays got %q", got)
	}
	if got := again.Read1(); got != message {
		t.Errorf("the subscriber that came back got %q", got)
	}
}
