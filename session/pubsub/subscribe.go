package pubsub

import (
	"maps"
	"slices"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/session/texts"
	"ringmaster/shard"
	"ringmaster/stats"
)

// subscriptions are one client's.
type subscriptions struct {
	session.Kept
	Topics [kinds]map[string]*topic
}

func (u *subscriptions) count(k kind) int {
	if k == ShardChannel {
		return len(u.Topics[ShardChannel])
	}
	return len(u.Topics[Channel]) + len(u.Topics[Pattern])
}

// SubsOf is what a client subscribes to; nil: nothing.
func SubsOf(s *session.Session) *subscriptions {
	if s.Subscriptions == nil {
		return nil
	}
	return s.Subscriptions.Of.(*subscriptions)
}

// Feature is what the core calls.
var Feature = session.Feature{
	Opened: func(e *session.Env) { e.Hub = newHub(e, e.Map.Len()) },
	Tick:   func(e *session.Env) { hubOf(e).tick() },
	Follow: func(e *session.Env, old *shard.Map) { hubOf(e).follow(old) },
	Closed: unsubscribeAll,
}

// Limited reports whether the client may only say what a subscriber of RESP2 may.
func Limited(s *session.Session) bool { return s.Subscriptions != nil && s.Protocol == 2 }

// Subscribing is SUBSCRIBE or UNSUBSCRIBE under way. It is a passage, for no message may come before the
// confirmation, and no reply to what was asked before it after a message. It waits for the servers'
// confirmations, so that whoever hears of it and publishes is counted right.
type Subscribing struct {
	session.Passage
	Kind  kind
	On    bool
	All   bool // UNSUBSCRIBE without names
	names []string
	held  []*topic // by name, for on
	next  int      // of names, the one that is asked for or confirmed next
	asked bool
	late  bool  // it waits for no server any more
	Told  bool  // the client is being told
	since int64 // when it was refused first, ns
	left  int
	// refusal is the error that ends it; nil: none
	Refusal []byte
	// elsewhere: a server was asked that is gone.
	elsewhere bool
	// then is called instead of telling the client; late: it has waited for the timeout. nil: this is a command of its own.
	Then    func(s *session.Session, late bool)
	Barrier bool // all that it does is to wait for what was published up to now
}

// NewSubscribing is SUBSCRIBE, UNSUBSCRIBE or their like; nil: spec is none of them.
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

// NameAll adds the names of all that the client subscribes to.
func (p *Subscribing) NameAll(s *session.Session) {
	if u := SubsOf(s); u != nil {
		p.names = slices.AppendSeq(p.names, maps.Keys(u.Topics[p.Kind]))
	}
}

// Handle carries out the commands of pub/sub.
func Handle(s *session.Session, spec *command.Spec, req *parser.Request) {
	if p := NewSubscribing(spec, req.Args); p != nil {
		if s.ReplyMode == session.ReplySkip {
			s.ReplyMode = session.ReplyOn // its confirmations are pushes, which are never hidden
		}
		s.Begin(p)
		return
	}
	switch spec.ID {
	case command.IDPublish, command.IDSpublish:
		publish(s, spec, req)
	default:
		pubSubState(s, spec, req)
	}
}

func (p *Subscribing) Step(s *session.Session, came session.Wait) {
	if came == session.Deadline {
		p.timeOut(s)
	}
	if !p.asked && !p.late {
		if !p.ask(s) {
			p.AwaitTurn(s, p)
			return
		}
		p.asked = true
		if p.since == 0 {
			p.Limit()
		}
	}
	switch {
	case p.Over(): // an unsubscription that could not be sent has closed the session
	case p.left > 0 && !p.late:
		p.Await(session.Servers)
	case p.On && !p.Told && p.Again(s):
		p.Await(session.Tick)
	case p.On && !p.Told && p.follows():
		p.Await(session.Servers)
	case p.Then == nil && !p.tell(s):
		p.AwaitTurn(s, p)
	default:
		p.End()
		if p.Then != nil {
			p.Then(s, p.late)
		}
	}
}

// Piece is job: while the client has much to read, its turn does not come.
func (p *Subscribing) Piece(e *session.Env) (done bool) {
	if s := p.Session(); s != nil && s.Lags() {
		s.Out.Park(p, s.Slots.Head())
		return true
	}
	return p.Passage.Piece(e)
}

// What it costs to subscribe to a name or to leave it, which the server is asked for, and to tell the client, units.
const (
	askWork  = 6 << 10
	tellWork = 1 << 10
)

// ask asks the servers what must be asked; false: there are more names.
func (p *Subscribing) ask(s *session.Session) (done bool) {
	switch {
	case p.Barrier:
		hubOf(s.Door.Env).barrierToAll(p)
		return true
	case p.On:
		return p.askOn(s)
	}
	return p.askOff(s)
}

