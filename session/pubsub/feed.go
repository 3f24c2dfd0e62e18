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

// feedTo returns the feed of server, and makes it if there is none.
func (h *hub) feedTo(server int) (*feed, *pool.Failure) {
	if f := h.feeds[server]; f != nil {
		return f, nil
	}
	f := &feed{hub: h, server: server, since: h.env.Pool.Now}
	conn, failure := h.env.Pool.Lend(server, pool.Key{Proto: 3}, f)
	if failure != nil {
		return nil, failure
	}
	f.conn = conn
	conn.Stream() // a refused subscription has one reply more than the connection expects, because of PING
	h.feeds[server] = f
	return f, nil
}

// ask sends a topic's round to the server.
func (f *feed) ask(t *topic, r *round) *pool.Failure {
	verb := words[t.key.Kind].off
	if r.on {
		verb = words[t.key.Kind].on
	}
	// The confirmation is a push, and no reply. PING's reply is owed, so a server that answers nothing is noticed. The request
	// outlasts the deadline of its clients (session.Passage.Limit), because answers belong to questions by their order.
	raw := parser.AppendRequest(nil, strings.ToUpper(verb), t.key.Name)
	failure := f.conn.Enqueue(&pool.Request{Raw: parser.AppendRequest(raw, "PING"), Recv: f, Manner: pool.Here | pool.Lasts})
	if failure == nil {
		f.questions = append(f.questions, question{t, r})
		f.hub.stopLinger(t.key, f.server) // a new subscription replaces it, an unsubscription ends it
	}
	return failure
}

// Pushed is pool.Owner. It takes messages and confirmations. Borrows b until return.
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
	if b[0] == '-' && len(f.questions) > 0 {
		f.answered(bytes.Clone(b)) // after another refusal its PONG was taken for a reply, so this refusal comes as a push
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
			if k == Pattern && t.source != session.AnyServer {
				name, _ = parser.BulkAt(b, at) // the channel
			}
			if f.hub.accepts(t, name, f.server) {
				t.deliver(b)
			}
			return
		case v.on, v.off:
			key := TopicKey{k, string(name)}
			if len(f.questions) > 0 && f.questions[0].topic.key == key && f.questions[0].round.on == (string(what) == v.on) {
				f.answered(nil)
			} else if t := f.hub.topics[key]; t != nil && string(what) == v.off {
				f.serverUnsubscribed(t)
			}
			return
		}
	}
}

// Reply is pool.Receiver for PING. An error in its place answers the oldest question.
func (f *feed) Reply(_ uint64, b []byte, p pool.Piece) {
	if p&pool.First != 0 && b[0] == '-' && len(f.questions) > 0 {
		f.answered(bytes.Clone(b))
	}
}

// Fail is pool.Receiver. OwnLost does what is needed.
func (f *feed) Fail(uint64, *pool.Failure) {}

// answered ends the oldest question; refusal is the server's error, or nil. Takes refusal.
func (f *feed) answered(refusal []byte) {
	a := f.questions[0]
	f.questions[0] = question{}
	if f.questions = f.questions[1:]; len(f.questions) == 0 {
		f.questions = nil
	}
	if refusal != nil {
		a.round.refusal = refusal
	}
	f.endQuestion(a)
}

// endQuestion counts one server's answer to a round, and ends the round after the last.
func (f *feed) endQuestion(a question) {
	r, h := a.round, f.hub
	if r.left--; r.left > 0 {
		return
	}
	switch r {
	case a.topic.round:
		h.countOut(r)
	case h.lost[f.server].topics[a.topic]:
		f.resubscribed(a.topic, r)
	}
	for _, w := range r.waiters {
		w(r)
	}
	r.waiters = nil
	switch t := a.topic; {
	case t.round != r || t.dead:
	case t.users == 0:
		h.drop(t)
	case r.misplaced && r.refusal == nil:
		h.unsubscribeAt(t, f.server)
	}
}

