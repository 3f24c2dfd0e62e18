package pubsub

import (
	"slices"

	"ringmaster/pool"
	"ringmaster/session"
)

// hub holds one loop's subscriptions at an upstream. However many clients subscribe to a channel, the loop subscribes
// to it once, over one connection to each server: the feed.
//
//	sessions ──< topic >── feed ──> server
type hub struct {
	env    *session.Env
	feeds  []*feed // by server; nil: none
	topics map[TopicKey]*topic
	// patterns are the topics that are patterns, by name. Every PUBLISH looks at all of them.
	patterns map[string]*topic
	// rounds is the number of rounds under way.
	rounds    int
	lost      []lostTopics // by server
	lostCount int          // the sum of the topics in lost
	// lingering are the subscriptions that topics keep at servers which they have left, until the messages on their way there
	// have come.
	lingering  map[TopicKey][]linger
	lingerEnds int64    // when the first of them ends; ns
	toClose    []*topic // a server refused to restore these: the next tick closes their subscribers
	// former are the feeds of servers that were taken off the list, by server, until they are lost.
	former map[int]*feed
}

// newHub makes the hub of an upstream with so many servers.
func newHub(env *session.Env, servers int) *hub {
	return &hub{
		env: env, feeds: make([]*feed, servers), topics: map[TopicKey]*topic{}, patterns: map[string]*topic{},
		lost: make([]lostTopics, servers),
	}
}

// hubOf returns the hub of an upstream on a loop.
func hubOf(e *session.Env) *hub { return e.Hub.(*hub) }

// Kind is what a client can subscribe to.
type Kind uint8

const (
	Channel Kind = iota
	Pattern
	ShardChannel
	kinds
)

// words are the names that the protocol uses for each kind.
var words = [kinds]struct{ on, off, message string }{
	Channel:      {"subscribe", "unsubscribe", "message"},
	Pattern:      {"psubscribe", "punsubscribe", "pmessage"},
	ShardChannel: {"ssubscribe", "sunsubscribe", "smessage"},
}

// TopicKey identifies a topic of an upstream.
type TopicKey struct {
	Kind Kind
	Name string
}

// topic is a channel or pattern that a client of this loop subscribes to, or did a moment ago.
//
// Invariant: it is in hub.topics until it has no users and its last round, an unsubscription, is over.
type topic struct {
	key         TopicKey
	servers     []int // the servers where it is subscribed
	source      int   // the server whose messages subscribers get; session.AnyServer: all. Key events come from all
	subs        []*session.Session
	users       int    // len(subs) + the passages that have acquired it
	round       *round // the latest round at all servers
	lostServers int    // in how many elements of hub.lost it is
	dead        bool   // it has ended, and nobody may use it
}

// established reports whether clients have been told that they get the topic's messages, and no round is under way.
func (t *topic) established() bool {
	return len(t.subs) > 0 && t.round.on && t.round.left == 0 && t.round.refusal == nil
}

// deliver gives a message to every subscriber. Borrows b until return, and changes its first byte: that is the only
// difference between the two protocols.
func (t *topic) deliver(b []byte) {
	for _, s := range t.subs {
		b[0] = '*'
		if s.Protocol == 3 {
			b[0] = '>'
		}
		s.Push(b)
	}
}

// remove takes a session off the list of subscribers.
func (t *topic) remove(s *session.Session) {
	if i := slices.Index(t.subs, s); i >= 0 {
		// Subscribers have no order.
		last := len(t.subs) - 1
		t.subs[i] = t.subs[last]
		t.subs[last] = nil
		t.subs = t.subs[:last]
	}
}

// round is one topic's subscription or unsubscription under way, at one server or more.
type round struct {
	on      bool
	left    int    // servers that have not answered
	refusal []byte // the error of a server that refused; nil: none has
	gone    bool   // a server left the map before it answered
	// misplaced: the slot of the shard channel left the server before it answered.
	misplaced bool
	ended     bool // hub.countOut has counted it
	waiters   []func(*round)
}

// fail ends the round with an error and calls its waiters.
func (r *round) fail(refusal []byte) {
	if r.left > 0 {
		r.refusal = refusal
	}
	waiters := r.waiters
	r.waiters = nil
	for _, w := range waiters {
		w(r)
	}
}

// feed is the loop's connection to one server over which messages come.
type feed struct {
	pool.Nobody
	hub        *hub
	server     int
	conn       *pool.Conn
	since      int64                 // when it was made, ns
	gone       bool                  // the server has left the map
	former     bool                  // the server was taken off the list: topics have moved, and the last messages still count
	subscribed map[TopicKey]struct{} // while former: its subscriptions
	questions  []question            // in the order sent
	buf        []byte                // an unfinished frame
}

// question is one topic's round at one server.
type question struct {
	topic *topic
	round *round
}

// lostTopics are the topics of a feed that was lost while subscribers stay (Config.Resubscribe). Each tick checks
// whether the server can be asked again.
//
//	established ─ feed lost ▸ lost ─ feed made ▸ asked ─ confirmed ▸ established
//	                            ▴                  │ └──── refused ▸ its subscribers are closed
//	                            └ feed lost, busy ─┘
//
// A new pattern is lost from the start at servers that are down, if another server takes it.
//
// Invariants: a topic is in topic.lostServers elements of hub.lost, and hub.lostCount is the sum of their lengths.
type lostTopics struct {
	// topics must be subscribed again. The value is the round that does it; nil: the server has not been asked.
	topics  map[*topic]*round
	pause   int64 // the last pause between two attempts; ns
	retryAt int64 // no attempt before this time; ns
}

// linger is a topic's subscription at a server that the topic has left.
type linger struct {
	server int
	until  int64 // ns
}

// countRounds adds n to the rounds under way, on this loop and for all loops. A PUBLISH waits for them: the server must
// have seen the round before the message, so that no new subscriber misses it and the count of receivers can be
// corrected.
func (h *hub) countRounds(n int) {
	h.rounds += n
	if h.env.Peers != nil {
		h.env.Peers.AddJoining(n)
	}
}

// countOut counts a round as ended, once. r may be nil.
func (h *hub) countOut(r *round) {
	if r != nil && !r.ended {
		r.ended = true
		h.countRounds(-1)
	}
}

// countTopics adds n to the number of topics of all loops.
func (h *hub) countTopics(n int) {
	if h.env.Peers != nil {
		h.env.Peers.AddTopics(n)
	}
}
