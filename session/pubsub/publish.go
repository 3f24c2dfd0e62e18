package pubsub

import (
	"bytes"
	"slices"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
)

// AnyTopics reports whether any loop is subscribed to something, for a client or because the subscription lingers.
func AnyTopics(e *session.Env) bool {
	if e.Peers == nil {
		return len(hubOf(e).topics)+len(hubOf(e).lingering) > 0
	}
	return e.Peers.AnyTopics()
}

// publish sends a message to the server of its channel. The reply is corrected to the number of clients.
func publish(s *session.Session, spec *command.Spec, req *parser.Request) {
	unheard := !AnyTopics(s.Door.Env) && !anyRounds(s.Door.Env)
	if unheard && (spec.ID == command.IDSpublish || !s.Door.Map.Slotted()) {
		s.Pass(ChannelServer(s.Door.Env, ShardChannel, req.Args[1]), spec, req)
		return
	}
	if unheard {
		publishNow(s, TopicKey{}, ChannelServer(s.Door.Env, Channel, req.Args[1]), req.Raw)
		return
	}
	key := PublishedTo(spec, req)
	server := ChannelServer(s.Door.Env, key.Kind, req.Args[1])
	if anyRounds(s.Door.Env) && !s.Door.Replaying {
		s.Begin(&delayedPublish{raw: bytes.Clone(req.Raw), key: key})
		return
	}
	publishNow(s, key, server, req.Raw)
}

// PublishedTo returns the topic that a PUBLISH or SPUBLISH sends to.
func PublishedTo(spec *command.Spec, req *parser.Request) TopicKey {
	if spec.ID == command.IDSpublish {
		return TopicKey{ShardChannel, string(req.Args[1])}
	}
	return TopicKey{Channel, string(req.Args[1])}
}

// anyRounds reports whether a round is under way on any loop.
func anyRounds(e *session.Env) bool {
	if e.Peers == nil {
		return hubOf(e).rounds > 0
	}
	return e.Peers.AnyJoining()
}

// delayedPublish is a PUBLISH that came after a SUBSCRIBE of any client, while that is still on its way to the server
// over another connection. On Redis the subscriber would get the message, so the PUBLISH waits.
type delayedPublish struct {
	session.Passage
	raw        []byte
	key        TopicKey
	asked      int
	unexpected bool // no other loop expects the message
	// version is that of the map when the loops were asked.
	version uint16
}

// Step is passage. It sends the message when no loop has a round under way that the message must come after.
func (o *delayedPublish) Step(s *session.Session, came session.Wait) {
	server := ChannelServer(s.Door.Env, o.key.Kind, []byte(o.key.Name))
	switch came {
	case session.Replies:
		o.Limit()
	case session.Deadline:
		o.End()
		s.Door.Stats.Timeouts++
		s.Failed(len(o.raw), s.Door.Pool.TimedOut(server, false))
		return
	}
	if r := hubOf(s.Door.Env).expects(o.key); r != nil {
		o.Await(session.Others)
		r.waiters = append(r.waiters, o.roundEnded)
		return
	}
	if s.Door.Peers != nil && (!o.unexpected || o.version != s.Door.Version && o.asked < session.MaxAsked) {
		o.ask(s.Door.Version)
		return
	}
	o.End()
	publishNow(s, o.key, server, o.raw)
}

func (o *delayedPublish) roundEnded(*round) { o.Resume(session.Others) }

// ask asks all loops whether they expect the message. After session.MaxAsked times the message is sent anyway.
func (o *delayedPublish) ask(version uint16) {
	o.version = version
	o.asked++
	o.AskLoops(func(e *session.Env) any { return hubOf(e).expects(o.key) != nil }, func(answers []any) {
		o.unexpected = !slices.Contains(answers, any(true)) || o.asked >= session.MaxAsked
	})
}

// publishNow sends a PUBLISH.
func publishNow(s *session.Session, key TopicKey, server int, raw []byte) {
	var recv pool.Receiver = s
	tag := s.Expect(len(raw))
	at := tag
	if AnyTopics(s.Door.Env) {
		recv, at = &publishReply{s: s, tag: tag, key: key}, 0
	}
	conn := s.Conn(server)
	var f *pool.Failure
	if key.Kind == Channel && s.Door.Map.Slotted() && !s.Door.WaitsAt(conn) {
		f = conn.Enqueue(&pool.Request{Raw: raw, Recv: recv, Tag: at, Manner: pool.Here}) // messages of two nodes have no order
	} else {
		f = conn.Enqueue(&pool.Request{Raw: raw, Recv: recv, Tag: at, Keys: keysOfTopic(s.Door.Env, key), Manner: s.Door.Manner(conn)})
	}
	if f != nil {
		s.Fail(tag, f)
	}
}

// keysOfTopic returns the keys by which the pool orders a message. Only messages of shard channels have an order.
func keysOfTopic(e *session.Env, key TopicKey) pool.Keys {
	if key.Kind != ShardChannel || !e.Pool.Resends() {
		return 0
	}
	return pool.KeysIn(session.SlotOf([]byte(key.Name), e.Map), false)
}

// publishReply receives the reply to PUBLISH.
type publishReply struct {
	s   *session.Session
	tag uint64
	key TopicKey
}

// Reply is pool.Receiver.
func (p *publishReply) Reply(_ uint64, b []byte, piece pool.Piece) {
	n, ok := parser.Integer(b)
	env := p.s.Door
	if !ok || piece != pool.Whole || n == 0 && !env.Map.Slotted() { // in a cluster the feed may be at another node than the one that answered 0
		p.s.Reply(p.tag, b, piece)
		return
	}
	CollectTallies(env.Env, p.s, []TopicKey{p.key}, true, func(sums []Tally) {
		env.Scratch = parser.AppendInt(env.Scratch[:0], sums[0].Correct(n))
		p.s.Reply(p.tag, env.Scratch, pool.Whole)
	})
}

// Client is pool.Receiver.
func (p *publishReply) Client() pool.Client { return p.s }

// Place is pool.Receiver.
func (p *publishReply) Place(uint64) uint64 { return p.tag }

// Fail is pool.Receiver.
func (p *publishReply) Fail(_ uint64, f *pool.Failure) { p.s.Fail(p.tag, f) }
