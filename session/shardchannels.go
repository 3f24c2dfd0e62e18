package session

import (
	"slices"

	"ringmaster/pool"
)

// A shard channel moves with its hash slot. The node that had it says so to its subscribers, with the frame of an unsubscription
// that nobody has asked for, and so does the proxy to its own; they may subscribe again. Where they are to stay
// (Config.Resubscribe) the new node is asked instead.

// stray is a subscription that a node has refused since the slot is elsewhere, or may be; its round waits for another's word.
type stray struct {
	asked
	server int // to be asked; -1: the one of the map
}

// asksOff reports whether the server's next word may be on the unsubscription from a shard channel.
func (f *feed) asksOff(name string) bool {
	return len(f.asked) > 0 && !f.asked[0].round.on && f.asked[0].topic.key == topicKey{shardChannel, name}
}

// left tells the subscribers of a shard channel that the server has it no more.
func (f *feed) left(name string) {
	h := f.hub
	t := h.topics[topicKey{shardChannel, name}]
	if t == nil || !t.established() || !slices.Contains(t.at, f.server) || h.misses(t, f.server) {
		return // nobody was told that messages come from there
	}
	h.env.Pool.Hint()
	if h.env.Config.Resubscribe {
		h.miss(t, f.server)
		h.moveShardChannels()
		return
	}
	h.drop(t)
	for _, s := range t.subs {
		delete(s.subs.topics[shardChannel], name)
		s.push(appendSubscribed(nil, s.proto, words[shardChannel].off, &name, s.subs.count(shardChannel)))
		s.settleSubscriptions()
	}
	t.subs = nil
}

// moveShardChannels has those that are missing asked for where the map has them.
func (h *hub) moveShardChannels() {
	for i := range h.lost {
		for t := range h.lost[i].topics {
			if t.key.kind == shardChannel && h.servers(t.key)[0] != i {
				h.forget(t, i)
				h.move(t, i)
			}
		}
	}
}

// astray keeps a subscription to a shard channel to be asked for where it is; !kept: why is for the client.
func (f *feed) astray(a asked, refusal []byte) (why []byte, kept bool) {
	h, r := f.hub, a.round
	if a.topic.key.kind != shardChannel || r != a.topic.round || !r.on || a.topic.dead || !pool.Elsewhere(refusal) {
		return refusal, false
	}
	p := h.env.Pool
	p.Hint()
	if r.strayed == 0 {
		r.strayed = p.Now
	}
	if limit := int64(p.Timeout()); limit > 0 && p.Now-r.strayed > limit {
		if pool.NamesNode(refusal) { // not for clients, which know no nodes
			refusal = appendFailure(nil, &pool.Failure{Kind: pool.Moved, Server: h.env.Map.Server(f.server).Name}, h.env)
		}
		return refusal, false
	}
	s := stray{a, -1}
	if server, asking, ok := p.Target(f.server, refusal); ok && !asking {
		s.server = server
	}
	h.strays = append(h.strays, s)
	return nil, true
}

// sendStrays asks again, at a tick.
func (h *hub) sendStrays() {
	strays := h.strays
	h.strays = nil
	for _, s := range strays {
		t, r := s.topic, s.round
		if t.dead || t.round != r {
			continue // nobody waits any more
		}
		if s.server < 0 {
			s.server = h.servers(t.key)[0]
		}
		f, failure := h.feed(s.server)
		if failure == nil {
			failure = f.ask(t, r)
		}
		if failure == nil {
			t.at = []int{s.server}
			continue
		}
		p := h.env.Pool
		if limit := int64(p.Timeout()); limit > 0 && p.Now-r.strayed > limit {
			h.drop(t)
			r.end(appendFailure(nil, failure, h.env))
			continue
		}
		h.strays = append(h.strays, stray{s.asked, -1})
	}
}
