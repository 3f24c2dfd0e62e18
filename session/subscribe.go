package session

import (
	"maps"
	"slices"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/shard"
	"ringmaster/stats"
)

// subscriptions are one client's.
type subscriptions struct {
	kept
	topics [kinds]map[string]*topic
}

func (u *subscriptions) count(k kind) int {
	if k == shardChannel {
		return len(u.topics[shardChannel])
	}
	return len(u.topics[channel]) + len(u.topics[pattern])
}

// subsOf is what a client subscribes to; nil: nothing.
func subsOf(s *Session) *subscriptions {
	if s.subs == nil {
		return nil
	}
	return s.subs.of.(*subscriptions)
}

// pubsubFeature is what the core calls.
var pubsubFeature = Feature{
	Opened: func(e *Env) { e.hub = newHub(e, e.Map.Len()) },
	Tick:   func(e *Env) { hubOf(e).tick() },
	Follow: func(e *Env, old *shard.Map) { hubOf(e).follow(old) },
	Closed: (*Session).unsubscribeAll,
}

// limited reports whether the client may only say what a subscriber of RESP2 may.
func (s *Session) limited() bool { return s.subs != nil && s.proto == 2 }

// subscribing is SUBSCRIBE or UNSUBSCRIBE under way. It is a passage, for no message may come before the
// confirmation, and no reply to what was asked before it after a message. It waits for the servers'
// confirmations, so that whoever hears of it and publishes is counted right.
type subscribing struct {
	s     *Session // nil: cancelled
	kind  kind
	on    bool
	all   bool // UNSUBSCRIBE without names
	names []string
	held  []*topic // by name, for on
	next  int      // of names, the one that is asked for or confirmed next
	later bool     // it goes on when the loop has heard its sockets
	asked bool
	late  bool  // it waits for no server any more
	told  bool  // the client is being told
	since int64 // when it was refused first, ns
	left  int
	// refusal is the error that ends it; nil: none
	refusal []byte
	// elsewhere: a server was asked that is gone.
	elsewhere bool
	// then is called instead of telling the client; late: it has waited for the timeout. nil: this is a command of its own.
	then    func(s *Session, late bool)
	barrier bool // all that it does is to wait for what was published up to now
}

// newSubscribing is SUBSCRIBE, UNSUBSCRIBE or their like; nil: spec is none of them.
func newSubscribing(s *Session, spec *command.Spec, args [][]byte) *subscribing {
	for k := range kinds {
		on := spec.Name == words[k].on
		if !on && spec.Name != words[k].off {
			continue
		}
		p := &subscribing{s: s, kind: k, on: on, all: len(args) == 1}
		for _, a := range args[1:] {
			p.names = append(p.names, string(a))
		}
		return p
	}
	return nil
}

// nameAll adds the names of all that the client subscribes to.
func (p *subscribing) nameAll() {
	if u := subsOf(p.s); u != nil {
		p.names = slices.AppendSeq(p.names, maps.Keys(u.topics[p.kind]))
	}
}

// pubSub carries out the commands of pub/sub.
func (s *Session) pubSub(spec *command.Spec, req *parser.Request) {
	if p := newSubscribing(s, spec, req.Args); p != nil {
		if s.replyMode == replySkip {
			s.replyMode = replyOn // its confirmations are pushes, which are never hidden
		}
		s.begin(p)
		return
	}
	switch spec.ID {
	case command.IDPublish, command.IDSpublish:
		s.publish(spec, req)
	default:
		s.pubSubState(spec, req)
	}
}

func (p *subscribing) step(s *Session) {
	if p.later || !p.asked && s.Owed() > 0 {
		return
	}
	if !p.asked && !p.late {
		if !p.ask(s) {
			p.goOnLater(s.env.Env)
			return
		}
		p.asked = true
		if p.since == 0 {
			s.env.deadline(s, p)
		}
	}
	if p.left > 0 && !p.late || p.s == nil {
		return
	}
	if p.on && !p.told && (p.again(s) || p.follows()) {
		return
	}
	if p.then == nil && !p.tell(s) {
		p.goOnLater(s.env.Env)
		return
	}
	s.endPassage()
	p.s = nil
	if p.then != nil {
		p.then(s, p.late)
	}
}

// goOnLater goes on when the loop has heard its sockets: there are many names.
func (p *subscribing) goOnLater(e *Env) {
	p.later = true
	e.queue(p)
}

// piece is job.
func (p *subscribing) piece(e *Env) (done bool) {
	p.later = false
	switch {
	case p.s == nil:
	case p.s.lags():
		p.later = true
		p.s.wakeLater(p, p.s.head)
	default:
		p.s.goOn()
	}
	return true
}

// What it costs to subscribe to a name or to leave it, which the server is asked for, and to tell the client, units.
const (
	askWork  = 6 << 10
	tellWork = 1 << 10
)

// ask asks the servers what must be asked; false: there are more names.
func (p *subscribing) ask(s *Session) (done bool) {
	switch {
	case p.barrier:
		hubOf(s.env.Env).barrierToAll(p)
		return true
	case p.on:
		return p.askOn(s)
	}
	return p.askOff(s)
}