// askOn holds on to each topic and waits for those that no server has confirmed.
func (p *Subscribing) askOn(s *session.Session) (done bool) {
	for part := s.Door.APiece(); p.next < len(p.names); p.next++ {
		if part.Over(s.Door.Env) {
			return false
		}
		s.Door.Spend(askWork)
		t, fresh, f := hubOf(s.Door.Env).acquire(TopicKey{p.Kind, p.names[p.next]})
		if f != nil {
			p.Refusal = session.AppendFailure(nil, f, s.Door.Env)
			break
		}
		p.held = append(p.held, t)
		p.await(t)
		if !fresh {
			hubOf(s.Door.Env).barrier(t, p) // what was published before is not for this client
		}
	}
	p.next = 0
	return true
}

// await waits for the topic's round, if it is under way.
func (p *Subscribing) await(t *topic) {
	switch r := t.round; {
	case t.dead: // the unsubscription could not be sent
	case r.left > 0:
		p.awaitRound(r)
	case r.refusal != nil && p.On:
		p.Refusal = r.refusal
	case p.On:
		hubOf(p.Session().Door.Env).eachAgain(t, p.awaitRound)
	}
}

func (p *Subscribing) awaitRound(r *round) {
	p.left++
	r.waiters = append(r.waiters, p)
}

// follows has it wait where topics have moved to since they were confirmed; false: they have not.
func (p *Subscribing) follows() bool {
	if p.late || p.Refusal != nil {
		return false
	}
	for _, t := range p.held {
		if !t.dead && t.lost == len(t.at) {
			hubOf(p.Session().Door.Env).eachAgain(t, p.awaitRound)
		}
	}
	return p.left > 0
}

