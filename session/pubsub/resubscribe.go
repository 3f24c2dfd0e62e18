package pubsub

import (
	"bytes"
	"slices"

	"ringmaster/pool"
	"ringmaster/stats"
)

// lost is what a lost feed leaves behind where subscribers stay (Config.Resubscribe). Each tick looks whether the server
// can be asked again.
//
//	established ─ feed lost ▸ missing ─ feed made ▸ asked ─ confirmed ▸ established
//	                             ▴                    │ └──── refused ▸ its subscribers are closed
//	                             └─ feed lost, busy ──┘
//
// A pattern that is new is missing at the servers that are down then, if another takes it.
//
// Invariant: each of its topics is in it topic.lost times, and the sum is hub.missing.
type lost struct {
	// topics are those that the server must be asked for again, each with the round in which it is asked; nil: it was not yet.
	topics  map[*topic]*round
	pause   int64 // the latest between two attempts, ns
	retryAt int64 // no attempt before that, ns
}

// MaxAskedAgain bounds the questions that the server has not answered before it is asked for more, so that very many
// topics neither hold up the loop nor fill the connection.
const MaxAskedAgain = 1000

// reach makes the feeds of a new topic. Those of servers that are down may come later if one is not and subscribers stay anyway: else
// one server would keep all clients from subscribing to patterns.
func (h *hub) reach(t *topic) (failure *pool.Failure) {
	reached := false
	for _, server := range t.at {
		_, f := h.feed(server)
		switch {
		case f == nil:
			reached = true
		case f.Kind != pool.Down || !h.env.Upstream.Resubscribe:
			return f
		default:
			failure = f
		}
	}
	if reached {
		return nil
	}
	return failure
}

// established reports whether clients were told that they get the topic's messages, and nothing is under way.
func (t *topic) established() bool {
	return len(t.subs) > 0 && t.round.on && t.round.left == 0 && t.round.refusal == nil
}

// miss notes that the topic's messages come no more from server.
func (h *hub) miss(t *topic, server int) {
	if h.note(t, server) {
		h.env.Pool.Stats(server).SubscriptionsLost++
	}
}

// note is miss for a topic that was counted; fresh: it was not missing there.
func (h *hub) note(t *topic, server int) (fresh bool) {
	l := &h.lost[server]
	r, again := l.topics[t]
	if again {
		h.Settled(r)
	} else {
		if l.topics == nil {
			l.topics = map[*topic]*round{}
		}
		t.lost++
		h.missing++
	}
	l.topics[t] = nil
	return !again
}

// misses reports whether the topic's messages don't come from server, or not for sure.
func (h *hub) misses(t *topic, server int) bool {
	_, missing := h.lost[server].topics[t]
	return missing
}

// forget takes the topic off those that server must be asked for again; unknown: the server was not asked yet.
func (h *hub) forget(t *topic, server int) (unknown bool) {
	l := &h.lost[server]
	r, missing := l.topics[t]
	if !missing {
		return false
	}
	h.Settled(r)
	t.lost--
	h.missing--
	if delete(l.topics, t); len(l.topics) == 0 {
		l.topics = nil // a map never shrinks
	}
	return r == nil
}

// wait plans the next attempt after one that failed: at once, if the feed had worked.
func (l *lost) wait(p *pool.Pool, worked bool) {
	switch {
	case worked:
		l.pause, l.retryAt = 0, p.Now
	case p.Now >= l.retryAt:
		l.pause, l.retryAt = p.BackOff(l.pause)
	}
}

// tick closes those whom a server has refused, and asks again where it can.
func (h *hub) tick() {
	for len(h.refused) > 0 {
		t := h.refused[0]
		h.refused = h.refused[1:]
		for _, s := range slices.Clone(t.subs) {
			s.Close(stats.SubscriptionLost)
		}
	}
	if len(h.partings) > 0 {
		h.endPartings()
	}
	if h.missing == 0 {
		return
	}
	for server := range h.lost {
		h.resubscribe(server)
	}
}

// resubscribe asks server for what is missing, if it can be reached.
func (h *hub) resubscribe(server int) {
	l, p := &h.lost[server], h.env.Pool
	if len(l.topics) == 0 || p.Now < l.retryAt {
		return
	}
	f := h.feeds[server]
	if f == nil {
		// While the shared connection is being dialled, one more would only make publishers wait for the outcome.
		if p.Default().Pick(server, 0).State() != pool.Ready {
			return
		}
		if f, _ = h.feed(server); f == nil {
			return
		}
	}
	for t, r := range l.topics {
		if len(f.asked) >= MaxAskedAgain || r == nil && h.askAgain(t, server) != nil {
			return // the next tick goes on
		}
	}
}

// askAgain asks server for a topic that is missing. There must be a feed.
func (h *hub) askAgain(t *topic, server int) *pool.Failure {
	r := &round{on: true, left: 1}
	if failure := h.feeds[server].ask(t, r); failure != nil {
		return failure
	}
	h.lost[server].topics[t] = r
	h.join(1)
	return nil
}

// askAgainNow does it wherever the topic is missing, for a client that comes to it and wants to know. Of servers that are down it is
// told if there is no other.
func (h *hub) askAgainNow(t *topic) *pool.Failure {
	for _, server := range t.at {
		if r, missing := h.lost[server].topics[t]; !missing || r != nil {
			continue
		}
		_, failure := h.feed(server)
		if failure == nil {
			failure = h.askAgain(t, server)
		}
		if failure != nil && (failure.Kind != pool.Down || t.lost == len(t.at)) {
			return failure
		}
	}
	return nil
}

// eachAgain calls f for the rounds in which servers are asked for the topic again.
func (h *hub) eachAgain(t *topic, f func(*round)) {
	for _, server := range t.at {
		if r := h.lost[server].topics[t]; r != nil {
			f(r)
		}
	}
}

// askedAgain takes the server's word on a topic that it was asked for again.
func (f *feed) askedAgain(t *topic, r *round) {
	h := f.hub
	switch {
	case r.refusal == nil:
		h.forget(t, f.server)
		h.env.Pool.Stats(f.server).SubscriptionsRestored++
	case h.env.Map.Slotted() && pool.Elsewhere(r.refusal):
		f.askElsewhere(t)
	case passing(r.refusal):
		h.Settled(r)
		h.lost[f.server].topics[t] = nil
		h.lost[f.server].wait(h.env.Pool, false)
	default:
		h.drop(t)
		h.leaveOthers(t, f.server)
		// Closing them may send what else they subscribe to over the very connection that calls.
		h.refused = append(h.refused, t)
	}
}

// passing reports whether a refusal is about the moment: a script runs, or the data is being loaded.
func passing(refusal []byte) bool {
	return bytes.HasPrefix(refusal, []byte("-BUSY ")) || bytes.HasPrefix(refusal, []byte("-LOADING "))
}
