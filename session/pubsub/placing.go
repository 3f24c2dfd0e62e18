package pubsub

import (
	"ringmaster/session"
	"slices"
	"strings"
)

// ChannelServer is the server on which a channel lives: the first, where keys have none of their own.
func ChannelServer(e *session.Env, k kind, name []byte) int {
	switch {
	case e.Single() || e.Map.Random():
		return e.Home()
	case k == ShardChannel:
		return e.Map.Lookup(name)
	}
	return e.Map.ChannelServer(name)
}

// servers are those on which a topic is subscribed. A channel lives on the shard of its name; a pattern may match channels of
// any, and each server tells of its own keys. The nodes of a cluster tell each other of messages, so that one is enough for them.
func (h *hub) servers(key TopicKey) []int {
	if h.everywhere(key) {
		return h.env.Map.Shards()
	}
	return []int{ChannelServer(h.env, key.kind, []byte(key.Name))}
}

// everywhere reports whether a topic is subscribed at all shards.
func (h *hub) everywhere(key TopicKey) bool {
	return key.tellsOfKeys() || key.kind == Pattern && !h.env.Map.Slotted()
}

// place says where a new topic is subscribed, and from where its messages are taken: in a cluster each comes from every node that
// is asked for it.
func (h *hub) place(t *topic) {
	t.at, t.from = h.servers(t.key), session.AnyServer
	if h.env.Map.Slotted() {
		t.from = ChannelServer(h.env, t.key.kind, []byte(t.key.Name))
	}
}

// keyEvents begin the names of the channels over which servers tell of keys.
var keyEvents = [...]string{"__keyspace@", "__keyevent@"}

// tellsOfKeys reports whether the topic is such a channel, or a pattern that may match one.
func (k TopicKey) tellsOfKeys() bool {
	start, wild := k.Name, -1
	if k.kind == Pattern {
		if wild = strings.IndexAny(start, `*?[\`); wild >= 0 {
			start = start[:wild]
		}
	}
	return k.kind != ShardChannel && slices.ContainsFunc(keyEvents[:], func(p string) bool {
		return strings.HasPrefix(start, p) || wild >= 0 && strings.HasPrefix(p, start)
	})
}

// takes reports whether a message that came from server over a channel is one for the topic's subscribers. A primary that has become
// a replica tells of the same keys as its own primary, and is heard only until that is.
func (h *hub) takes(t *topic, name []byte, server int) bool {
	n := len(keyEvents[0])
	if len(name) >= n && (string(name[:n]) == keyEvents[0] || string(name[:n]) == keyEvents[1]) {
		return t.lost > 0 || slices.Contains(h.env.Map.Shards(), server)
	}
	return t.source(server) == server
}

// source is the server from which a message that is published at server comes to the topic.
func (t *topic) source(server int) int {
	if t.from != session.AnyServer {
		return t.from
	}
	return server
}
