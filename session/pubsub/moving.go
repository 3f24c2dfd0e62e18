package pubsub

import (
	"math"
	"ringmaster/session"
	"slices"
)

// Where servers are listed in the settings and the list changes, topics move to where messages are published from now on. A topic
// is subscribed at its new server at once, and publishers wait for that as for any subscription. At its old server, if that is still on the
// list, it stays subscribed until no message can be on its way there any more. The feed of a server that was taken off the list
// brings what that server still sends until package pool closes it.

// parting is a topic's subscription at a server from which it has moved.
type parting struct {
	server int
	until  int64 // ns
}

// longestWait is how long a message may be on its way where requests have no timeout, ns.
const longestWait = int64(60e9)

// leave takes server off all topics; its feed (nil: there is none) is to be let go when they are subscribed elsewhere.
func (h *hub) leave(server int) *feed {
	f := h.feeds[server]
	h.feeds[server] = nil
	kept := map[TopicKey]struct{}{}
	for _, t := range h.topics {
		if !slices.Contains(t.at, server) {
			continue
		}
		if !h.forget(t, server) {
			kept[t.key] = struct{}{}
		}
		t.at = slices.DeleteFunc(slices.Clone(t.at), func(i int) bool { return i == server })
	}
	for key := range h.partings {
		if h.partsFrom(key, server) {
			h.parted(key, server)
			kept[key] = struct{}{}
		}
	}
	h.lost[server] = lost{}
	if f != nil && f.conn != nil {
		f.former, f.kept = true, kept
		if h.former == nil {
			h.former = map[int]*feed{}
		}
		h.former[server] = f
	}
	return f
}

// comeBack goes on with the feed of a server that is on the list again before its feed has ended: a second one would bring each message a
// second time. Topics that are elsewhere by now part from it as from any server.
func (h *hub) comeBack(server int) (kept map[TopicKey]struct{}) {
	f := h.former[server]
	if f == nil || !f.conn.Rejoin() {
		return nil
	}
	delete(h.former, server)
	h.feeds[server] = f
	kept = f.kept
	f.former, f.kept = false, nil
	return kept
}

// letGo ends the feed's part in subscriptions that all servers were asked for. Who unsubscribes waits for the messages that come before the
// answer.
func (f *feed) letGo() {
	asks := slices.Clone(f.asked)
	for i, a := range asks {
		if a.round.on {
			f.asked[i].round = &round{on: true, left: 1} // the answer still comes
		}
	}
	for _, a := range asks {
		if a.round.on {
			f.over(a)
		}
	}
}

// move has a topic be where its messages are published by the present map.
func (h *hub) move(t *topic) {
	if !t.round.on || t.round.refusal != nil {
		return // it ends, or begins anew
	}
	want, old := h.servers(t.key), t.at
	if slices.Equal(want, old) {
		return
	}
	t.at = slices.Clone(want)
	for _, i := range want {
		if !slices.Contains(old, i) {
			h.comeTo(t, i)
		}
	}
	for _, i := range old {
		if !slices.Contains(want, i) {
			h.part(t, i)
		}
	}
}

// comeTo subscribes a topic at one more server.
func (h *hub) comeTo(t *topic, server int) {
	f, failure := h.feed(server)
	if t.round.left > 0 { // its subscribers wait for the round
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
	if h.note(t, server); failure == nil {
		_ = h.askAgain(t, server) // otherwise the next tick asks
	}
}

// part has a topic stay subscribed at a server for the messages that are on their way there.
func (h *hub) part(t *topic, server int) {
	if f := h.feeds[server]; h.forget(t, server) || f == nil || f.conn == nil {
		return
	}
	h.partFrom(t.key, server)
}

// partFrom is part for what the server's feed is subscribed to.
func (h *hub) partFrom(key TopicKey, server int) {
	if h.partings == nil {
		h.partings = map[TopicKey][]parting{}
	}
	h.parted(key, server)
	wait := int64(h.env.Pool.Timeout())
	if wait <= 0 {
		wait = longestWait
	}
	p := parting{server, h.env.Pool.Now + wait}
	if len(h.partings) == 0 || p.until < h.partAt {
		h.partAt = p.until
	}
	h.partings[key] = append(h.partings[key], p)
}

// partFromOthers parts what a feed is subscribed to from its server, except what is there.
func (h *hub) partFromOthers(server int, keys map[TopicKey]struct{}) {
	for key := range keys {
		switch t := h.topics[key]; {
		case t == nil && h.feeds[server].ask(&topic{key: key, dead: true}, &round{left: 1}) == nil: // nobody is left to hear it
		case t == nil || !slices.Contains(t.at, server):
			h.partFrom(key, server)
		}
	}
}

// parted forgets a parting, if there is one.
func (h *hub) parted(key TopicKey, server int) {
	list := h.partings[key]
	if len(list) == 0 {
		return
	}
	if list = slices.DeleteFunc(list, func(p parting) bool { return p.server == server }); len(list) == 0 {
		delete(h.partings, key)
		return
	}
	h.partings[key] = list
}

// barrierWhereItWas is barrier for a topic at servers that it has left: messages may be on their way there.
func (h *hub) barrierWhereItWas(t *topic, p *Subscribing) {
	for _, was := range h.partings[t.key] {
		if !slices.Contains(t.at, was.server) {
			h.feeds[was.server].barrier(p)
		}
	}
	for _, f := range h.former {
		if _, kept := f.kept[t.key]; kept {
			f.barrier(p)
		}
	}
}

// endPartings unsubscribes where no message can come from any more.
func (h *hub) endPartings() {
	if h.env.Pool.Now < h.partAt {
		return
	}
	asks := 0
	h.partAt = math.MaxInt64
	for key, list := range h.partings {
		for _, p := range slices.Clone(list) {
			if asks >= MaxAskedAgain {
				h.partAt = 0 // the next tick goes on
				return
			}
			if h.env.Pool.Now < p.until {
				h.partAt = min(h.partAt, p.until)
				continue
			}
			t, f := h.topics[key], h.feeds[p.server]
			if t == nil {
				t = &topic{key: key, dead: true}
			}
			if f == nil || f.conn == nil || slices.Contains(t.at, p.server) || f.ask(t, &round{left: 1}) == nil {
				h.parted(key, p.server)
			} else {
				h.partAt = 0
			}
			asks++
		}
	}
}

// partsFrom reports whether a topic that has left a server is still subscribed there.
func (h *hub) partsFrom(key TopicKey, server int) bool {
	return slices.ContainsFunc(h.partings[key], func(p parting) bool { return p.server == server })
}

// stillAt is how many servers that a topic has left have it subscribed.
func (h *hub) stillAt(key TopicKey) (n int) {
	for _, p := range h.partings[key] {
		if t := h.topics[key]; t == nil || !slices.Contains(t.at, p.server) {
			n++
		}
	}
	return n
}
