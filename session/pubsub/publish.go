package pubsub

import (
	"bytes"
	"maps"
	"slices"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/gather"
)

// Tally is what a server's count of subscribers must be corrected by: it counts one connection of each loop
// where there are any number of clients.
type Tally struct{ ours, clients int }

// tally counts this loop's part for a channel; matching: for a message to it, which patterns match too.
func (h *hub) tally(key TopicKey, matching bool) (sum Tally) {
	server, t := ChannelServer(h.env, key.kind, []byte(key.Name)), h.topics[key]
	switch {
	case t == nil:
	case matching && key.kind == ShardChannel && !slices.Contains(t.at, server): // no other node passes it on
	case matching:
		h.reached(&sum, t, server)
	default: // NUMSUB asks all servers
		sum = Tally{ours: len(t.at) - t.lost + h.stillAt(key), clients: len(t.subs)}
	}
	if !matching {
		return sum
	}
	if h.partsFrom(key, server) && (t == nil || !slices.Contains(t.at, server)) {
		sum.ours++ // it is still subscribed there, for what is on its way
	}
	if key.kind == Channel {
		for name, t := range h.patterns {
			if Match(name, key.Name) {
				h.reached(&sum, t, server)
			}
		}
	}
	return sum
}

// reached counts the topic for a message that is published at server.
func (h *hub) reached(sum *Tally, t *topic, server int) {
	if slices.Contains(t.at, server) && !h.misses(t, server) { // else another node of a cluster passes it on
		sum.ours++
	}
	if !h.misses(t, t.source(server)) {
		sum.clients += len(t.subs)
	}
}

func (t *Tally) add(o Tally) { t.ours, t.clients = t.ours+o.ours, t.clients+o.clients }

func (t Tally) Correct(n int64) int64 { return max(0, n-int64(t.ours)+int64(t.clients)) }

// Tallies counts the parts of all loops for several channels, and gives the sums to done, which is for client.
func Tallies(e *session.Env, client *session.Session, keys []TopicKey, matching bool, done func([]Tally)) {
	e.AskLoopsSlowly(client, func(e *session.Env, answer func(any)) {
		e.Start(&tallying{keys: keys, matching: matching, sums: make([]Tally, 0, len(keys)), answer: answer})
	}, func(answers []any) {
		sums := answers[0].([]Tally)
		for _, a := range answers[1:] {
			for i, t := range a.([]Tally) {
				sums[i].add(t)
			}
		}
		done(sums)
	})
}

// tallying is a loop's part of it, a job.
type tallying struct {
	session.Impersonal
	keys     []TopicKey
	matching bool
	sums     []Tally
	answer   func(any)
}

func (t *tallying) Piece(e *session.Env) (done bool) {
	for p := e.APiece(); len(t.sums) < len(t.keys); {
		if p.Over(e) {
			return false
		}
		t.sums = append(t.sums, hubOf(e).tally(t.keys[len(t.sums)], t.matching))
		e.Spend(session.MatchWork)
		if t.matching {
			e.Spend(globWork * len(hubOf(e).patterns))
		}
	}
	t.answer(t.sums)
	return true
}

func (t *tallying) GiveUp() { t.answer(nil) }

// globWork is what it costs to compare a channel with a pattern, units.
const globWork = 64

// AnyTopics reports whether a client of any loop subscribes to something.
func AnyTopics(e *session.Env) bool {
	if e.Peers == nil {
		return len(hubOf(e).topics) > 0
	}
	return e.Peers.AnyTopics()
}

// publish sends a message to the shard of its channel and corrects the count of those who got it.
func publish(s *session.Session, spec *command.Spec, req *parser.Request) {
	unheard := !AnyTopics(s.Door.Env) && !anyJoining(s.Door.Env)
	if unheard && (spec.ID == command.IDSpublish || !s.Door.Map.Slotted()) {
		s.Pass(ChannelServer(s.Door.Env, ShardChannel, req.Args[1]), spec, req)
		return
	}
	if unheard {
		publishNow(s, TopicKey{}, ChannelServer(s.Door.Env, Channel, req.Args[1]), req.Raw)
		return
	}
	key := PublishedTo(spec, req)
	server := ChannelServer(s.Door.Env, key.kind, req.Args[1])
	if anyJoining(s.Door.Env) && !s.Door.Replaying {
		s.Begin(&overtaken{raw: bytes.Clone(req.Raw), key: key})
		return
	}
	publishNow(s, key, server, req.Raw)
}

// PublishedTo is what a PUBLISH or SPUBLISH is for.
func PublishedTo(spec *command.Spec, req *parser.Request) TopicKey {
	if spec.ID == command.IDSpublish {
		return TopicKey{ShardChannel, string(req.Args[1])}
	}
	return TopicKey{Channel, string(req.Args[1])}
}

// anyJoining reports whether a client of any loop is about to subscribe to something.
func anyJoining(e *session.Env) bool {
	if e.Peers == nil {
		return hubOf(e).joining > 0
	}
	return e.Peers.AnyJoining()
}

