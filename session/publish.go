package session

import (
	"bytes"
	"maps"
	"slices"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
)

// tally is what a server's count of subscribers must be corrected by: it counts one connection of each loop
// where there are any number of clients.
type tally struct{ ours, clients int }

// tally counts this loop's part for a channel; matching: for a message to it, which patterns match too.
func (h *hub) tally(key topicKey, matching bool) (sum tally) {
	server, t := h.env.channelServer(key.kind, []byte(key.name)), h.topics[key]
	switch {
	case t == nil:
	case matching && key.kind == shardChannel && !slices.Contains(t.at, server): // no other node passes it on
	case matching:
		h.reached(&sum, t, server)
	default: // NUMSUB asks all servers
		sum = tally{ours: len(t.at) - t.lost + h.stillAt(key), clients: len(t.subs)}
	}
	if !matching {
		return sum
	}
	if h.partsFrom(key, server) && (t == nil || !slices.Contains(t.at, server)) {
		sum.ours++ // it is still subscribed there, for what is on its way
	}
	if key.kind == channel {
		for name, t := range h.patterns {
			if glob(name, key.name) {
				h.reached(&sum, t, server)
			}
		}
	}
	return sum
}

// reached counts the topic for a message that is published at server.
func (h *hub) reached(sum *tally, t *topic, server int) {
	if slices.Contains(t.at, server) && !h.misses(t, server) { // else another node of a cluster passes it on
		sum.ours++
	}
	if !h.misses(t, t.source(server)) {
		sum.clients += len(t.subs)
	}
}

func (t *tally) add(o tally) { t.ours, t.clients = t.ours+o.ours, t.clients+o.clients }

func (t tally) correct(n int64) int64 { return max(0, n-int64(t.ours)+int64(t.clients)) }

// tallies counts the parts of all loops for several channels, and gives the sums to done, which is for client.
func (e *Env) tallies(client *Session, keys []topicKey, matching bool, done func([]tally)) {
	e.askLoopsSlowly(client, func(e *Env, answer func(any)) {
		e.start(&tallying{keys: keys, matching: matching, sums: make([]tally, 0, len(keys)), answer: answer})
	}, func(answers []any) {
		sums := answers[0].([]tally)
		for _, a := range answers[1:] {
			for i, t := range a.([]tally) {
				sums[i].add(t)
			}
		}
		done(sums)
	})
}

// tallying is a loop's part of it, a job.
type tallying struct {
	keys     []topicKey
	matching bool
	sums     []tally
	answer   func(any)
}

func (t *tallying) piece(e *Env) (done bool) {
	for p := e.aPiece(); len(t.sums) < len(t.keys); {
		if p.over(e) {
			return false
		}
		t.sums = append(t.sums, hubOf(e).tally(t.keys[len(t.sums)], t.matching))
		e.spend(matchWork)
		if t.matching {
			e.spend(globWork * len(hubOf(e).patterns))
		}
	}
	t.answer(t.sums)
	return true
}

func (t *tallying) giveUp() { t.answer(nil) }

// globWork is what it costs to compare a channel with a pattern, units.
const globWork = 64

// anyTopics reports whether a client of any loop subscribes to something.
func (e *Env) anyTopics() bool {
	if e.Peers == nil {
		return len(hubOf(e).topics) > 0
	}
	return e.Peers.AnyTopics()
}

// publish sends a message to the shard of its channel and corrects the count of those who got it.
func (s *Session) publish(spec *command.Spec, req *parser.Request) {
	unheard := !s.env.anyTopics() && !s.env.anyJoining()
	if unheard && (spec.ID == command.IDSpublish || !s.env.Map.Slotted()) {
		s.pass(s.env.channelServer(shardChannel, req.Args[1]), spec, req)
		return
	}
	if unheard {
		s.publishNow(topicKey{}, s.env.channelServer(channel, req.Args[1]), req.Raw)
		return
	}
	key := publishedTo(spec, req)
	server := s.env.channelServer(key.kind, req.Args[1])
	if s.env.anyJoining() && !s.env.replaying {
		s.begin(&overtaken{raw: bytes.Clone(req.Raw), key: key})
		return
	}
	s.publishNow(key, server, req.Raw)
}

// publishedTo is what a PUBLISH or SPUBLISH is for.
func publishedTo(spec *command.Spec, req *parser.Request) topicKey {
	if spec.ID == command.IDSpublish {
		return topicKey{shardChannel, string(req.Args[1])}
	}
	return topicKey{channel, string(req.Args[1])}
}

// anyJoining reports whether a client of any loop is about to subscribe to something.
func (e *Env) anyJoining() bool {
	if e.Peers == nil {
		return hubOf(e).joining > 0
	}
	return e.Peers.AnyJoining()
}

// overtaken is a PUBLISH that came behind a SUBSCRIBE, of whichever client, that is still on its way to the
// server over another connection. On Redis the subscriber would get the message.
type overtaken struct {
	raw   []byte
	key   topicKey
	s     *Session // nil: cancelled
	asked int
	waits bool // for a round, or for the other loops' answers
	free  bool // no other loop expects the message
	// version is of the map by which they were asked.
	version uint16
}

