package pubsub

import (
	"slices"
)

// longestWait is how long a message may be on its way when requests have no timeout; ns.
const longestWait = int64(60e9)

// lingerAt keeps a topic subscribed at a server that it leaves, for the messages on their way there.
func (h *hub) lingerAt(t *topic, server int) {
	if f := h.feeds[server]; h.clearLost(t, server) || f == nil || f.conn == nil {
		return
	}
	h.lingerKeyAt(t.key, server)
}

// lingerKeyAt keeps the subscription to key at server for the length of the timeout.
func (h *hub) lingerKeyAt(key TopicKey, server int) {
	if h.lingering == nil {
		h.lingering = map[TopicKey][]linger{}
	}
	h.stopLinger(key, server)
	wait := int64(h.env.Pool.Timeout())
	if wait <= 0 {
		wait = longestWait
	}
	p := linger{server, h.env.Pool.Now + wait}
	if len(h.lingering) == 0 || p.until < h.lingerEnds {
		h.lingerEnds = p.until
	}
	if h.lingering[key] == nil {
		h.countTopics(1)
	}
	h.lingering[key] = append(h.lingering[key], p)
}

// stopLinger forgets that key lingers at server, if it does.
func (h *hub) stopLinger(key TopicKey, server int) {
	list := h.lingering[key]
	if len(list) == 0 {
		return
	}
	if list = slices.DeleteFunc(list, func(p linger) bool { return p.server == server }); len(list) == 0 {
		delete(h.lingering, key)
		h.countTopics(-1)
		return
	}
	h.lingering[key] = list
}

// lingersAt reports whether key lingers at server.
func (h *hub) lingersAt(key TopicKey, server int) bool {
	return slices.ContainsFunc(h.lingering[key], func(p linger) bool { return p.server == server })
}

// onlyLingersAt reports whether key lingers at server, and its topic, if there is one, is not there.
func (h *hub) onlyLingersAt(key TopicKey, server int) bool {
	t := h.topics[key]
	return h.lingersAt(key, server) && (t == nil || !slices.Contains(t.servers, server))
}

// lingerCount returns how many servers still have a subscription to key although the topic has left them.
func (h *hub) lingerCount(key TopicKey) (n int) {
	for _, p := range h.lingering[key] {
		if t := h.topics[key]; t == nil || !slices.Contains(t.servers, p.server) {
			n++
		}
	}
	return n
}
