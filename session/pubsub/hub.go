package pubsub

import (
	"bytes"
	"slices"
	"strings"

	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/stats"
)

// hub is one loop's subscriptions. However many clients subscribe to a channel, the loop subscribes to it
// once, over one connection to each server: its feed.
//
//	sessions ──< topic >── feed ──> server
type hub struct {
	env    *session.Env
	feeds  []*feed // by server; nil: none
	topics map[TopicKey]*topic
	// patterns are those of topics that are patterns, by name: every PUBLISH looks at all of them.
	patterns map[string]*topic
	// joining is how many rounds are under way.
	joining int
	lost    []lost // by server: what lost feeds have left behind
	missing int    // topics in lost
	// partings are the subscriptions at servers from which topics have moved, until messages that are on their way to them have come: until
	// when, ns.
	partings map[TopicKey][]parting
	partAt   int64    // when the first of them ends, ns
	refused  []*topic // by a server that was asked again: the next tick closes their subscribers
	// former are the feeds of servers that were taken off the list, by server, for as long as they last.
	former map[int]*feed
}

// kind tells channels, patterns and shard channels apart.
type kind uint8

const (
	Channel kind = iota
	Pattern
	ShardChannel
	kinds
)

// words are what servers and clients call what is done to a kind.
var words = [kinds]struct{ on, off, message string }{
	Channel:      {"subscribe", "unsubscribe", "message"},
	Pattern:      {"psubscribe", "punsubscribe", "pmessage"},
	ShardChannel: {"ssubscribe", "sunsubscribe", "smessage"},
}

type TopicKey struct {
	kind kind
	Name string
}

// topic is a channel or pattern that somebody on this loop subscribes to, or did a moment ago.
//
// Invariant: it is in hub.topics until it has no users and its last round, an unsubscription, is over.
type topic struct {
	key   TopicKey
	at    []int // the servers that it is subscribed at
	from  int   // the only one whose messages are for subscribers, but for those of key events; anyServer: all are
	subs  []*session.Session
	users int    // len(subs), and the passages that hold on to it
	round *round // the latest thing asked of all servers
	lost  int    // in how many of hub.lost it is
	dead  bool   // it is over: nobody may use it any more
}

// round is a subscription or unsubscription of one topic under way at one server or more.
type round struct {
	on      bool
	left    int    // servers that have not answered
	refusal []byte // the error of one that refused; nil: none
	gone    bool   // a server has gone before it answered
	counted bool   // out again: hub.settled
	waiters []waiter
}

// feed is the loop's connection to one server over which messages come.
type feed struct {
	pool.Nobody
	hub    *hub
	server int
	conn   *pool.Conn
	since  int64                 // when it was made, ns
	gone   bool                  // the server is no part of the map any more
	former bool                  // it was taken off the list: topics are elsewhere, and its last messages are heard
	kept   map[TopicKey]struct{} // while former: what it is subscribed to
	asked  []asked               // in the order sent
	buf    []byte                // an unfinished frame
}

// asked is one topic's round at one server.
type asked struct {
	topic *topic
	round *round
}

func newHub(env *session.Env, servers int) *hub {
	return &hub{
		env: env, feeds: make([]*feed, servers), topics: map[TopicKey]*topic{}, patterns: map[string]*topic{},
		lost: make([]lost, servers),
	}
}

// hubOf is the hub of an upstream on a loop.
func hubOf(e *session.Env) *hub { return e.Hub.(*hub) }

// acquire holds on to the topic, and subscribes to it if nobody has: then it is fresh.
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
		if f := h.reach(t); f != nil {
			return nil, false, f
		}
		if t.round == nil {
			h.topics[key] = t
			if key.kind == Pattern {
				h.patterns[key.Name] = t
			}
			h.count(1)
		}
		h.ask(t, true)
		fresh = true
	}
	if f := h.askAgainNow(t); f != nil {
		return nil, false, f
	}
	t.users++
	return t, fresh, nil
}

// release lets go of it. After the last user the loop unsubscribes, if it has not begun to.
func (h *hub) release(t *topic) {
	switch t.users--; {
	case t.users > 0 || t.dead:
	case t.round.left == 0 && t.round.refusal != nil && len(t.at) == 1:
		h.drop(t) // the server has nothing to forget
	case t.round.on:
		h.ask(t, false)
	case t.round.left == 0:
		h.drop(t)
	}
}

