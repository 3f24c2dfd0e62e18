package pubsub

import (
	"slices"

	"ringmaster/session"
	"ringmaster/shard"
	"ringmaster/stats"
)

// Feature is what the core calls.
var Feature = session.Feature{
	Opened: func(e *session.Env) { e.Hub = newHub(e, e.Map.Len()) },
	Tick:   func(e *session.Env) { hubOf(e).tick() },
	Follow: func(e *session.Env, old *shard.Map) { hubOf(e).adoptMap(old) },
	Closed: unsubscribeAll,
}

// tick closes the subscribers of topics that a server has refused, ends lingering subscriptions and restores lost ones.
func (h *hub) tick() {
	for len(h.toClose) > 0 {
		t := h.toClose[0]
		h.toClose = h.toClose[1:]
		for _, s := range slices.Clone(t.subs) {
			s.Close(stats.SubscriptionLost)
		}
	}
	if len(h.lingering) > 0 {
		h.endLingers()
	}
	if h.lostCount == 0 {
		return
	}
	for server := range h.lost {
		h.resubscribe(server)
	}
}
