package transaction

import (
	"bytes"
	"strconv"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/session/guard"
	"ringmaster/session/pubsub"
	"ringmaster/session/texts"
	"ringmaster/stats"
)

// queueLocal queues a command that the proxy answers. It runs after EXEC has run.
func queueLocal(s *session.Session, spec *command.Spec, req *parser.Request) {
	if guard.LogsIn(spec, req.Args) {
		if guard.WaitAtGate(s, spec, req, AfterGate) {
			return
		}
		guard.CountFailure(s) // EXEC tries it without a wait
	}
	tx := of(s)
	l := local{at: tx.n, spec: spec}
	switch spec.ID {
	case command.IDSubscribe, command.IDPsubscribe, command.IDSsubscribe:
		if len(tx.messages) > 0 {
			s.Reject(spec, texts.SubAndPub)
			return
		}
		tx.subscribes++
	case command.IDUnsubscribe, command.IDPunsubscribe, command.IDSunsubscribe:
		tx.unsubscribes = true
	case command.IDClientCapa:
		if !s.Door.Valkey(8) {
			s.Reject(spec, texts.UnknownSubcommand(s.Door.ShownName(req.Args[0]), req.Args[1]))
			return
		}
	case command.IDHello:
		if len(req.Args) > 1 && string(req.Args[1]) != strconv.Itoa(int(s.Protocol)) {
			s.Reject(spec, texts.HelloInMulti)
			return
		}
	}
	l.raw = bytes.Clone(req.Raw)
	tx.size += len(l.raw) + localOverhead
	if len(tx.buf.B)+tx.size > s.Door.Config.QueryBufferLimit {
		s.Close(stats.QueryBufferLimit)
		return
	}
	tx.locals = append(tx.locals, l)
	s.AnswerString("+QUEUED\r\n")
}

// AfterGate carries out or queues a login that has waited at its gate. It has the form of session.Handler. Loop-only.
func AfterGate(s *session.Session, spec *command.Spec, req *parser.Request) {
	switch handler := s.Door.Rules.For(spec).Handler; {
	case handler == nil: // it was denied while it waited
		s.Reject(spec, texts.NoPermission(spec.Name))
	case s.Transaction != nil:
		queueLocal(s, spec, req)
	default:
		handler(s, spec, req)
	}
}

// subscribing makes what pub/sub needs to run a SUBSCRIBE, UNSUBSCRIBE or their like.
func (l *local) subscribing(s *session.Session) *pubsub.Subscribing {
	req, ok := l.request()
	if !ok {
		return &pubsub.Subscribing{}
	}
	p := pubsub.NewSubscribing(l.spec, req.Args)
	if p.All {
		p.AddAllNames(s)
	}
	return p
}

// prepare asks the servers for one thing that must be there before the transaction runs: a topic to which it subscribes, or the messages
// that were published before it unsubscribes. It calls then when it is there. false: nothing is left to prepare.
func (tx *transaction) prepare(s *session.Session, then func(s *session.Session, late bool)) bool {
	if tx.unsubscribes && s.Subscriptions != nil {
		tx.unsubscribes = false
		s.Begin(&pubsub.Subscribing{Barrier: true, Then: then})
		return true
	}
	for i := range tx.locals {
		if l := &tx.locals[i]; tx.subscribes > 0 && l.spec.Traits.Has(command.TraitSubscribes) && l.sub == nil {
			tx.subscribes--
			l.sub = l.subscribing(s)
			switch {
			case l.sub.Kind == pubsub.ShardChannel:
				l.sub.Refusal = parser.AppendError(nil, texts.ShardInMulti)
				continue
			case tx.timedOut:
				l.sub.Refusal = l.sub.TimeoutError(s.Door.Env)
				continue
			}
			l.sub.Then = then
			s.Begin(l.sub)
			return true
		}
	}
	return false
}
