package pubsub

import (
	"ringmaster/pool"
)

// MaxUnanswered is how many open questions keep a feed from restoring more topics. It bounds what a great number of
// lost topics takes of the loop and of the connection at once.
const MaxUnanswered = 1000

// resubscribe subscribes the lost topics of server again, if it can be reached.
func (h *hub) resubscribe(server int) {
	l, p := &h.lost[server], h.env.Pool
	if len(l.topics) == 0 || p.Now < l.retryAt {
		return
	}
	f := h.feeds[server]
	if f == nil {
		// While the shared connection is being dialled, a feed would only make publishers wait for the outcome.
		if p.Default().Pick(server, 0).State() != pool.Ready {
			return
		}
		if f, _ = h.feedTo(server); f == nil {
			return
		}
	}
	for t, r := range l.topics {
		if len(f.questions) >= MaxUnanswered || r == nil && h.resubscribeTopic(t, server) != nil {
			return // the next tick goes on
		}
	}
}

// resubscribeNow subscribes the topic at once wherever it is lost, for a new subscriber that needs the result. It
// returns the failure of a server that is down only if the topic has no other server.
func (h *hub) resubscribeNow(t *topic) *pool.Failure {
	for _, server := range t.servers {
		if r, missing := h.lost[server].topics[t]; !missing || r != nil {
			continue
		}
		_, failure := h.feedTo(server)
		if failure == nil {
			failure = h.resubscribeTopic(t, server)
		}
		if failure != nil && (failure.Kind != pool.Down || t.lostServers == len(t.servers)) {
			return failure
		}
	}
	return nil
}

// resubscribeTopic subscribes a lost topic at server again. The server must have a feed.
func (h *hub) resubscribeTopic(t *topic, server int) *pool.Failure {
	r := &round{on: true, left: 1}
	if failure := h.feeds[server].ask(t, r); failure != nil {
		return failure
	}
	h.lost[server].topics[t] = r
	h.countRounds(1)
	return nil
}
