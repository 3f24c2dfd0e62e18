package pubsub

import (
	"ringmaster/pool"
	"ringmaster/session"
)

// acquire returns the topic, to be given back with release. If nobody subscribes to it, acquire begins to, and the
// topic is fresh. With a failure there is no topic to give back.
func (h *hub) acquire(key TopicKey) (t *topic, fresh bool, failure *pool.Failure) {
	t = h.topics[key]
	if t == nil {
		t = &topic{key: key}
		h.place(t)
	}
	if t.round == nil || !t.round.on || t.round.refusal != nil {
		if !h.env.Map.Slotted() {
			h.place(t) // it may have moved
		}
		if f := h.connectFeeds(t); f != nil {
			return nil, false, f
		}
		if t.round == nil {
			h.topics[key] = t
			if key.Kind == Pattern {
				h.patterns[key.Name] = t
			}
			h.countTopics(1)
		}
		h.ask(t, true)
		fresh = true
	}
	if f := h.resubscribeNow(t); f != nil {
		return nil, false, f
	}
	t.users++
	return t, fresh, nil
}

// connectFeeds makes the feeds of a new topic. If subscribers stay when a feed is lost, one server that can be reached
// is enough, and the feeds of servers that are down follow later. Otherwise one server that is down would keep all
// clients from subscribing to patterns.
func (h *hub) connectFeeds(t *topic) (failure *pool.Failure) {
	reached := false
	for _, server := range t.servers {
		_, f := h.feedTo(server)
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

// release gives the topic back. After the last user the loop unsubscribes, unless it has begun to.
func (h *hub) release(t *topic) {
	switch t.users--; {
	case t.users > 0 || t.dead:
	case t.round.left == 0 && t.round.refusal != nil && len(t.servers) == 1:
		h.drop(t) // the server has no subscription
	case t.round.on:
		h.ask(t, false)
	case t.round.left == 0:
		h.drop(t)
	}
}

// ask begins a round at all servers of the topic.
func (h *hub) ask(t *topic, on bool) {
	h.countOut(t.round) // the new round takes the place of the old one
	r := &round{on: on, left: len(t.servers)}
	t.round = r
	h.countRounds(1)
	for _, server := range t.servers {
		if h.clearLost(t, server) {
			r.left-- // the server has no subscription
			continue
		}
		f := h.feeds[server]
		if f == nil && on {
			h.loseAt(t, server) // connectFeeds has left it for later
			r.left--
			continue
		}
		if f == nil || f.conn == nil {
			continue // the feed was lost, and that has ended the topic
		}
		failure := f.ask(t, r)
		switch {
		case failure == nil:
		case on:
			r.refusal = session.AppendFailure(nil, failure, h.env)
			r.left--
		default:
			// The server would go on sending, so the feed is closed.
			conn := f.conn
			f.OwnLost(conn, failure)
			conn.Return(false)
		}
	}
	if r.left > 0 {
		return
	}
	h.countOut(r)
	if !on && t.users == 0 && !t.dead {
		h.drop(t)
	}
}

// expects returns a round under way that a message to key must come after; nil: there is none.
func (h *hub) expects(key TopicKey) *round {
	if h.rounds == 0 {
		return nil
	}
	server := ChannelServer(h.env, key.Kind, []byte(key.Name))
	if t := h.topics[key]; t != nil {
		if r := h.underWay(t, server); r != nil {
			return r
		}
	}
	if key.Kind == Channel {
		for name, t := range h.patterns {
			if r := h.underWay(t, server); r != nil && Match(name, key.Name) {
				return r
			}
		}
	}
	return nil
}

// underWay returns the round of t that a message published at server must come after; nil: there is none.
func (h *hub) underWay(t *topic, server int) *round {
	if t.round.left > 0 {
		return t.round
	}
	return h.lost[t.sourceOf(server)].topics[t]
}
