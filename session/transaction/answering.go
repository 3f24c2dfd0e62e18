package transaction

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/session/slots"
	"ringmaster/session/texts"
)

// answerLocals answers EXEC for a transaction of which nothing is sent. It has no commands, or all are the proxy's to answer.
func answerLocals(s *session.Session, locals []local) {
	a := newAnswering(s, s.Expect(0), locals, func(int) {})
	s.Door.Start(a)
	s.AwaitReply(&a.Emission)
}

// answering makes EXEC's reply of the server's answers and the proxy's own, a job. What the client sends after EXEC waits until it is over.
type answering struct {
	session.Outer
	locals []local
	i      int    // the next of locals
	reply  []byte // the server's; nil: nothing was sent
	at     int    // in reply, where the next element begins
	next   int    // the number of that element
	total  int    // elements of EXEC's reply
	db     int    // in which the client is after the transaction
	done   func(db int)
}

// newAnswering returns a job without answers of a server. done is called at its end.
func newAnswering(s *session.Session, tag uint64, locals []local, done func(db int)) *answering {
	a := &answering{Outer: session.Outer{Emission: session.Emission{Session: s, Tag: tag}}, locals: locals, done: done}
	a.Job = a
	for i := range locals {
		if !locals[i].sent {
			a.total++
		}
	}
	return a
}

// Piece is job.
func (a *answering) Piece(e *session.Env) (done bool) {
	if a.HoldsOff(a) {
		return true
	}
	a.AtWork = true
	b, over := a.answers(e, e.APiece())
	a.AtWork = false
	switch {
	case a.Waits: // the command's answer starts the job again
		return true
	case !over:
		a.Give(b, false)
		return false
	}
	if !a.Muted {
		b = append(b, a.reply[a.at:]...)
	}
	a.Give(b, true)
	dropSubscriptions(a.Session, a.locals)
	a.done(a.db)
	return true
}

// answers makes the next answers; over: there are no more. What was made before a command that must wait is handed out first. CLIENT
// REPLY counts from where it stands, and does not hide confirmations of subscriptions, because Redis writes one answer after the other.
func (a *answering) answers(e *session.Env, p session.Pieces) (b []byte, over bool) {
	s := a.Session
	if !a.Begun && s.State != session.Closed {
		sl := s.Slots.At(a.Tag)
		a.Muted = sl.Is.Has(slots.Muted)
		if sl.Is &^= slots.Muted; !a.Muted {
			b = parser.AppendArray(b, a.total)
		}
	}
	for ; a.i < len(a.locals) && s.State != session.Closed; a.i++ {
		l := &a.locals[a.i]
		for ; a.next < l.at; a.next++ {
			if p.Over(e) {
				return b, false
			}
			before := len(b)
			b, a.at = appendElement(b, a.reply, a.at)
			a.Use(len(b) - before)
			e.Spend(session.CopyWork + len(b) - before)
			if a.Muted {
				b = b[:before]
			}
		}
		if p.Over(e) {
			return b, false
		}
		switch {
		case l.spec.Traits.Has(command.TraitSubscribes), l.spec.Traits.Has(command.TraitUnsubscribes):
			if l.sub == nil {
				l.sub = l.subscribing(s)
			}
			confirmed, before := false, len(b)
			if b, confirmed = l.sub.AppendReply(b, s, p); !confirmed {
				return b, false
			}
			if a.Muted && l.sub.On && !l.sub.Replying {
				b = b[:before] // an error
			}
		case l.spec.Traits.Has(command.TraitAsksFirst):
			a.Give(b, false)
			if b = a.run(nil, l); a.Waits {
				a.i++
				return nil, false
			}
		case !l.sent:
			b = a.run(b, l)
		case bytes.HasPrefix(a.reply[a.at:], []byte("+OK")):
			a.db = l.db
		}
	}
	return b, true
}

// run runs a command and appends its answer. It appends nothing if a.Waits for the answer or has written it.
func (a *answering) run(b []byte, l *local) []byte {
	s, e := a.Session, a.Session.Door
	req, ok := l.request()
	if !ok {
		return parser.AppendError(b, texts.Syntax)
	}
	handler := e.Rules.For(l.spec).Handler
	if handler == nil { // it was denied after it was queued
		return parser.AppendError(b, texts.NoPermission(l.spec.Name))
	}
	before := len(b)
	e.Capture, e.Answering = &b, &a.Outer
	handler(s, l.spec, &req)
	e.Capture, e.Answering = nil, nil
	if a.Muted {
		b = b[:before]
	}
	return b
}
