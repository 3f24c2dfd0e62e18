package pubsub

import (
	"slices"

	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/shard"
)

// The servers of a topic change. In front of a cluster: one is gone, a shard channel's slot has moved, or there is one more
// that tells of its own keys. Subscribers of what a server has no more stay only with Config.Resubscribe.

// follow takes over the loop's new map.
func (h *hub) follow(old *shard.Map) {
	m := h.env.Map
	var former []*feed
	kept := map[int]map[TopicKey]struct{}{} // by server that is back, what its feed is subscribed to
	if n := m.Len(); n > len(h.feeds) {
		h.lost = append(h.lost, make([]lost, n-len(h.feeds))...)
		h.feeds = append(h.feeds, make([]*feed, n-len(h.feeds))...)
	}
	for i := range old.Len() {
		if shard.SameAddr(old.Server(i).Addr, m.Server(i).Addr) {
			continue
		}
		if !m.Slotted() && m.Server(i).Addr == "" {
			if f := h.leave(i); f != nil {
				former = append(former, f)
			}
			continue
		}
		if !m.Slotted() && old.Server(i).Addr == "" {
			if keys := h.comeBack(i); len(keys) > 0 {
				kept[i] = keys
			}
			continue
		}
		// It may live on, and say nothing any more.
		if f := h.feeds[i]; f != nil && f.conn != nil {
			conn := f.conn
			f.gone = true
			f.OwnLost(conn, h.env.Pool.Moved(i))
			conn.Return(false)
		}
		for _, t := range h.topics {
			if slices.Contains(t.at, i) {
				h.leaves(t, i)
			}
		}
	}
	for _, t := range h.topics {
		if m.Slotted() {
			h.joins(t)
		} else {
			h.move(t)
		}
	}
	for i, keys := range kept {
		h.partFromOthers(i, keys)
	}
	for _, f := range former {
		f.letGo()
	}
}

// leaves takes a topic off a server that has it no more, and to another if that was the only one.
func (h *hub) leaves(t *topic, server int) {
	h.forget(t, server)
	t.at = slices.DeleteFunc(slices.Clone(t.at), func(i int) bool { return i == server })
	if len(t.at) == 0 {
		t.at = h.servers(t.key)
		for _, i := range t.at {
			h.note(t, i)
		}
	}
	if t.from == server {
		t.from = t.at[0]
	}
}

// joins has a topic of all servers subscribed at those that are new.
func (h *hub) joins(t *topic) {
	if !h.everywhere(t.key) || !t.round.on || t.round.refusal != nil {
		return
	}
	for _, i := range h.servers(t.key) {
		if slices.Contains(t.at, i) {
			continue
		}
		t.at = append(slices.Clone(t.at), i)
		if t.round.left == 0 {
			h.miss(t, i) // the next tick asks
			continue
		}
		f, failure := h.feed(i)
		if failure == nil {
			failure = f.ask(t, t.round)
		}
		if failure == nil {
			t.round.left++
		} else {
			t.round.refusal = session.AppendFailure(nil, failure, h.env)
		}
	}
}

// ousted takes notice that the server has ended a subscription by itself: the shard channel's slot is elsewhere.
func (f *feed) ousted(t *topic) {
	h := f.hub
	h.env.Pool.Hint()
	switch {
	case t.round.left > 0 || !t.round.on || !slices.Contains(t.at, f.server): // what is under way will tell
	case h.env.Upstream.Resubscribe && t.established():
		h.miss(t, f.server)
		h.leaves(t, f.server)
	default:
		h.drop(t)
		h.refused = append(h.refused, t)
	}
}

// askElsewhere asks another server for a topic that one was asked for again, and has not.
func (f *feed) askElsewhere(t *topic) {
	h := f.hub
	h.env.Pool.Hint()
	h.leaves(t, f.server)
	for _, i := range t.at {
		h.lost[i].wait(h.env.Pool, false)
	}
}

// Again prepares that a subscription that a node of a cluster has refused is asked for once more; false: the client is to be told.
func (p *Subscribing) Again(s *session.Session) bool {
	env := s.Door
	if !env.Map.Slotted() || !p.misled() {
		return false
	}
	env.Pool.Hint()
	if p.since == 0 {
		p.since = env.Pool.Now
	}
	if limit := int64(env.Pool.Timeout()); p.late || limit > 0 && env.Pool.Now-p.since > limit {
		if pool.NamesNode(p.Refusal) { // clients know no nodes
			p.Refusal = session.AppendFailure(nil, env.Pool.Moved(ChannelServer(env.Env, p.Kind, []byte(p.names[0]))), env.Env)
		}
		return false
	}
	p.LetGo(s)
	p.asked, p.next, p.Refusal, p.elsewhere = false, 0, nil, false
	return true
}

// misled reports whether what was asked for is elsewhere, or has gone there since it was confirmed.
func (p *Subscribing) misled() bool {
	if p.Refusal != nil {
		return p.elsewhere || pool.Elsewhere(p.Refusal)
	}
	return slices.ContainsFunc(p.held, func(t *topic) bool { return t.dead })
}