func (o *overtaken) step(s *Session) {
	if s.Owed() > 0 || o.waits {
		return
	}
	if o.s == nil {
		s.env.deadline(s, o)
	}
	o.s = s
	if r := hubOf(s.env.Env).expects(o.key); r != nil {
		o.waits = true
		r.waiters = append(r.waiters, o)
		return
	}
	if s.env.Peers != nil && (!o.free || o.version != s.env.version && o.asked < maxAsked) {
		o.ask(s.env.Env)
		return
	}
	s.endPassage()
	o.s = nil
	s.publishNow(o.key, s.env.channelServer(o.key.kind, []byte(o.key.name)), o.raw)
}

// settled is waiter.
func (o *overtaken) settled(*round) {
	if o.waits = false; o.s != nil {
		o.s.resumeLater()
	}
}

// ask asks the other loops, again and again until none expects the message.
func (o *overtaken) ask(env *Env) {
	o.waits, o.version = true, env.version
	o.asked++
	env.askOthers(o.s, func(e *Env) any { return hubOf(e).expects(o.key) != nil }, func(answers []any) {
		o.free = !slices.Contains(answers, any(true)) || o.asked >= maxAsked
		o.settled(nil)
	})
}

// timeOut is timed.
func (o *overtaken) timeOut(s *Session) {
	s.endPassage()
	o.s = nil
	s.env.Stats.Timeouts++
	s.failed(len(o.raw), s.env.Pool.TimedOut(s.env.channelServer(o.key.kind, []byte(o.key.name)), false))
}

func (o *overtaken) cancel(s *Session) (unanswered bool) {
	s.endPassage()
	o.s = nil
	return true
}

// publishNow sends a PUBLISH.
func (s *Session) publishNow(key topicKey, server int, raw []byte) {
	var recv pool.Receiver = s
	tag := s.expect(len(raw))
	at := tag
	if s.env.anyTopics() {
		recv, at = &published{s: s, tag: tag, key: key}, 0
	}
	conn := s.conn(server)
	var f *pool.Failure
	if key.kind == channel && s.env.Map.Slotted() && !s.waitsAt(conn) {
		f = conn.Enqueue(&pool.Request{Raw: raw, Recv: recv, Tag: at, Manner: pool.Here}) // messages of two nodes have no order
	} else {
		f = conn.Enqueue(&pool.Request{Raw: raw, Recv: recv, Tag: at, Keys: s.env.keysOfTopic(key), Manner: s.manner(conn)})
	}
	if f != nil {
		s.Fail(tag, f)
	}
}

// keysOfTopic is keysIn for a message. Others than those of shard channels have no order.
func (e *Env) keysOfTopic(key topicKey) pool.Keys {
	if key.kind != shardChannel || !e.Pool.Resends() {
		return 0
	}
	return pool.KeysIn(slotOf([]byte(key.name), e.Map), false)
}

// published receives the reply to PUBLISH.
type published struct {
	s   *Session
	tag uint64
	key topicKey
}

// Reply is pool.Receiver.
func (p *published) Reply(_ uint64, b []byte, piece pool.Piece) {
	n, ok := parser.Integer(b)
	env := p.s.env
	if !ok || piece != pool.Whole || n == 0 && !env.Map.Slotted() { // in a cluster our subscription may be at another node
		p.s.Reply(p.tag, b, piece)
		return
	}
	env.tallies(p.s, []topicKey{p.key}, true, func(sums []tally) {
		env.scratch = parser.AppendInt(env.scratch[:0], sums[0].correct(n))
		p.s.Reply(p.tag, env.scratch, pool.Whole)
	})
}

// Client is pool.Receiver.
func (p *published) Client() pool.Client { return p.s }

// Place is pool.Receiver.
func (p *published) Place(uint64) uint64 { return p.tag }

// Fail is pool.Receiver.
func (p *published) Fail(_ uint64, f *pool.Failure) { p.s.Fail(p.tag, f) }

// pubSubState answers PUBSUB CHANNELS, NUMPAT, NUMSUB and their like.
func (s *Session) pubSubState(spec *command.Spec, req *parser.Request) {
	switch spec.ID {
	case command.IDPubsubNumsub, command.IDPubsubShardnumsub:
		s.numSub(spec, req)
		return
	}
	if s.env.single() {
		s.pass(s.env.home(), spec, req)
		return
	}
	g := s.gather(spec, len(req.Raw))
	g.merge = command.MergeConcat
	g.hold()
	for _, i := range s.env.Map.Shards() {
		g.ask(i, req.Raw)
	}
	if spec.ID == command.IDPubsubNumpat {
		g.merge = command.MergeSpecial
		g.collectPatterns()
	}
	g.release()
}

// collectPatterns notes where the patterns of all loops are subscribed, before which the gather does not end.
func (g *gather) collectPatterns() {
	g.hold()
	g.env.askLoopsFor(g.s, func(e *Env) any {
		at := map[string][]int{}
		for name, t := range hubOf(e).patterns {
			if len(t.subs) > 0 && t.lost == 0 { // else it counts where a server knows it
				at[name] = t.at
			}
		}
		return at
	}, func(answers []any) {
		g.patterns = map[string][]int{}
		for _, at := range answers {
			maps.Copy(g.patterns, at.(map[string][]int))
		}
		g.release()
	})
}
