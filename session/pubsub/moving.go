package pubsub

import (
	"math"
	"slices"

	"ringmaster/session"
	"ringmaster/shard"
)

// adoptMap moves topics after the loop has taken a new map. In a cluster a node may be gone or new, and what was
// subscribed at a lost node stays only with Config.Resubscribe. Where the settings list the servers, topics move to
// where messages are published from now on. A topic is subscribed at its new server at once, and publishers wait for
// that. At its old server it lingers, if the server is still on the list. The feed of a server that was taken off the
// list brings its last messages until package pool closes it.
func (h *hub) adoptMap(old *shard.Map) {
	m := h.env.Map
	var former []*feed
	kept := map[int]map[TopicKey]struct{}{} // by server that is on the list again: the subscriptions of its feed
	if n := m.Len(); n > len(h.feeds) {
		h.lost = append(h.lost, make([]lostTopics, n-len(h.feeds))...)
		h.feeds = append(h.feeds, make([]*feed, n-len(h.feeds))...)
	}
	for i := range old.Len() {
		if shard.SameAddr(old.Server(i).Addr, m.Server(i).Addr) {
			continue
		}
		if !m.Slotted() && m.Server(i).Addr == "" {
			if f := h.retireServer(i); f != nil {
				former = append(former, f)
			}
			continue
		}
		if !m.Slotted() && old.Server(i).Addr == "" {
			if keys := h.restoreServer(i); len(keys) > 0 {
				kept[i] = keys
			}
			continue
		}
		// The old server may keep the connection open and send nothing.
		if f := h.feeds[i]; f != nil && f.conn != nil {
			conn := f.conn
			f.gone = true
			f.OwnLost(conn, h.env.Pool.Moved(i))
			conn.Return(false)
		}
		for _, t := range h.topics {
			if slices.Contains(t.servers, i) {
				h.dropServer(t, i)
			}
		}
	}
	for _, t := range h.topics {
		switch {
		case !m.Slotted():
			h.moveTopic(t)
		case t.key.Kind == ShardChannel:
			h.leaveSlot(t, old)
		default:
			h.addServers(t)
		}
	}
	for i, keys := range kept {
		h.lingerKeysAt(i, keys)
	}
	for _, f := range former {
		f.leaveRounds()
	}
}

// leaveSlot ends the subscription to a shard channel at the server that had its slot in the map old, and has it no
// longer. A server ends subscriptions by itself when it loses a slot. But a primary that has just become a replica
// takes new ones (Redis 7.0, getNodeByQuery), and they bring nothing until its primary knows of the replica.
func (h *hub) leaveSlot(t *topic, old *shard.Map) {
	name := []byte(t.key.Name)
	server := old.Lookup(name)
	if server == h.env.Map.Lookup(name) || !slices.Contains(t.servers, server) || !t.round.on || t.round.refusal != nil {
		return
	}
	switch {
	case t.round.left > 0:
		t.round.misplaced = true
	case h.isLost(t, server) && h.lost[server].topics[t] == nil:
		h.dropServer(t, server) // it has not been asked again
	default:
		h.unsubscribeAt(t, server)
	}
}

// unsubscribeAt ends the subscription to a shard channel at a server that no longer has its slot.
func (h *hub) unsubscribeAt(t *topic, server int) {
	if f := h.feeds[server]; f != nil && f.conn != nil {
		_ = f.ask(&topic{key: t.key, dead: true}, &round{left: 1})
	}
	h.endedAt(t, server)
}

// endedAt takes notice that a shard channel is no longer subscribed at server. Its subscribers are closed, unless the
// operator wants them to stay.
func (h *hub) endedAt(t *topic, server int) {
	if h.env.Upstream.Resubscribe && t.established() {
		h.loseAt(t, server)
		h.dropServer(t, server)
		return
	}
	h.drop(t)
	h.toClose = append(h.toClose, t)
}