// resubscribed takes the server's answer to the round r, by which a lost topic was subscribed again.
func (f *feed) resubscribed(t *topic, r *round) {
	h := f.hub
	switch {
	case r.refusal == nil:
		h.clearLost(t, f.server)
		h.env.Pool.Stats(f.server).SubscriptionsRestored++
	case h.env.Map.Slotted() && pool.Elsewhere(r.refusal):
		f.askElsewhere(t)
	case isTemporary(r.refusal):
		h.countOut(r)
		h.lost[f.server].topics[t] = nil
		h.lost[f.server].wait(h.env.Pool, false)
	default:
		h.drop(t)
		h.leaveOthers(t, f.server)
		// The tick closes them: closing here could send their other unsubscriptions over the connection that calls.
		h.toClose = append(h.toClose, t)
	}
}

// serverUnsubscribed handles that the server has ended a subscription by itself, because the shard channel's slot has
// moved.
func (f *feed) serverUnsubscribed(t *topic) {
	h := f.hub
	h.env.Pool.Hint()
	if t.round.left == 0 && t.round.on && slices.Contains(t.servers, f.server) { // otherwise the round under way settles it
		h.endedAt(t, f.server)
	}
}

// askElsewhere moves a lost topic to another server, after this one has answered that it is not the right one.
func (f *feed) askElsewhere(t *topic) {
	h := f.hub
	h.env.Pool.Hint()
	h.dropServer(t, f.server)
	for _, i := range t.servers {
		h.lost[i].wait(h.env.Pool, false)
	}
}

// OwnLost is pool.Owner. Messages may be missed from now on, and subscribers must know. They are closed, unless the
// operator wants them to stay.
func (f *feed) OwnLost(_ *pool.Conn, why *pool.Failure) {
	h := f.hub
	if f.conn = nil; f.former {
		if h.former[f.server] == f {
			delete(h.former, f.server)
		}
		asks := f.questions
		f.questions = nil
		for _, a := range asks {
			f.endQuestion(a) // the server has forgotten the subscription
		}
		return
	}
	h.feeds[f.server] = nil
	refusal := session.AppendFailure(nil, why, h.env)
	for _, a := range f.questions {
		a.round.gone = a.round.gone || f.gone
		a.round.fail(refusal)
	}
	f.questions = nil
	stay := h.env.Upstream.Resubscribe && why.Kind != pool.Stopping
	var victims []*session.Session
	for _, t := range h.topics {
		if !slices.Contains(t.servers, f.server) {
			continue
		}
		if t.established() {
			if h.loseAt(t, f.server); stay {
				continue
			}
		}
		h.drop(t)
		t.round.fail(refusal)
		if !stay { // otherwise the subscribers are about to unsubscribe, and their round has just failed
			victims = append(victims, t.subs...)
		}
		h.leaveOthers(t, f.server)
	}
	h.lost[f.server].wait(h.env.Pool, h.env.Pool.Proven(f.since))
	h.env.Start(&closings{victims: victims, reason: stats.SubscriptionLost})
}

// drop ends a topic. Its feeds stay, because a connection that was subscribed is lent to nobody else.
func (h *hub) drop(t *topic) {
	t.dead = true
	h.countOut(t.round)
	for _, server := range t.servers {
		if t.lostServers > 0 {
			h.clearLost(t, server)
		}
	}
	delete(h.topics, t.key)
	if t.key.Kind == Pattern {
		delete(h.patterns, t.key.Name)
	}
	h.countTopics(-1)
}

// dropServer takes a topic off a server that no longer has it. If that was its only server, the topic is lost at the
// server where it belongs now.
func (h *hub) dropServer(t *topic, server int) {
	h.clearLost(t, server)
	t.servers = slices.DeleteFunc(slices.Clone(t.servers), func(i int) bool { return i == server })
	if len(t.servers) == 0 {
		t.servers = h.serversOf(t.key)
		for _, i := range t.servers {
			h.markLost(t, i)
		}
	}
	if t.source == server {
		t.source = t.servers[0]
	}
}

// leaveOthers unsubscribes a dead topic at all its servers except one, which has no subscription to it.
func (h *hub) leaveOthers(t *topic, but int) {
	for _, server := range t.servers {
		if f := h.feeds[server]; f != nil && f.conn != nil && server != but {
			_ = f.ask(t, &round{left: 1})
		}
	}
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
