package session

import (
	"ringmaster/command"
	"ringmaster/parser"
)

// subscriptions are one client's.
type subscriptions struct {
	topics [kinds]map[string]*topic
}

func (u *subscriptions) count(k kind) int {
	if k == shardChannel {
		return len(u.topics[shardChannel])
	}
	return len(u.topics[channel]) + len(u.topics[pattern])
}

// limited reports whether the client may only say what a subscriber of RESP2 may.
func (s *Session) limited() bool { return s.subs != nil && s.proto == 2 }

// subscribing is SUBSCRIBE or UNSUBSCRIBE under way. It is a passage, for no message may come before the
// confirmation, and no reply to what was asked before it after a message. It waits for the servers'
// confirmations, so that whoever hears of it and publishes is counted right.
type subscribing struct {
	s     *Session // nil: cancelled
	spec  *command.Spec
	kind  kind
	on    bool
	all   bool // UNSUBSCRIBE without names
	names []string
	held  []*topic // by name, for on
	asked bool
	since int64 // when it was refused first, ns
	left  int
	// refusal is the error that ends it; nil: none
	refusal []byte
	// elsewhere: a server was asked that is gone.
	elsewhere bool
}

// pubSub carries out the commands of pub/sub.
func (s *Session) pubSub(spec *command.Spec, req *parser.Request) {
	for k := range kinds {
		on := spec.Name == words[k].on
		if !on && spec.Name != words[k].off {
			continue
		}
		p := &subscribing{s: s, spec: spec, kind: k, on: on, all: len(req.Args) == 1}
		for _, a := range req.Args[1:] {
			p.names = append(p.names, string(a))
		}
		s.env.Stats.Call(spec.ID, 0)
		if s.mute == skipNext {
			s.mute = heard // its confirmations are pushes, which are never hidden
		}
		s.begin(p)
		return
	}
	switch spec.Name {
	case "publish", "spublish":
		s.publish(spec, req)
	default:
		s.pubSubState(spec, req)
	}
}

func (p *subscribing) step(s *Session) {
	if !p.asked {
		if s.Owed() > 0 {
			return
		}
		p.asked = true
		s.env.deadline(s, p)
		if p.on {
			p.ask(s)
		} else {
			p.askOff(s)
		}
	}
	if p.left > 0 || p.s == nil {
		return
	}
	if p.on && p.again(s) {
		return
	}
	s.endPassage()
	p.s = nil
	if p.on {
		p.confirm(s)
	} else {
		p.confirmOff(s)
	}
}

// ask holds on to each topic and waits for those that no server has confirmed.
func (p *subscribing) ask(s *Session) {
	for _, name := range p.names {
		t, fresh, f := s.env.hub.acquire(topicKey{p.kind, name})
		if f != nil {
			p.refusal = appendFailure(nil, f, s.env)
			return
		}
		p.held = append(p.held, t)
		p.await(t)
		if !fresh {
			s.env.hub.barrier(t, p) // what was published before is not for this client
		}
	}
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
		p.s.env.hub.eachAgain(t, p.awaitRound)
	}
}

func (p *subscribing) awaitRound(r *round) {
	p.left++
	r.waiters = append(r.waiters, p)
}

// settled tells that a round is over, or (nil) that a barrier is passed.
func (p *subscribing) settled(r *round) {
	p.left--
	if r != nil && r.refusal != nil && p.on {
		p.refusal = r.refusal
		p.elsewhere = p.elsewhere || r.gone
	}
	if p.s != nil && p.left == 0 {
		p.s.resumeLater()
	}
}

// confirm enters the client's subscriptions, or gives up what was held for them.
func (p *subscribing) confirm(s *Session) {
	for _, t := range p.held {
		if (t.dead || t.lost > 0) && p.refusal == nil {
			p.refusal = []byte("-" + errSubscriptionLost + "\r\n")
		}
	}
	if p.refusal != nil {
		p.letGo(s)
		s.env.Stats.Error(p.spec.ID, p.refusal)
		s.answer(p.refusal)
		return
	}
	if s.subs == nil {
		s.subs = &subscriptions{}
	}
	out := s.output()
	for i, t := range p.held {
		mine := &s.subs.topics[p.kind]
		if *mine == nil {
			*mine = map[string]*topic{}
		}
		if (*mine)[t.key.name] != nil {
			s.env.hub.release(t) // it has it already
		} else {
			(*mine)[t.key.name] = t
			t.subs = append(t.subs, s)
		}
		out.B = appendSubscribed(out.B, s.proto, words[p.kind].on, &p.names[i], s.subs.count(p.kind))
	}
	p.held = nil
}

// timeOut is timed. What servers confirm later is undone: nobody holds on to it. A client that unsubscribes gets no more messages
// from now on, whatever the server knows.
func (p *subscribing) timeOut(s *Session) {
	if !p.asked || p.left == 0 {
		return // the next step ends it
	}
	s.endPassage()
	p.s = nil
	if !p.on {
		p.confirmOff(s)
		return
	}
	s.env.Stats.Timeouts++
	server := s.env.channelServer(p.kind, []byte(p.names[0]))
	if p.since > 0 { // a node has refused it meanwhile
		p.refusal = appendFailure(nil, s.env.Pool.Moved(server), s.env)
	} else {
		p.refusal = parser.AppendError(nil, notSubscribed(s.env, server))
	}
	p.confirm(s)
}

func (p *subscribing) letGo(s *Session) {
	for _, t := range p.held {
		s.env.hub.release(t)
	}
	p.held = nil
}

// askOff unsubscribes from the topics that nobody else uses. The client gets what is published until then.
func (p *subscribing) askOff(s *Session) {
	if s.subs == nil {
		return
	}
	mine, hub := s.subs.topics[p.kind], s.env.hub
	if p.all {
		for name := range mine {
			p.names = append(p.names, name)
		}
	}
	for _, name := range p.names {
		if p.s == nil {
			return // an unsubscription that could not be sent has closed the session
		}
		switch t := mine[name]; {
		case t == nil || t.dead:
		case t.users == 1 && t.round.on:
			hub.ask(t, false)
			p.await(t)
		default:
			hub.barrier(t, p)
		}
	}
}

// confirmOff takes the client off the topics.
func (p *subscribing) confirmOff(s *Session) {
	out, verb := s.output(), words[p.kind].off
	if p.all && len(p.names) == 0 {
		out.B = appendSubscribed(out.B, s.proto, verb, nil, s.subscriptionCount(p.kind))
	}
	for i, name := range p.names {
		if s.subs != nil {
			if t := s.subs.topics[p.kind][name]; t != nil {
				delete(s.subs.topics[p.kind], name)
				t.remove(s)
				s.env.hub.release(t)
			}
		}
		out.B = appendSubscribed(out.B, s.proto, verb, &p.names[i], s.subscriptionCount(p.kind))
	}
	if s.subs != nil && s.subs.count(channel)+s.subs.count(shardChannel) == 0 {
		s.subs = nil
	}
}

func (s *Session) subscriptionCount(k kind) int {
	if s.subs == nil {
		return 0
	}
	return s.subs.count(k)
}

func (p *subscribing) cancel(s *Session) (unanswered bool) {
	s.endPassage()
	p.s = nil
	p.letGo(s)
	return true
}

// unsubscribeAll ends the subscriptions of a client that goes or resets its connection.
func (s *Session) unsubscribeAll() {
	if s.subs == nil {
		return
	}
	subs := s.subs
	s.subs = nil
	for k := range kinds {
		for _, t := range subs.topics[k] {
			t.remove(s)
			s.env.hub.release(t)
		}
	}
}