// barrier makes p wait until every message has been delivered that was published to the topic up to now. A
// publisher may have its reply before the message has come over the feed.
func (h *hub) barrier(t *topic, p *Subscribing) {
	for _, server := range t.at {
		h.feeds[server].barrier(p)
	}
}

// barrierToAll is barrier for all topics.
func (h *hub) barrierToAll(p *Subscribing) {
	for _, f := range h.feeds {
		f.barrier(p)
	}
	for _, f := range h.former {
		f.barrier(p)
	}
}

func (f *feed) barrier(p *Subscribing) {
	if f == nil || f.conn == nil {
		return
	}
	p.left++
	if failure := f.conn.Enqueue(&pool.Request{Raw: pingFrame, Recv: barrier{p: p, f: f}, Manner: pool.Here | pool.Lasts}); failure != nil {
		p.left--
	}
}

var pingFrame = parser.AppendRequest(nil, "PING")

// barrier receives the answer to a barrier's PING. The passage has a deadline.
type barrier struct {
	pool.Nobody
	p *Subscribing
	f *feed
}

// Reply is pool.Receiver.
func (b barrier) Reply(tag uint64, reply []byte, p pool.Piece) {
	b.f.Reply(tag, reply, p) // an error is the server's word on a question before
	if p&pool.Last != 0 {
		b.p.Settled(nil)
	}
}

// Fail is pool.Receiver.
func (b barrier) Fail(_ uint64, f *pool.Failure) {
	if b.p.On {
		b.p.Refusal = session.AppendFailure(nil, f, b.f.hub.env)
		b.p.elsewhere = b.p.elsewhere || b.f.gone
	}
	b.p.Settled(nil)
}

// ask begins a round.
func (h *hub) ask(t *topic, on bool) {
	h.Settled(t.round) // a round that is overtaken counts no more
	r := &round{on: on, left: len(t.at)}
	t.round = r
	h.join(1)
	for _, server := range t.at {
		if h.forget(t, server) {
			r.left-- // the server knows nothing of it
			continue
		}
		f := h.feeds[server]
		if f == nil && on {
			h.miss(t, server) // reach has let it wait
			r.left--
			continue
		}
		if f == nil || f.conn == nil {
			continue // it was lost, and the topic ended by that
		}
		failure := f.ask(t, r)
		switch {
		case failure == nil:
		case on:
			r.refusal = session.AppendFailure(nil, failure, h.env)
			r.left--
		default:
			// The server would go on sending: start anew.
			conn := f.conn
			f.OwnLost(conn, failure)
			conn.Return(false)
		}
	}
	if r.left > 0 {
		return
	}
	h.Settled(r)
	if !on && t.users == 0 && !t.dead {
		h.drop(t)
	}
}

// ask puts a topic's round to the server.
func (f *feed) ask(t *topic, r *round) *pool.Failure {
	verb := words[t.key.kind].off
	if r.on {
		verb = words[t.key.kind].on
	}
	// The confirmation comes as a push. PING is there to be owed a reply: a server that says nothing is noticed. Who waits has a
	// deadline of its own (session.Passage.Limit), after which the answer is still needed: what comes next is told by its order.
	raw := parser.AppendRequest(nil, strings.ToUpper(verb), t.key.Name)
	failure := f.conn.Enqueue(&pool.Request{Raw: parser.AppendRequest(raw, "PING"), Recv: f, Manner: pool.Here | pool.Lasts})
	if failure == nil {
		f.asked = append(f.asked, asked{t, r})
		f.hub.parted(t.key, f.server) // if it was to be asked for later, it is not any more
	}
	return failure
}

// join counts a round that begins: a message published after it must meet the server as the round leaves it, so that
// nobody misses it and the count of those who got it can be corrected.
func (h *hub) join(n int) {
	h.joining += n
	if h.env.Peers != nil {
		h.env.Peers.AddJoining(n)
	}
}

// Settled counts a round out, if it is under way.
func (h *hub) Settled(r *round) {
	if r != nil && !r.counted {
		r.counted = true
		h.join(-1)
	}
}

// waiter is told when a round is over.
type waiter interface{ Settled(*round) }

