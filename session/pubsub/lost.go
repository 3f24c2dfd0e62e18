package pubsub

import (
	"bytes"

	"ringmaster/pool"
)

// loseAt marks the topic as lost at server and counts that in the statistics.
func (h *hub) loseAt(t *topic, server int) {
	if h.markLost(t, server) {
		h.env.Pool.Stats(server).SubscriptionsLost++
	}
}

// markLost notes that the topic must be subscribed at server again. It reports whether the topic was not yet marked.
func (h *hub) markLost(t *topic, server int) (fresh bool) {
	l := &h.lost[server]
	r, again := l.topics[t]
	if again {
		h.countOut(r)
	} else {
		if l.topics == nil {
			l.topics = map[*topic]*round{}
		}
		t.lostServers++
		h.lostCount++
	}
	l.topics[t] = nil
	return !again
}

// isLost reports whether the topic is marked as lost at server: its messages may not come.
func (h *hub) isLost(t *topic, server int) bool {
	_, missing := h.lost[server].topics[t]
	return missing
}

// clearLost takes the topic off the lost ones of server. It reports whether the topic was marked and the server has not
// been asked for it again.
func (h *hub) clearLost(t *topic, server int) (unknown bool) {
	l := &h.lost[server]
	r, missing := l.topics[t]
	if !missing {
		return false
	}
	h.countOut(r)
	t.lostServers--
	h.lostCount--
	if delete(l.topics, t); len(l.topics) == 0 {
		l.topics = nil // deleting does not free a map's memory
	}
	return r == nil
}

// eachResubscription calls f for each round that subscribes the topic at one of its servers again.
func (h *hub) eachResubscription(t *topic, f func(*round)) {
	for _, server := range t.servers {
		if r := h.lost[server].topics[t]; r != nil {
			f(r)
		}
	}
}

// wait sets the time of the next attempt after one that failed. If the feed had worked, that is at once.
func (l *lostTopics) wait(p *pool.Pool, worked bool) {
	switch {
	case worked:
		l.pause, l.retryAt = 0, p.Now
	case p.Now >= l.retryAt:
		l.pause, l.retryAt = p.BackOff(l.pause)
	}
}

// isTemporary reports whether a refusal will pass, because a script runs or the data is being loaded.
func isTemporary(refusal []byte) bool {
	return bytes.HasPrefix(refusal, []byte("-BUSY ")) || bytes.HasPrefix(refusal, []byte("-LOADING "))
}