// overtaken is a PUBLISH that came behind a SUBSCRIBE, of whichever client, that is still on its way to the
// server over another connection. On Redis the subscriber would get the message.
type overtaken struct {
	session.Passage
	raw   []byte
	key   TopicKey
	asked int
	free  bool // no other loop expects the message
	// version is of the map by which they were asked.
	version uint16
}

func (o *overtaken) Step(s *session.Session, came session.Wait) {
	server := ChannelServer(s.Door.Env, o.key.kind, []byte(o.key.Name))
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
		r.waiters = append(r.waiters, o)
		return
	}
	if s.Door.Peers != nil && (!o.free || o.version != s.Door.Version && o.asked < session.MaxAsked) {
		o.ask(s.Door.Version)
		return
	}
	o.End()
	publishNow(s, o.key, server, o.raw)
}

// Settled is waiter.
func (o *overtaken) Settled(*round) { o.Resume(session.Others) }

// ask asks the loops by a version of the map, again and again until none expects the message.
func (o *overtaken) ask(version uint16) {
	o.version = version
	o.asked++
	o.AskLoops(func(e *session.Env) any { return hubOf(e).expects(o.key) != nil }, func(answers []any) {
		o.free = !slices.Contains(answers, any(true)) || o.asked >= session.MaxAsked
	})
}

// publishNow sends a PUBLISH.
func publishNow(s *session.Session, key TopicKey, server int, raw []byte) {
	var recv pool.Receiver = s
	tag := s.Expect(len(raw))
	at := tag
	if AnyTopics(s.Door.Env) {
		recv, at = &published{s: s, tag: tag, key: key}, 0
	}
	conn := s.Conn(server)
	var f *pool.Failure
	if key.kind == Channel && s.Door.Map.Slotted() && !s.Door.WaitsAt(conn) {
		f = conn.Enqueue(&pool.Request{Raw: raw, Recv: recv, Tag: at, Manner: pool.Here}) // messages of two nodes have no order
	} else {
		f = conn.Enqueue(&pool.Request{Raw: raw, Recv: recv, Tag: at, Keys: keysOfTopic(s.Door.Env, key), Manner: s.Door.Manner(conn)})
	}
	if f != nil {
		s.Fail(tag, f)
	}
}

// keysOfTopic is keysIn for a message. Others than those of shard channels have no order.
func keysOfTopic(e *session.Env, key TopicKey) pool.Keys {
	if key.kind != ShardChannel || !e.Pool.Resends() {
		return 0
	}
	return pool.KeysIn(session.SlotOf([]byte(key.Name), e.Map), false)
}

// published receives the reply to PUBLISH.
type published struct {
	s   *session.Session
	tag uint64
	key TopicKey
}

// Reply is pool.Receiver.
func (p *published) Reply(_ uint64, b []byte, piece pool.Piece) {
	n, ok := parser.Integer(b)
	env := p.s.Door
	if !ok || piece != pool.Whole || n == 0 && !env.Map.Slotted() { // in a cluster our subscription may be at another node
		p.s.Reply(p.tag, b, piece)
		return
	}
	Tallies(env.Env, p.s, []TopicKey{p.key}, true, func(sums []Tally) {
		env.Scratch = parser.AppendInt(env.Scratch[:0], sums[0].Correct(n))
		p.s.Reply(p.tag, env.Scratch, pool.Whole)
	})
}

// Client is pool.Receiver.
func (p *published) Client() pool.Client { return p.s }

// Place is pool.Receiver.
func (p *published) Place(uint64) uint64 { return p.tag }

// Fail is pool.Receiver.
func (p *published) Fail(_ uint64, f *pool.Failure) { p.s.Fail(p.tag, f) }

// pubSubState answers PUBSUB CHANNELS, NUMPAT, NUMSUB and their like.
func pubSubState(s *session.Session, spec *command.Spec, req *parser.Request) {
	switch spec.ID {
	case command.IDPubsubNumsub, command.IDPubsubShardnumsub:
		numSub(s, spec, req)
		return
	}
	if s.Door.Single() {
		s.Pass(s.Door.Home(), spec, req)
		return
	}
	g := gather.New(s, spec, len(req.Raw))
	g.Merge = command.MergeConcat
	g.Delay()
	for _, i := range s.Door.Map.Shards() {
		g.Ask(i, req.Raw)
	}
	if spec.ID == command.IDPubsubNumpat {
		g.Merge = command.MergeSpecial
		collectPatterns(g)
	}
	g.Start()
}

// collectPatterns notes where the patterns of all loops are subscribed, before which the gather does not end.
func collectPatterns(g *gather.Gather) {
	g.Delay()
	g.Env.AskLoopsFor(g.Session, func(e *session.Env) any {
		at := map[string][]int{}
		for name, t := range hubOf(e).patterns {
			if len(t.subs) > 0 && t.lost == 0 { // else it counts where a server knows it
				at[name] = t.at
			}
		}
		return at
	}, func(answers []any) {
		g.Patterns = map[string][]int{}
		for _, at := range answers {
			maps.Copy(g.Patterns, at.(map[string][]int))
		}
		g.Start()
	})
}