// expects is a round under way that a message to key should come after; nil: there is none.
func (h *hub) expects(key TopicKey) *round {
	if h.joining == 0 {
		return nil
	}
	server := ChannelServer(h.env, key.kind, []byte(key.Name))
	if t := h.topics[key]; t != nil {
		if r := h.underWay(t, server); r != nil {
			return r
		}
	}
	if key.kind == Channel {
		for name, t := range h.patterns {
			if r := h.underWay(t, server); r != nil && Match(name, key.Name) {
				return r
			}
		}
	}
	return nil
}

// underWay is the round that a message published at server should come after; nil: none.
func (h *hub) underWay(t *topic, server int) *round {
	if t.round.left > 0 {
		return t.round
	}
	return h.lost[t.source(server)].topics[t]
}

// feed is the connection to server, made if there is none.
func (h *hub) feed(server int) (*feed, *pool.Failure) {
	if f := h.feeds[server]; f != nil {
		return f, nil
	}
	f := &feed{hub: h, server: server, since: h.env.Pool.Now}
	conn, failure := h.env.Pool.Lend(server, pool.Key{Proto: 3}, f)
	if failure != nil {
		return nil, failure
	}
	f.conn = conn
	conn.Stream() // where a subscription is refused, PING's reply is one too many
	h.feeds[server] = f
	return f, nil
}

// count tells all loops how many topics there are.
func (h *hub) count(n int) {
	if h.env.Peers != nil {
		h.env.Peers.AddTopics(n)
	}
}

// Reply is pool.Receiver for PING. An error in its place is the server's word on the oldest question.
func (f *feed) Reply(_ uint64, b []byte, p pool.Piece) {
	if p&pool.First != 0 && b[0] == '-' && len(f.asked) > 0 {
		f.answered(bytes.Clone(b))
	}
}

// Fail is pool.Receiver: OwnLost says what is to be done.
func (f *feed) Fail(uint64, *pool.Failure) {}

// answered ends the oldest question.
func (f *feed) answered(refusal []byte) {
	a := f.asked[0]
	f.asked[0] = asked{}
	if f.asked = f.asked[1:]; len(f.asked) == 0 {
		f.asked = nil
	}
	if refusal != nil {
		a.round.refusal = refusal
	}
	f.over(a)
}

// over counts the end of a question.
func (f *feed) over(a asked) {
	r, h := a.round, f.hub
	if r.left--; r.left > 0 {
		return
	}
	switch r {
	case a.topic.round:
		h.Settled(r)
	case h.lost[f.server].topics[a.topic]:
		f.askedAgain(a.topic, r)
	}
	for _, w := range r.waiters {
		w.Settled(r)
	}
	r.waiters = nil
	if t := a.topic; t.round == r && t.users == 0 && !t.dead {
		h.drop(t)
	}
}

// drop forgets a topic. Feeds stay, once made: a connection that was subscribed is lent to nobody else.
func (h *hub) drop(t *topic) {
	t.dead = true
	h.Settled(t.round)
	for _, server := range t.at {
		if t.lost > 0 {
			h.forget(t, server)
		}
	}
	delete(h.topics, t.key)
	if t.key.kind == Pattern {
		delete(h.patterns, t.key.Name)
	}
	h.count(-1)
}

// Pushed is pool.Owner: messages and confirmations.
func (f *feed) Pushed(b []byte, p pool.Piece) {
	if p == pool.Whole {
		f.frame(b)
		return
	}
	f.buf = append(f.buf, b...)
	if p&pool.Last == 0 {
		return
	}
	f.frame(f.buf)
	f.buf = f.buf[:0]
	if cap(f.buf) > session.MaxScratch {
		f.buf = nil
	}
}

// frame takes one whole frame. Borrows b until return, and changes its first byte.
func (f *feed) frame(b []byte) {
	if b[0] == '-' && len(f.asked) > 0 {
		f.answered(bytes.Clone(b)) // behind another refusal, PING's reply has taken its place
	}
	if b[0] != '>' {
		return
	}
	what, at := parser.BulkAt(b, parser.LineEnd(b))
	name, at := parser.BulkAt(b, at)
	for k := range kinds {
		v := &words[k]
		switch string(what) {
		case v.message:
			t := f.hub.topics[TopicKey{k, string(name)}]
			if t == nil {
				return
			}
			if k == Pattern && t.from != session.AnyServer {
				name, _ = parser.BulkAt(b, at) // the channel
			}
			if f.hub.takes(t, name, f.server) {
				t.deliver(b)
			}
			return
		case v.on, v.off:
			key := TopicKey{k, string(name)}
			if len(f.asked) > 0 && f.asked[0].topic.key == key && f.asked[0].round.on == (string(what) == v.on) {
				f.answered(nil)
			} else if t := f.hub.topics[key]; t != nil && string(what) == v.off {
				f.ousted(t)
			}
			return
		}
	}
}

