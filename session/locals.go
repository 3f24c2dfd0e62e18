package session

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
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
	sub  *subscribing // SUBSCRIBE and its like, prepared or under way; nil: not yet
}

// queueLocal queues a command that the proxy answers itself.
func (s *Session) queueLocal(spec *command.Spec, req *parser.Request) {
	if logsIn(spec, req.Args) {
		if s.waitAtGate(spec, req, (*Session).afterGate) {
			return
		}
		s.charge() // EXEC tries it without a wait
	}
	tx := txOf(s)
	l := local{at: tx.n, spec: spec}
	switch spec.ID {
	case command.IDSubscribe, command.IDPsubscribe, command.IDSsubscribe:
		if len(tx.messages) > 0 {
			s.reject(spec, errSubAndPub)
			return
		}
		tx.joins++
	case command.IDUnsubscribe, command.IDPunsubscribe, command.IDSunsubscribe:
		tx.leaves = true
	case command.IDClientCapa:
		if !s.env.valkey(8) {
			s.reject(spec, unknownSubcommand(s.env.shownName(req.Args[0]), req.Args[1]))
			return
		}
	case command.IDSelect:
		n, ok := parser.Int(req.Args[1])
		if ok && n >= 0 && n == int64(int32(n)) {
			l.sent, l.db = true, int(n)
			tx.locals = append(tx.locals, l)
		}
		s.queued(spec, req.Raw)
		return
	case command.IDHello:
		if len(req.Args) > 1 && string(req.Args[1]) != itoa(int(s.proto)) {
			s.reject(spec, errHelloInMulti)
			return
		}
	}
	l.raw = bytes.Clone(req.Raw)
	tx.size += len(l.raw) + localOverhead
	if len(tx.buf.B)+tx.size > s.env.Config.QueryBufferLimit {
		s.close(stats.QueryBufferLimit)
		return
	}
	tx.locals = append(tx.locals, l)
	s.answerString("+QUEUED\r\n")
}

// afterGate carries out a login that has waited at its gate.
func (s *Session) afterGate(spec *command.Spec, req *parser.Request) {
	switch handler := s.env.Rules.of(spec).handler; {
	case handler == nil: // it was denied meanwhile
		s.reject(spec, noPermission(spec.Name))
	case s.tx != nil:
		s.queueLocal(spec, req)
	default:
		handler(s, spec, req)
	}
}

// localOverhead is what a local command takes beside its words, bytes.
const localOverhead = 64

// execLocals answers a transaction of commands that the proxy answers itself, or of none.
func (s *Session) execLocals(tx *transaction) {
	s.env.Pool.Buffers.Put(tx.buf)
	a := &answering{outer: outer{emission: emission{s: s, tag: s.expect(0)}}, locals: tx.locals, total: len(tx.locals), done: func(int) {}}
	a.job = a
	s.env.start(a)
	s.awaitReply(&a.emission)
}

// answering makes EXEC's reply of the server's answers and the proxy's own, a job. What the client sends behind EXEC waits until
// it is over.
type answering struct {
	outer
	locals []local
	i      int    // of locals, the next
	reply  []byte // the server's elements
	at     int    // of reply, the next element
	next   int    // its number
	total  int    // elements of the reply
	db     int    // that the client is in afterwards
	done   func(db int)
}

func (a *answering) piece(e *Env) (done bool) {
	if a.holdsOff(a) {
		return true
	}
	a.atWork = true
	b, over := a.answers(e, e.aPiece())
	a.atWork = false
	switch {
	case a.waits: // partial goes on
		return true
	case !over:
		a.put(b, false)
		return false
	}
	if !a.muted {
		b = append(b, a.reply[a.at:]...)
	}
	a.put(b, true)
	letGoOf(a.s, a.locals)
	a.done(a.db)
	return true
}

// answers makes the next answers; over: there are no more. What was made before a command that is waited for is handed out. CLIENT
// REPLY counts from where it stands, and hides no confirmations of subscriptions: Redis writes one part after the other.
func (a *answering) answers(e *Env, p pieces) (b []byte, over bool) {
	s := a.s
	if !a.begun && s.state != closed {
		sl := s.slot(a.tag)
		a.muted = sl.is.has(isMuted)
		if sl.is &^= isMuted; !a.muted {
			b = parser.AppendArray(b, a.total)
		}
	}
	for ; a.i < len(a.locals) && s.state != closed; a.i++ {
		l := &a.locals[a.i]
		for ; a.next < l.at; a.next++ {
			if p.over(e) {
				return b, false
			}
			before := len(b)
			b, a.at = appendElement(b, a.reply, a.at)
			a.use(len(b) - before)
			e.spend(copyWork + len(b) - before)
			if a.muted {
				b = b[:before]
			}
		}
		if p.over(e) {
			return b, false
		}
		switch {
		case l.spec.Traits.Has(command.TraitSubscribes), l.spec.Traits.Has(command.TraitUnsubscribes):
			if l.sub == nil {
				l.sub = l.subscribing(s)
			}
			told, before := false, len(b)
			if b, told = l.sub.appendTo(b, s, p); !told {
				return b, false
			}
			if a.muted && l.sub.on && !l.sub.told {
				b = b[:before] // an error
			}
		case l.spec.Traits.Has(command.TraitAsksFirst):
			a.put(b, false)
			if b = a.run(nil, l); a.waits {
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
	s, e := a.s, a.s.env
	req, ok := l.again()
	if !ok {
		return parser.AppendError(b, errSyntax)
	}
	handler := e.Rules.of(l.spec).handler
	if handler == nil { // it was denied after it was queued
		return parser.AppendError(b, noPermission(l.spec.Name))
	}
	before := len(b)
	e.capture, e.answering = &b, &a.outer
	handler(s, l.spec, &req)
	e.capture, e.answering = nil, nil
	if a.muted {
		b = b[:before]
	}
	return b
}

// again is a queued command as it was given.
func (l *local) again() (req parser.Request, ok bool) {
	return parseAgain(l.raw)
}

// subscribing is a SUBSCRIBE, UNSUBSCRIBE or their like of a transaction that is about to run.
func (l *local) subscribing(s *Session) *subscribing {
	req, ok := l.again()
	if !ok {
		return &subscribing{s: s}
	}
	p := newSubscribing(s, l.spec, req.Args)
	if p.all {
		p.nameAll()
	}
	return p
}

// prepare has the servers asked for what a transaction subscribes to before it runs, and the client get what was published before
// it unsubscribes; false: there is nothing to prepare. then is called when that is done.
func (tx *transaction) prepare(s *Session, then func(s *Session, late bool)) bool {
	if tx.leaves && s.subs != nil {
		tx.leaves = false
		s.begin(&subscribing{s: s, barrier: true, then: then})
		return true
	}
	for i := range tx.locals {
		if l := &tx.locals[i]; tx.joins > 0 && l.spec.Traits.Has(command.TraitSubscribes) && l.sub == nil {
			tx.joins--
			l.sub = l.subscribing(s)
			switch {
			case l.sub.kind == shardChannel:
				l.sub.refusal = parser.AppendError(nil, errShardInMulti)
				continue
			case tx.late:
				l.sub.refusal = l.sub.timedOut(s.env.Env)
				continue
			}
			l.sub.then = then
			s.begin(l.sub)
			return true
		}
	}
	return false
}

// letGoOf lets go of what a transaction has prepared and has not used.
func letGoOf(s *Session, locals []local) {
	for i := range locals {
		if p := locals[i].sub; p != nil {
			p.letGo(s)
			locals[i].sub = nil
		}
	}
}
