package pubsub

import (
	"maps"
	"slices"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/texts"
)

// Subscribing is a SUBSCRIBE or UNSUBSCRIBE under way. It is a passage: no message may come before the confirmation,
// and no reply to an earlier request after a message. It waits for the servers to confirm, so that the count is right
// for a client that hears of the subscription and publishes.
type Subscribing struct {
	session.Passage
	Kind     Kind
	On       bool
	All      bool // UNSUBSCRIBE without names
	names    []string
	acquired []*topic // by name; only if On
	next     int      // index of the name that is asked for or confirmed next
	asked    bool
	late     bool  // it no longer waits for servers
	Replying bool  // the reply has begun
	since    int64 // when it was first refused; ns
	left     int
	// Refusal is the error that ends it; nil: none.
	Refusal []byte
	// elsewhere: a server that was asked has left the map.
	elsewhere bool
	// Then is called in place of the reply; late: the timeout has passed. nil: the client gets a reply.
	Then    func(s *session.Session, late bool)
	Barrier bool // it only waits for messages that were published before it
}

// NewSubscribing returns the passage of a command that subscribes or unsubscribes; nil: spec is no such command. Copies
// args.
func NewSubscribing(spec *command.Spec, args [][]byte) *Subscribing {
	for k := range kinds {
		on := spec.Name == words[k].on
		if !on && spec.Name != words[k].off {
			continue
		}
		p := &Subscribing{Kind: k, On: on, All: len(args) == 1}
		for _, a := range args[1:] {
			p.names = append(p.names, string(a))
		}
		return p
	}
	return nil
}

// AddAllNames adds the names of all the client's subscriptions of p.Kind.
func (p *Subscribing) AddAllNames(s *session.Session) {
	if u := subsOf(s); u != nil {
		p.names = slices.AppendSeq(p.names, maps.Keys(u.topics[p.Kind]))
	}
}

// await waits for the topic's round, if it is under way.
func (p *Subscribing) await(t *topic) {
	switch r := t.round; {
	case t.dead: // the unsubscription has failed
	case r.left > 0:
		p.awaitRound(r)
	case r.refusal != nil && p.On:
		p.Refusal = r.refusal
	case p.On:
		hubOf(p.Session().Door.Env).eachResubscription(t, p.awaitRound)
	}
}

func (p *Subscribing) awaitRound(r *round) {
	p.left++
	r.waiters = append(r.waiters, p.roundEnded)
}

// awaitMoved waits for topics that have moved since they were confirmed; false: none has.
func (p *Subscribing) awaitMoved() bool {
	if p.late || p.Refusal != nil {
		return false
	}
	for _, t := range p.acquired {
		if !t.dead && t.lostServers == len(t.servers) {
			hubOf(p.Session().Door.Env).eachResubscription(t, p.awaitRound)
		}
	}
	return p.left > 0
}

// roundEnded counts the end of a round, or of a barrier (nil).
func (p *Subscribing) roundEnded(r *round) {
	if p.left--; p.late {
		return
	}
	if r != nil && r.refusal != nil && p.On {
		p.Refusal = r.refusal
		p.elsewhere = p.elsewhere || r.gone
	}
	if p.left == 0 {
		p.Resume(session.Servers)
	}
}

// isElsewhere reports whether a topic belongs at another server than the one asked, or has moved since it was
// confirmed.
func (p *Subscribing) isElsewhere() bool {
	if p.Refusal != nil {
		return p.elsewhere || pool.Elsewhere(p.Refusal)
	}
	return slices.ContainsFunc(p.acquired, func(t *topic) bool { return t.dead })
}

// hasFailed reports whether the subscription has failed, and sets Refusal if so.
func (p *Subscribing) hasFailed() bool {
	if p.Refusal == nil && slices.ContainsFunc(p.acquired, func(t *topic) bool { return t.dead || t.lostServers == len(t.servers) }) {
		p.Refusal = []byte("-" + texts.SubscriptionLost + "\r\n")
	}
	return p.Refusal != nil
}

// TimeoutError returns the error frame of a subscription that has waited too long.
func (p *Subscribing) TimeoutError(e *session.Env) []byte {
	server := ChannelServer(e, p.Kind, []byte(p.names[0]))
	if p.since > 0 { // a node has refused it
		return session.AppendFailure(nil, e.Pool.Moved(server), e)
	}
	return parser.AppendError(nil, texts.NotSubscribed(session.Millis(e.Pool.Timeout()), e.Map.Server(server).Name))
}

// Release gives back the topics that were acquired and are not confirmed.
func (p *Subscribing) Release(s *session.Session) {
	if len(p.acquired) > 0 {
		s.Door.Start(&releasing{topics: p.acquired})
	}
	p.acquired = nil
}

func (p *Subscribing) Cancel(s *session.Session) (unanswered bool) {
	p.Release(s)
	return true
}

// barrier makes p wait until every message that was published to the topic before now has been delivered. A publisher
// may have its reply before the message has come over the feed.
func (h *hub) barrier(t *topic, p *Subscribing) {
	for _, server := range t.servers {
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

// barrierAtOldServers is barrier at the servers that a topic has left, where messages may still be on their way.
func (h *hub) barrierAtOldServers(t *topic, p *Subscribing) {
	for _, was := range h.lingering[t.key] {
		if !slices.Contains(t.servers, was.server) {
			h.feeds[was.server].barrier(p)
		}
	}
	for _, f := range h.former {
		if _, kept := f.subscribed[t.key]; kept {
			f.barrier(p)
		}
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

// barrier receives the reply to a barrier's PING. The passage has a deadline.
type barrier struct {
	pool.Nobody
	p *Subscribing
	f *feed
}

// Reply is pool.Receiver.
func (b barrier) Reply(tag uint64, reply []byte, p pool.Piece) {
	b.f.Reply(tag, reply, p) // an error answers an earlier question
	if p&pool.Last != 0 {
		b.p.roundEnded(nil)
	}
}

// Fail is pool.Receiver.
func (b barrier) Fail(_ uint64, f *pool.Failure) {
	if b.p.On {
		b.p.Refusal = session.AppendFailure(nil, f, b.f.hub.env)
		b.p.elsewhere = b.p.elsewhere || b.f.gone
	}
	b.p.roundEnded(nil)
}
