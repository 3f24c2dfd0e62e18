package session

import (
	"slices"
	"strings"
)

// channelServer is the server on which a channel lives: the first, where keys have none of their own.
func (e *Env) channelServer(k kind, name []byte) int {
	switch {
	case e.single() || e.Map.Random():
		return e.home()
	case k == shardChannel:
		return e.Map.Lookup(name)
	}
	return e.Map.ChannelServer(name)
}

// servers are those on which a topic is subscribed. A channel lives on the shard of its name; a pattern may match channels of
// any, and each server tells of its own keys. The nodes of a cluster tell each other of messages, so that one is enough for them.
func (h *hub) servers(key topicKey) []int {
	m := h.env.Map
	if key.tellsOfKeys() || key.kind == pattern && !m.Slotted() {
		return m.Shards()
	}
	return []int{h.env.channelServer(key.kind, []byte(key.name))}
}

// place says where a new topic is subscribed, and from where its messages are taken: in a cluster each comes from every node that
// is asked for it.
func (h *hub) place(t *topic) {
	t.at, t.from = h.servers(t.key), anyServer
	if h.env.Map.Slotted() {
		t.from = h.env.channelServer(t.key.kind, []byte(t.key.name))
	}
}

// keyEvents begin the names of the channels over which servers tell of keys.
var keyEvents = [...]string{"__keyspace@", "__keyevent@"}

// tellsOfKeys reports whether the topic is such a channel, or a pattern that may match one.
func (k topicKey) tellsOfKeys() bool {
	start, wild := k.name, -1
	if k.kind == pattern {
		if wild = strings.IndexAny(start, `*?[\`); wild >= 0 {
			start = start[:wild]
		}
	}
	return k.kind != shardChannel && slices.ContainsFunc(keyEvents[:], func(p string) bool {
		return strings.HasPrefix(start, p) || wild >= 0 && strings.HasPrefix(p, start)
	})
}

// takes reports whether a message that came from server over a channel is one for the topic's subscribers.
func (t *topic) takes(name []byte, server int) bool {
	if t.source(server) == server {
		return true
	}
	n := len(keyEvents[0])
	return len(name) >= n && (string(name[:n]) == keyEvents[0] || string(name[:n]) == keyEvents[1])
}

// source is the server from which a message that is published at server comes to the topic.
func (t *topic) source(server int) int {
	if t.from != anyServer {
		return t.from
	}
	return server
}
