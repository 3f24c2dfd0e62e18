package pubsub

import (
	"slices"
	"strings"

	"ringmaster/session"
)

// ChannelServer returns the server of a channel or shard channel. That is the default server where there is only one,
// or where keys have no server of their own.
func ChannelServer(e *session.Env, k Kind, name []byte) int {
	switch {
	case e.Single() || e.Map.Random():
		return e.Home()
	case k == ShardChannel:
		return e.Map.Lookup(name)
	}
	return e.Map.ChannelServer(name)
}

// serversOf returns the servers where a topic is subscribed. A channel is at the shard of its name. A pattern may match
// channels of any shard, so it is at all shards. The nodes of a cluster pass messages on to each other, so one node is
// enough there. But no server passes key events on.
func (h *hub) serversOf(key TopicKey) []int {
	if h.everywhere(key) {
		return h.env.Map.Shards()
	}
	return []int{ChannelServer(h.env, key.Kind, []byte(key.Name))}
}

// everywhere reports whether a topic is subscribed at all shards.
func (h *hub) everywhere(key TopicKey) bool {
	return key.hasKeyEvents() || key.Kind == Pattern && !h.env.Map.Slotted()
}

// place chooses the servers of a new topic and the source of its messages. In a cluster every node where the topic is
// subscribed sends each message, so only one of them is the source.
func (h *hub) place(t *topic) {
	t.servers, t.source = h.serversOf(t.key), session.AnyServer
	if h.env.Map.Slotted() {
		t.source = ChannelServer(h.env, t.key.Kind, []byte(t.key.Name))
	}
}

// keyEvents are the prefixes of the channels on which servers publish key events.
var keyEvents = [...]string{"__keyspace@", "__keyevent@"}

// hasKeyEvents reports whether the topic is a channel for key events, or a pattern that may match one.
func (k TopicKey) hasKeyEvents() bool {
	start, wild := k.Name, -1
	if k.Kind == Pattern {
		if wild = strings.IndexAny(start, `*?[\`); wild >= 0 {
			start = start[:wild]
		}
	}
	return k.Kind != ShardChannel && slices.ContainsFunc(keyEvents[:], func(p string) bool {
		return strings.HasPrefix(start, p) || wild >= 0 && strings.HasPrefix(p, start)
	})
}

// accepts reports whether subscribers of the topic get a message that came from server over the channel name. A primary
// that has become a replica sends the same key events as its new primary. It is heard only until the new primary is.
func (h *hub) accepts(t *topic, name []byte, server int) bool {
	n := len(keyEvents[0])
	if len(name) >= n && (string(name[:n]) == keyEvents[0] || string(name[:n]) == keyEvents[1]) {
		return t.lostServers > 0 || slices.Contains(h.env.Map.Shards(), server)
	}
	return t.sourceOf(server) == server
}

// sourceOf returns the server from which the topic gets messages that are published at server.
func (t *topic) sourceOf(server int) int {
	if t.source != session.AnyServer {
		return t.source
	}
	return server
}