// deliver gives a message to every subscriber. The frames of both protocols differ in the first byte only.
func (t *topic) deliver(b []byte) {
	for _, s := range t.subs {
		b[0] = '*'
		if s.Protocol == 3 {
			b[0] = '>'
		}
		s.Push(b)
	}
}

// OwnLost is pool.Owner. Messages may be missed from now on, so the subscribers must know: they are closed, unless
// the operator wants them to stay.
func (f *feed) OwnLost(_ *pool.Conn, why *pool.Failure) {
	h := f.hub
	if f.conn = nil; f.former {
		if h.former[f.server] == f {
			delete(h.former, f.server)
		}
		asks := f.asked
		f.asked = nil
		for _, a := range asks {
			f.over(a) // the server knows nothing of it any more
		}
		return
	}
	h.feeds[f.server] = nil
	refusal := session.AppendFailure(nil, why, h.env)
	for _, a := range f.asked {
		a.round.gone = a.round.gone || f.gone
		a.round.end(refusal)
	}
	f.asked = nil
	stay := h.env.Upstream.Resubscribe && why.Kind != pool.Stopping
	var victims []*session.Session
	for _, t := range h.topics {
		if !slices.Contains(t.at, f.server) {
			continue
		}
		if t.established() {
			if h.miss(t, f.server); stay {
				continue
			}
		}
		h.drop(t)
		t.round.end(refusal)
		if !stay { // else those on the list are leaving it, and were told that their round is over
			victims = append(victims, t.subs...)
		}
		h.leaveOthers(t, f.server)
	}
	h.lost[f.server].wait(h.env.Pool, h.env.Pool.Proven(f.since))
	h.env.Start(&closings{victims: victims, reason: stats.SubscriptionLost})
}

// end tells those who wait for the round that it has failed.
func (r *round) end(refusal []byte) {
	if r.left > 0 {
		r.refusal = refusal
	}
	waiters := r.waiters
	r.waiters = nil
	for _, w := range waiters {
		w.Settled(r)
	}
}

// leaveOthers unsubscribes a dead topic from the servers whose feeds are left, but for one that knows nothing of it.
func (h *hub) leaveOthers(t *topic, but int) {
	for _, server := range t.at {
		if f := h.feeds[server]; f != nil && f.conn != nil && server != but {
			_ = f.ask(t, &round{left: 1})
		}
	}
}

// remove takes a session off the topic.
func (t *topic) remove(s *session.Session) {
	if i := slices.Index(t.subs, s); i >= 0 {
		// The order of subscribers means nothing.
		last := len(t.subs) - 1
		t.subs[i] = t.subs[last]
		t.subs[last] = nil
		t.subs = t.subs[:last]
	}
}

// appendSubscribed is the frame that confirms one step: its verb, the name (nil: there was none), and to how
// much the client subscribes now.
func appendSubscribed(b []byte, proto uint8, verb string, name *string, n int) []byte {
	if proto == 3 {
		b = append(b, ">3\r\n"...)
	} else {
		b = append(b, "*3\r\n"...)
	}
	b = parser.AppendBulkString(b, verb)
	if name != nil {
		b = parser.AppendBulkString(b, *name)
	} else {
		b = parser.AppendNull(b, int(proto))
	}
	return parser.AppendInt(b, int64(n))
}

// closings closes clients, a job.
type closings struct {
	session.Impersonal
	victims []*session.Session
	reason  stats.CloseReason
}

func (c *closings) Piece(e *session.Env) (done bool) {
	for p := e.APiece(); len(c.victims) > 0 && !p.Over(e); c.victims = c.victims[1:] {
		e.Spend(session.CloseWork)
		c.victims[0].Close(c.reason)
	}
	return len(c.victims) == 0
}
