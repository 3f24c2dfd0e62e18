package pubsub

import (
	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
)

// Handle carries out the commands of pub/sub: SUBSCRIBE, PUBLISH, PUBSUB and their like. Borrows req until return.
func Handle(s *session.Session, spec *command.Spec, req *parser.Request) {
	if p := NewSubscribing(spec, req.Args); p != nil {
		if s.ReplyMode == session.ReplySkip {
			s.ReplyMode = session.ReplyOn // the confirmations are pushes, and pushes are never suppressed
		}
		s.Begin(p)
		return
	}
	switch spec.ID {
	case command.IDPublish, command.IDSpublish:
		publish(s, spec, req)
	default:
		inspect(s, spec, req)
	}
}

// Step is passage. It asks the servers, waits for them, and then writes the reply.
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
	case p.Over(): // a failed unsubscription has closed the session
	case p.left > 0 && !p.late:
		p.Await(session.Servers)
	case p.On && !p.Replying && p.prepareRetry(s):
		p.Await(session.Tick)
	case p.On && !p.Replying && p.awaitMoved():
		p.Await(session.Servers)
	case p.Then == nil && !p.writeReply(s):
		p.AwaitTurn(s, p)
	default:
		p.End()
		if p.Then != nil {
			p.Then(s, p.late)
		}
	}
}

// Piece is job. It waits while the client has much unread output.
func (p *Subscribing) Piece(e *session.Env) (done bool) {
	if s := p.Session(); s != nil && s.Lags() {
		s.Out.Park(p, s.Slots.Head())
		return true
	}
	return p.Passage.Piece(e)
}

// ask sends the servers what they must be asked; false: more names are left.
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

// askOn acquires each topic, and waits for those that no server has confirmed.
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
		p.acquired = append(p.acquired, t)
		p.await(t)
		if !fresh {
			hubOf(s.Door.Env).barrier(t, p) // earlier messages are not for this client
		}
	}
	p.next = 0
	return true
}

// askOff unsubscribes from the topics that no other client uses. The client gets messages that are published before the
// server's answer.
func (p *Subscribing) askOff(s *session.Session) (done bool) {
	if s.Subscriptions == nil {
		return true
	}
	mine, hub := subsOf(s).topics[p.Kind], hubOf(s.Door.Env)
	if p.All && len(p.names) == 0 {
		p.AddAllNames(s)
	}
	for part := s.Door.APiece(); p.next < len(p.names); p.next++ {
		if p.Over() {
			break // a failed unsubscription has closed the session
		}
		if part.Over(s.Door.Env) {
			return false
		}
		s.Door.Spend(askWork)
		switch t := mine[p.names[p.next]]; {
		case t == nil || t.dead:
		case t.users == 1 && t.round.on:
			hub.barrierAtOldServers(t, p)
			hub.ask(t, false)
			p.await(t)
		default:
			hub.barrierAtOldServers(t, p)
			hub.barrier(t, p)
		}
	}
	p.next = 0
	return true
}

// timeOut ends the wait for servers. A subscription that a server confirms later is undone, because no client uses the
// topic. A client that unsubscribes gets no more messages from now on, whatever the server does. A transaction that
// unsubscribes begins.
func (p *Subscribing) timeOut(s *session.Session) {
	if p.Replying {
		return
	}
	p.late = true
	if !p.On || p.asked && p.left == 0 {
		return
	}
	s.Door.Stats.Timeouts++
	p.Refusal = p.TimeoutError(s.Door.Env)
}

// prepareRetry prepares to ask again after a node of a cluster has refused the subscription; false: the client must get
// the refusal.
func (p *Subscribing) prepareRetry(s *session.Session) bool {
	env := s.Door
	if !env.Map.Slotted() || !p.isElsewhere() {
		return false
	}
	env.Pool.Hint()
	if p.since == 0 {
		p.since = env.Pool.Now
	}
	if limit := int64(env.Pool.Timeout()); p.late || limit > 0 && env.Pool.Now-p.since > limit {
		if pool.NamesNode(p.Refusal) { // clients do not know the nodes
			p.Refusal = session.AppendFailure(nil, env.Pool.Moved(ChannelServer(env.Env, p.Kind, []byte(p.names[0]))), env.Env)
		}
		return false
	}
	p.Release(s)
	p.asked, p.next, p.Refusal, p.elsewhere = false, 0, nil, false
	return true
}