// Settled tells that a round is over, or (nil) that a barrier is passed.
func (p *Subscribing) Settled(r *round) {
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

// tell has the client know; false: there are more names. What is published meanwhile comes behind a subscription's confirmations.
func (p *Subscribing) tell(s *session.Session) (done bool) {
	if !p.Told {
		p.Told = true
		if p.On && p.refused() {
			p.LetGo(s)
			s.Answer(p.Refusal)
			return true
		}
	}
	if p.On {
		done = p.confirm(s)
	} else {
		done = p.confirmOff(s)
	}
	if s.Slots.Partial = p.On && !done; !done || s.State == session.Closed {
		return done
	}
	s.EndsUnanswered()
	s.LetPushesOut()
	return true
}

// refused reports whether the subscription has failed.
func (p *Subscribing) refused() bool {
	if p.Refusal == nil && slices.ContainsFunc(p.held, func(t *topic) bool { return t.dead || t.lost == len(t.at) }) {
		p.Refusal = []byte("-" + texts.SubscriptionLost + "\r\n")
	}
	return p.Refusal != nil
}

// confirm enters the client's subscriptions and tells it.
func (p *Subscribing) confirm(s *session.Session) (done bool) {
	out := s.Output()
	out.B, done = p.appendOn(out.B, s, s.Door.APiece())
	return done
}

func (p *Subscribing) appendOn(b []byte, s *session.Session, part session.Pieces) (reply []byte, done bool) {
	subs := SubsOf(s)
	if subs == nil {
		subs = &subscriptions{}
		subs.Of, s.Subscriptions = subs, &subs.Kept
	}
	mine := &subs.Topics[p.Kind]
	if *mine == nil {
		*mine = map[string]*topic{}
	}
	for ; len(p.held) > 0; p.next++ {
		if part.Over(s.Door.Env) {
			return b, false
		}
		s.Door.Spend(tellWork)
		t := p.held[0]
		p.held = p.held[1:]
		switch {
		case t.dead: // since the first names were confirmed
			hubOf(s.Door.Env).release(t)
			s.Close(stats.SubscriptionLost)
			return b, true
		case (*mine)[t.key.Name] != nil:
			hubOf(s.Door.Env).release(t) // it has it already
		default:
			(*mine)[t.key.Name] = t
			t.subs = append(t.subs, s)
		}
		b = appendSubscribed(b, s.Protocol, words[p.Kind].on, &p.names[p.next], subs.count(p.Kind))
	}
	return b, true
}

// timeOut ends the wait for servers. What they confirm later is undone: nobody holds on to it. A client that unsubscribes
// gets no more messages from now on, whatever the server knows, and a transaction in which it does begins.
func (p *Subscribing) timeOut(s *session.Session) {
	if p.Told {
		return
	}
	p.late = true
	if !p.On || p.asked && p.left == 0 {
		return
	}
	s.Door.Stats.Timeouts++
	p.Refusal = p.TimedOut(s.Door.Env)
}

// TimedOut is the error of a subscription that has waited too long.
func (p *Subscribing) TimedOut(e *session.Env) []byte {
	server := ChannelServer(e, p.Kind, []byte(p.names[0]))
	if p.since > 0 { // a node has refused it meanwhile
		return session.AppendFailure(nil, e.Pool.Moved(server), e)
	}
	return parser.AppendError(nil, texts.NotSubscribed(session.Millis(e.Pool.Timeout()), e.Map.Server(server).Name))
}

func (p *Subscribing) LetGo(s *session.Session) {
	if len(p.held) > 0 {
		s.Door.Start(&releasing{topics: p.held})
	}
	p.held = nil
}

// releasing lets go of topics, a job.
type releasing struct {
	session.Impersonal
	topics []*topic
	s      *session.Session // that has closed, and is on their lists; nil: none is
}

func (r *releasing) Piece(e *session.Env) (done bool) {
	for part := e.APiece(); len(r.topics) > 0 && !part.Over(e); r.topics = r.topics[1:] {
		e.Spend(askWork)
		if r.s != nil {
			r.topics[0].remove(r.s)
		}
		hubOf(e).release(r.topics[0])
	}
	return len(r.topics) == 0
}

// askOff unsubscribes from the topics that nobody else uses. The client gets what is published until then.
func (p *Subscribing) askOff(s *session.Session) (done bool) {
	if s.Subscriptions == nil {
		return true
	}
	mine, hub := SubsOf(s).Topics[p.Kind], hubOf(s.Door.Env)
	if p.All && len(p.names) == 0 {
		p.NameAll(s)
	}
	for part := s.Door.APiece(); p.next < len(p.names); p.next++ {
		if p.Over() {
			break // an unsubscription that could not be sent has closed the session
		}
		if part.Over(s.Door.Env) {
			return false
		}
		s.Door.Spend(askWork)
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

// AppendTo appends what a transaction's client is told.
func (p *Subscribing) AppendTo(b []byte, s *session.Session, part session.Pieces) (reply []byte, done bool) {
	switch {
	case !p.On:
		return p.appendOff(b, s, part)
	case !p.Told && p.refused():
		p.LetGo(s)
		return append(b, p.Refusal...), true
	}
	p.Told = true
	return p.appendOn(b, s, part)
}

// confirmOff takes the client off the topics and tells it.
func (p *Subscribing) confirmOff(s *session.Session) (done bool) {
	out := s.Output()
	out.B, done = p.appendOff(out.B, s, s.Door.APiece())
	return done
}

func (p *Subscribing) appendOff(b []byte, s *session.Session, part session.Pieces) (reply []byte, done bool) {
	verb := words[p.Kind].off
	if p.All && len(p.names) == 0 {
		b = appendSubscribed(b, s.Protocol, verb, nil, subscriptionCount(s, p.Kind))
	}
	for ; p.next < len(p.names); p.next++ {
		if part.Over(s.Door.Env) {
			return b, false
		}
		s.Door.Spend(askWork)
		name := &p.names[p.next]
		if u := SubsOf(s); u != nil {
			if t := u.Topics[p.Kind][*name]; t != nil {
				delete(u.Topics[p.Kind], *name)
				t.remove(s)
				hubOf(s.Door.Env).release(t)
			}
		}
		b = appendSubscribed(b, s.Protocol, verb, name, subscriptionCount(s, p.Kind))
	}
	if u := SubsOf(s); u != nil && u.count(Channel)+u.count(ShardChannel) == 0 {
		s.Subscriptions = nil
	}
	return b, true
}

func subscriptionCount(s *session.Session, k kind) int {
	if u := SubsOf(s); u != nil {
		return u.count(k)
	}
	return 0
}

func (p *Subscribing) Cancel(s *session.Session) (unanswered bool) {
	p.LetGo(s)
	return true
}

// unsubscribeAll ends the subscriptions of a client that goes. Of one that has very many, some count for PUBLISH a little longer.
func unsubscribeAll(s *session.Session) {
	if s.Subscriptions != nil {
		s.Door.Start(leaveAll(s))
	}
}

// leaveAll takes the client's subscriptions from it.
func leaveAll(s *session.Session) *releasing {
	r, subs := &releasing{s: s}, SubsOf(s)
	for k := range kinds {
		r.topics = slices.AppendSeq(r.topics, maps.Values(subs.Topics[k]))
	}
	s.Subscriptions = nil
	return r
}

// Reset is the RESET of a client with subscriptions. done resets all else.
func Reset(s *session.Session, done func(*session.Session)) { s.Begin(&resetting{done: done}) }

// resetting is that RESET under way, a passage.
type resetting struct {
	session.Passage
	rest *releasing
	done func(*session.Session)
}

func (r *resetting) Step(s *session.Session, _ session.Wait) {
	if r.rest == nil {
		r.rest = leaveAll(s)
	}
	if !r.rest.Piece(s.Door.Env) {
		r.AwaitTurn(s, r)
		return
	}
	r.End()
	r.done(s)
}

// Piece is job. If the client goes, the rest of its subscriptions is let go of all the same.
func (r *resetting) Piece(e *session.Env) (done bool) {
	if r.Over() {
		return r.rest.Piece(e)
	}
	return r.Passage.Piece(e)
}