// askOn holds on to each topic and waits for those that no server has confirmed.
func (p *subscribing) askOn(s *Session) (done bool) {
	for part := s.env.aPiece(); p.next < len(p.names); p.next++ {
		if part.over(s.env.Env) {
			return false
		}
		s.env.spend(askWork)
		t, fresh, f := hubOf(s.env.Env).acquire(topicKey{p.kind, p.names[p.next]})
		if f != nil {
			p.refusal = appendFailure(nil, f, s.env.Env)
			break
		}
		p.held = append(p.held, t)
		p.await(t)
		if !fresh {
			hubOf(s.env.Env).barrier(t, p) // what was published before is not for this client
		}
	}
	p.next = 0
	return true
}

// await waits for the topic's round, if it is under way.
func (p *subscribing) await(t *topic) {
	switch r := t.round; {
	case t.dead: // the unsubscription could not be sent
	case r.left > 0:
		p.awaitRound(r)
	case r.refusal != nil && p.on:
		p.refusal = r.refusal
	case p.on:
		hubOf(p.s.env.Env).eachAgain(t, p.awaitRound)
	}
}

func (p *subscribing) awaitRound(r *round) {
	p.left++
	r.waiters = append(r.waiters, p)
}

// follows has it wait where topics have moved to since they were confirmed; false: they have not.
func (p *subscribing) follows() bool {
	if p.late || p.refusal != nil {
		return false
	}
	for _, t := range p.held {
		if !t.dead && t.lost == len(t.at) {
			hubOf(p.s.env.Env).eachAgain(t, p.awaitRound)
		}
	}
	return p.left > 0
}

// settled tells that a round is over, or (nil) that a barrier is passed.
func (p *subscribing) settled(r *round) {
	if p.left--; p.late {
		return
	}
	if r != nil && r.refusal != nil && p.on {
		p.refusal = r.refusal
		p.elsewhere = p.elsewhere || r.gone
	}
	if p.s != nil && p.left == 0 && !p.later {
		p.s.resumeLater()
	}
}

// tell has the client know; false: there are more names. What is published meanwhile comes behind a subscription's confirmations.
func (p *subscribing) tell(s *Session) (done bool) {
	if !p.told {
		p.told = true
		if p.on && p.refused() {
			p.letGo(s)
			s.answer(p.refusal)
			return true
		}
	}
	if p.on {
		done = p.confirm(s)
	} else {
		done = p.confirmOff(s)
	}
	if s.partial = p.on && !done; !done || s.state == closed {
		return done
	}
	s.endsUnanswered()
	if s.pushes != nil {
		s.letPushesOut()
	}
	return true
}

// refused reports whether the subscription has failed.
func (p *subscribing) refused() bool {
	if p.refusal == nil && slices.ContainsFunc(p.held, func(t *topic) bool { return t.dead || t.lost == len(t.at) }) {
		p.refusal = []byte("-" + errSubscriptionLost + "\r\n")
	}
	return p.refusal != nil
}

// confirm enters the client's subscriptions and tells it.
func (p *subscribing) confirm(s *Session) (done bool) {
	out := s.output()
	out.B, done = p.appendOn(out.B, s, s.env.aPiece())
	return done
}

func (p *subscribing) appendOn(b []byte, s *Session, part pieces) (reply []byte, done bool) {
	subs := subsOf(s)
	if subs == nil {
		subs = &subscriptions{}
		subs.of, s.subs = subs, &subs.kept
	}
	mine := &subs.topics[p.kind]
	if *mine == nil {
		*mine = map[string]*topic{}
	}
	for ; len(p.held) > 0; p.next++ {
		if part.over(s.env.Env) {
			return b, false
		}
		s.env.spend(tellWork)
		t := p.held[0]
		p.held = p.held[1:]
		switch {
		case t.dead: // since the first names were confirmed
			hubOf(s.env.Env).release(t)
			s.close(stats.SubscriptionLost)
			return b, true
		case (*mine)[t.key.name] != nil:
			hubOf(s.env.Env).release(t) // it has it already
		default:
			(*mine)[t.key.name] = t
			t.subs = append(t.subs, s)
		}
		b = appendSubscribed(b, s.proto, words[p.kind].on, &p.names[p.next], subs.count(p.kind))
	}
	return b, true
}

// timeOut is timed: the next step ends it. What servers confirm later is undone: nobody holds on to it. A client that unsubscribes
// gets no more messages from now on, whatever the server knows, and a transaction in which it does begins.
func (p *subscribing) timeOut(s *Session) {
	if p.told {
		return
	}
	p.late = true
	if !p.on || p.asked && p.left == 0 {
		return
	}
	s.env.Stats.Timeouts++
	p.refusal = p.timedOut(s.env.Env)
}

// timedOut is the error of a subscription that has waited too long.
func (p *subscribing) timedOut(e *Env) []byte {
	server := e.channelServer(p.kind, []byte(p.names[0]))
	if p.since > 0 { // a node has refused it meanwhile
		return appendFailure(nil, e.Pool.Moved(server), e)
	}
	return parser.AppendError(nil, notSubscribed(millis(e.Pool.Timeout()), e.Map.Server(server).Name))
}

