package transaction

import (
	"bytes"
	"strconv"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/session/guard"
	"ringmaster/session/pubsub"
	"ringmaster/session/slots"
	"ringmaster/session/texts"
	"ringmaster/stats"
)

// local is a command of a transaction that the proxy answers itself when EXEC has run.
type local struct {
	at   int // commands in buf before it
	raw  []byte
	spec *command.Spec
	// sent: the server answers it too (SELECT), and the proxy looks at its answer.
	sent bool
	db   int
	sub  *pubsub.Subscribing // SUBSCRIBE and its like, prepared or under way; nil: not yet
}

// queueLocal queues a command that the proxy answers itself.
func queueLocal(s *session.Session, spec *command.Spec, req *parser.Request) {
	if guard.LogsIn(spec, req.Args) {
		if guard.WaitAtGate(s, spec, req, AfterGate) {
			return
		}
		guard.Charge(s) // EXEC tries it without a wait
	}
	tx := TxOf(s)
	l := local{at: tx.N, spec: spec}
	switch spec.ID {
	case command.IDSubscribe, command.IDPsubscribe, command.IDSsubscribe:
		if len(tx.messages) > 0 {
			Reject(s, spec, texts.SubAndPub)
			return
		}
		tx.joins++
	case command.IDUnsubscribe, command.IDPunsubscribe, command.IDSunsubscribe:
		tx.leaves = true
	case command.IDClientCapa:
		if !s.Door.Valkey(8) {
			Reject(s, spec, texts.UnknownSubcommand(s.Door.ShownName(req.Args[0]), req.Args[1]))
			return
		}
	case command.IDSelect:
		n, ok := parser.Int(req.Args[1])
		if ok && n >= 0 && n == int64(int32(n)) {
			l.sent, l.db = true, int(n)
			tx.Locals = append(tx.Locals, l)
		}
		queued(s, spec, req.Raw)
		return
	case command.IDHello:
		if len(req.Args) > 1 && string(req.Args[1]) != strconv.Itoa(int(s.Protocol)) {
			Reject(s, spec, texts.HelloInMulti)
			return
		}
	}
	l.raw = bytes.Clone(req.Raw)
	tx.size += len(l.raw) + localOverhead
	if len(tx.buf.B)+tx.size > s.Door.Config.QueryBufferLimit {
		s.Close(stats.QueryBufferLimit)
		return
	}
	tx.Locals = append(tx.Locals, l)
	s.AnswerString("+QUEUED\r\n")
}

// AfterGate carries out a login that has waited at its gate.
func AfterGate(s *session.Session, spec *command.Spec, req *parser.Request) {
	switch handler := s.Door.Rules.For(spec).Handler; {
	case handler == nil: // it was denied meanwhile
		Reject(s, spec, texts.NoPermission(spec.Name))
	case s.Transaction != nil:
		queueLocal(s, spec, req)
	default:
		handler(s, spec, req)
	}
}

// localOverhead is what a local command takes beside its words, bytes.
const localOverhead = 64

// execLocals answers a transaction of commands that the proxy answers itself, or of none.
func execLocals(s *session.Session, tx *transaction) {
	s.Door.Pool.Buffers.Put(tx.buf)
	a := &answering{Outer: session.Outer{Emission: session.Emission{Session: s, Tag: s.Expect(0)}}, locals: tx.Locals, total: len(tx.Locals), done: func(int) {}}
	a.Job = a
	s.Door.Start(a)
	s.AwaitReply(&a.Emission)
}

// answering makes EXEC's reply of the server's answers and the proxy's own, a job. What the client sends behind EXEC waits until
// it is over.
type answering struct {
	session.Outer
	locals []local
	i      int    // of locals, the next
	reply  []byte // the server's elements
	at     int    // of reply, the next element
	next   int    // its number
	total  int    // elements of the reply
	db     int    // that the client is in afterwards
	done   func(db int)
}

func (a *answering) Piece(e *session.Env) (done bool) {
	if a.HoldsOff(a) {
		return true
	}
	a.AtWork = true
	b, over := a.answers(e, e.APiece())
	a.AtWork = false
	switch {
	case a.Waits: // partial goes on
		return true
	case !over:
		a.Give(b, false)
		return false
	}
	if !a.Muted {
		b = append(b, a.reply[a.at:]...)
	}
	a.Give(b, true)
	letGoOf(a.Session, a.locals)
	a.done(a.db)
	return true
}

// answers makes the next answers; over: there are no more. What was made before a command that is waited for is handed out. CLIENT
// REPLY counts from where it stands, and hides no confirmations of subscriptions: Redis writes one part after the other.
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
			told, before := false, len(b)
			if b, told = l.sub.AppendReply(b, s, p); !told {
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

// run runs a command and appends its answer, unless a.waits for it or has had it.
func (a *answering) run(b []byte, l *local) []byte {
	s, e := a.Session, a.Session.Door
	req, ok := l.Again()
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

// Again is a queued command as it was given.
func (l *local) Again() (req parser.Request, ok bool) {
	return parser.Reparse(l.raw)
}

// subscribing is a SUBSCRIBE, UNSUBSCRIBE or their like of a transaction that is about to run.
func (l *local) subscribing(s *session.Session) *pubsub.Subscribing {
	req, ok := l.Again()
	if !ok {
		return &pubsub.Subscribing{}
	}
	p := pubsub.NewSubscribing(l.spec, req.Args)
	if p.All {
		p.AddAllNames(s)
	}
	return p
}

// prepare has the servers asked for what a transaction subscribes to before it runs, and the client get what was published before
// it unsubscribes; false: there is nothing to prepare. then is called when that is done.
func (tx *transaction) prepare(s *session.Session, then func(s *session.Session, late bool)) bool {
	if tx.leaves && s.Subscriptions != nil {
		tx.leaves = false
		s.Begin(&pubsub.Subscribing{Barrier: true, Then: then})
		return true
	}
	for i := range tx.Locals {
		if l := &tx.Locals[i]; tx.joins > 0 && l.spec.Traits.Has(command.TraitSubscribes) && l.sub == nil {
			tx.joins--
			l.sub = l.subscribing(s)
			switch {
			case l.sub.Kind == pubsub.ShardChannel:
				l.sub.Refusal = parser.AppendError(nil, texts.ShardInMulti)
				continue
			case tx.late:
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

// letGoOf lets go of what a transaction has prepared and has not used.
func letGoOf(s *session.Session, locals []local) {
	for i := range locals {
		if p := locals[i].sub; p != nil {
			p.Release(s)
			locals[i].sub = nil
		}
	}
}