// addServers subscribes a topic that belongs at all shards at those that are new.
func (h *hub) addServers(t *topic) {
	if !h.everywhere(t.key) || !t.round.on || t.round.refusal != nil {
		return
	}
	for _, i := range h.serversOf(t.key) {
		if slices.Contains(t.servers, i) {
			continue
		}
		t.servers = append(slices.Clone(t.servers), i)
		if t.round.left == 0 {
			h.loseAt(t, i) // the next tick asks
			continue
		}
		f, failure := h.feedTo(i)
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

// moveTopic subscribes a topic where the present map has it.
func (h *hub) moveTopic(t *topic) {
	if !t.round.on || t.round.refusal != nil {
		return // it ends, or the next subscriber begins a new round
	}
	want, old := h.serversOf(t.key), t.servers
	if slices.Equal(want, old) {
		return
	}
	t.servers = slices.Clone(want)
	for _, i := range want {
		if !slices.Contains(old, i) {
			h.subscribeAt(t, i)
		}
	}
	for _, i := range old {
		if !slices.Contains(want, i) {
			h.lingerAt(t, i)
		}
	}
}

// subscribeAt subscribes a topic at one more server.
func (h *hub) subscribeAt(t *topic, server int) {
	f, failure := h.feedTo(server)
	if t.round.left > 0 { // its first subscribers wait for the round
		if failure == nil {
			failure = f.ask(t, t.round)
		}
		if failure == nil {
			t.round.left++
		} else {
			t.round.refusal = session.AppendFailure(nil, failure, h.env)
		}
		return
	}
	if h.markLost(t, server); failure == nil {
		_ = h.resubscribeTopic(t, server) // otherwise the next tick asks
	}
}

// retireServer takes server off all topics and returns its feed; nil: it has none. The caller calls leaveRounds on the
// feed when the topics are subscribed elsewhere.
func (h *hub) retireServer(server int) *feed {
	f := h.feeds[server]
	h.feeds[server] = nil
	kept := map[TopicKey]struct{}{}
	for _, t := range h.topics {
		if !slices.Contains(t.servers, server) {
			continue
		}
		if !h.clearLost(t, server) {
			kept[t.key] = struct{}{}
		}
		t.servers = slices.DeleteFunc(slices.Clone(t.servers), func(i int) bool { return i == server })
	}
	for key := range h.lingering {
		if h.lingersAt(key, server) {
			h.stopLinger(key, server)
			kept[key] = struct{}{}
		}
	}
	h.lost[server] = lostTopics{}
	if f != nil && f.conn != nil {
		f.former, f.subscribed = true, kept
		if h.former == nil {
			h.former = map[int]*feed{}
		}
		h.former[server] = f
	}
	return f
}

// restoreServer uses the feed of a server again that is back on the list before the feed has ended. A second feed would
// bring each message a second time. It returns the feed's subscriptions. Topics that are elsewhere by now linger there.
func (h *hub) restoreServer(server int) (kept map[TopicKey]struct{}) {
	f := h.former[server]
	if f == nil || !f.conn.Rejoin() {
		return nil
	}
	delete(h.former, server)
	h.feeds[server] = f
	kept = f.subscribed
	f.former, f.subscribed = false, nil
	return kept
}

// leaveRounds ends the feed's part in rounds that subscribe. Clients that unsubscribe go on waiting for the messages
// that come before the answer.
func (f *feed) leaveRounds() {
	asks := slices.Clone(f.questions)
	for i, a := range asks {
		if a.round.on {
			f.questions[i].round = &round{on: true, left: 1} // for the answer that still comes
		}
	}
	for _, a := range asks {
		if a.round.on {
			f.endQuestion(a)
		}
	}
}

// lingerKeysAt has the subscriptions of a restored feed linger, except those of topics that are at its server. Those
// that no client has are ended.
func (h *hub) lingerKeysAt(server int, keys map[TopicKey]struct{}) {
	for key := range keys {
		switch t := h.topics[key]; {
		case t == nil && h.feeds[server].ask(&topic{key: key, dead: true}, &round{left: 1}) == nil: // no client has it
		case t == nil || !slices.Contains(t.servers, server):
			h.lingerKeyAt(key, server)
		}
	}
}

// endLingers unsubscribes what has lingered long enough.
func (h *hub) endLingers() {
	if h.env.Pool.Now < h.lingerEnds {
		return
	}
	asks := 0
	h.lingerEnds = math.MaxInt64
	for key, list := range h.lingering {
		for _, p := range slices.Clone(list) {
			if asks >= MaxUnanswered {
				h.lingerEnds = 0 // the next tick goes on
				return
			}
			if h.env.Pool.Now < p.until {
				h.lingerEnds = min(h.lingerEnds, p.until)
				continue
			}
			t, f := h.topics[key], h.feeds[p.server]
			if t == nil {
				t = &topic{key: key, dead: true}
			}
			if f == nil || f.conn == nil || slices.Contains(t.servers, p.server) || f.ask(t, &round{left: 1}) == nil {
				h.stopLinger(key, p.server)
			} else {
				h.lingerEnds = 0
			}
			asks++
		}
	}
}