func (p *subscribing) letGo(s *Session) {
	if len(p.held) > 0 {
		s.env.start(&releasing{topics: p.held})
	}
	p.held = nil
}

// releasing lets go of topics, a job.
type releasing struct {
	topics []*topic
	s      *Session // that has closed, and is on their lists; nil: none is
}

func (r *releasing) piece(e *Env) (done bool) {
	for part := e.aPiece(); len(r.topics) > 0 && !part.over(e); r.topics = r.topics[1:] {
		e.spend(askWork)
		if r.s != nil {
			r.topics[0].remove(r.s)
		}
		hubOf(e).release(r.topics[0])
	}
	return len(r.topics) == 0
}

// askOff unsubscribes from the topics that nobody else uses. The client gets what is published until then.
func (p *subscribing) askOff(s *Session) (done bool) {
	if s.subs == nil {
		return true
	}
	mine, hub := subsOf(s).topics[p.kind], hubOf(s.env.Env)
	if p.all && len(p.names) == 0 {
		p.nameAll()
	}
	for part := s.env.aPiece(); p.next < len(p.names); p.next++ {
		if p.s == nil {
			break // an unsubscription that could not be sent has closed the session
		}
		if part.over(s.env.Env) {
			return false
		}
		s.env.spend(askWork)
		switch t := mine[p.names[p.next]]; {
		case t == nil || t.dead:
		case t.users == 1 && t.round.on:
			hub.barrierWhereItWas(t, p)
			hub.ask(t, false)
			p.await(t)
		default:
			hub.barrierWhereItWas(t, p)
			hub.barrier(t, p)
		}
	}
	p.next = 0
	return true
}

// appendTo appends what a transaction's client is told.
func (p *subscribing) appendTo(b []byte, s *Session, part pieces) (reply []byte, done bool) {
	switch {
	case !p.on:
		return p.appendOff(b, s, part)
	case !p.told && p.refused():
		p.letGo(s)
		return append(b, p.refusal...), true
	}
	p.told = true
	return p.appendOn(b, s, part)
}

// confirmOff takes the client off the topics and tells it.
func (p *subscribing) confirmOff(s *Session) (done bool) {
	out := s.output()
	out.B, done = p.appendOff(out.B, s, s.env.aPiece())
	return done
}

func (p *subscribing) appendOff(b []byte, s *Session, part pieces) (reply []byte, done bool) {
	verb := words[p.kind].off
	if p.all && len(p.names) == 0 {
		b = appendSubscribed(b, s.proto, verb, nil, s.subscriptionCount(p.kind))
	}
	for ; p.next < len(p.names); p.next++ {
		if part.over(s.env.Env) {
			return b, false
		}
		s.env.spend(askWork)
		name := &p.names[p.next]
		if u := subsOf(s); u != nil {
			if t := u.topics[p.kind][*name]; t != nil {
				delete(u.topics[p.kind], *name)
				t.remove(s)
				hubOf(s.env.Env).release(t)
			}
		}
		b = appendSubscribed(b, s.proto, verb, name, s.subscriptionCount(p.kind))
	}
	if u := subsOf(s); u != nil && u.count(channel)+u.count(shardChannel) == 0 {
		s.subs = nil
	}
	return b, true
}

func (s *Session) subscriptionCount(k kind) int {
	if u := subsOf(s); u != nil {
		return u.count(k)
	}
	return 0
}

func (p *subscribing) cancel(s *Session) (unanswered bool) {
	s.endPassage()
	p.s = nil
	p.letGo(s)
	return true
}

// unsubscribeAll ends the subscriptions of a client that goes. Of one that has very many, some count for PUBLISH a little longer.
func (s *Session) unsubscribeAll() {
	if s.subs != nil {
		s.env.start(s.leaveAll())
	}
}

// leaveAll takes the client's subscriptions from it.
func (s *Session) leaveAll() *releasing {
	r, subs := &releasing{s: s}, subsOf(s)
	for k := range kinds {
		r.topics = slices.AppendSeq(r.topics, maps.Values(subs.topics[k]))
	}
	s.subs = nil
	return r
}

// resetting is the RESET of a client with subscriptions, a passage.
type resetting struct {
	s     *Session // nil: cancelled
	rest  *releasing
	later bool
	done  func(*Session) // resets all else
}

func (r *resetting) step(s *Session) {
	if r.later || r.rest == nil && s.Owed() > 0 {
		return
	}
	if r.rest == nil {
		r.rest = s.leaveAll()
	}
	if !r.rest.piece(s.env.Env) {
		r.later = true
		s.env.queue(r)
		return
	}
	s.endPassage()
	r.done(s)
}

// piece is job.
func (r *resetting) piece(e *Env) (done bool) {
	if r.later = false; r.s == nil {
		return r.rest.piece(e)
	}
	r.s.goOn()
	return true
}

func (r *resetting) cancel(s *Session) (unanswered bool) {
	s.endPassage()
	if r.s = nil; r.rest != nil && !r.later {
		s.env.start(r.rest)
	}
	return true
}
