package pubsub

import (
	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/stats"
)

// writeReply writes the confirmations or the error; false: more names are left. Messages that are published meanwhile
// follow the confirmations of a subscription.
func (p *Subscribing) writeReply(s *session.Session) (done bool) {
	if !p.Replying {
		p.Replying = true
		if p.On && p.hasFailed() {
			p.Release(s)
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

// confirm enters the client's subscriptions and confirms them.
func (p *Subscribing) confirm(s *session.Session) (done bool) {
	out := s.Output()
	out.B, done = p.appendOn(out.B, s, s.Door.APiece())
	return done
}

// confirmOff takes the client off the topics and confirms that.
func (p *Subscribing) confirmOff(s *session.Session) (done bool) {
	out := s.Output()
	out.B, done = p.appendOff(out.B, s, s.Door.APiece())
	return done
}

// AppendReply appends the reply as a part of EXEC's; false: more names are left.
func (p *Subscribing) AppendReply(b []byte, s *session.Session, part session.Pieces) (reply []byte, done bool) {
	switch {
	case !p.On:
		return p.appendOff(b, s, part)
	case !p.Replying && p.hasFailed():
		p.Release(s)
		return append(b, p.Refusal...), true
	}
	p.Replying = true
	return p.appendOn(b, s, part)
}

// appendOn enters the client's subscriptions and appends their confirmations; false: more names are left.
func (p *Subscribing) appendOn(b []byte, s *session.Session, part session.Pieces) (reply []byte, done bool) {
	subs := subsOf(s)
	if subs == nil {
		subs = &subscriptions{}
		subs.Of, s.Subscriptions = subs, &subs.Kept
	}
	mine := &subs.topics[p.Kind]
	if *mine == nil {
		*mine = map[string]*topic{}
	}
	for ; len(p.acquired) > 0; p.next++ {
		if part.Over(s.Door.Env) {
			return b, false
		}
		s.Door.Spend(confirmWork)
		t := p.acquired[0]
		p.acquired = p.acquired[1:]
		switch {
		case t.dead: // it has ended since the first names were confirmed
			hubOf(s.Door.Env).release(t)
			s.Close(stats.SubscriptionLost)
			return b, true
		case (*mine)[t.key.Name] != nil:
			hubOf(s.Door.Env).release(t) // the client has it already
		default:
			(*mine)[t.key.Name] = t
			t.subs = append(t.subs, s)
		}
		b = appendSubscribed(b, s.Protocol, words[p.Kind].on, &p.names[p.next], subs.count(p.Kind))
	}
	return b, true
}

// appendOff takes the client off the topics and appends the confirmations; false: more names are left.
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
		if u := subsOf(s); u != nil {
			if t := u.topics[p.Kind][*name]; t != nil {
				delete(u.topics[p.Kind], *name)
				t.remove(s)
				hubOf(s.Door.Env).release(t)
			}
		}
		b = appendSubscribed(b, s.Protocol, verb, name, subscriptionCount(s, p.Kind))
	}
	if u := subsOf(s); u != nil && u.count(Channel)+u.count(ShardChannel) == 0 {
		s.Subscriptions = nil
	}
	return b, true
}

// appendSubscribed appends the frame that confirms one name: the verb, the name (nil: there is none), and the number of
// the client's subscriptions.
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
