package transaction

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/session/blocking"
	"ringmaster/session/gather"
	"ringmaster/session/guard"
	"ringmaster/session/pubsub"
	"ringmaster/session/texts"
	"ringmaster/session/tracking"
	"ringmaster/stats"
)

// Feature is what the core calls.
var Feature = session.Feature{
	Rejected: rejected,
	Closed:   Drop,
	Forget:   func(l *session.Loop) { l.Outcomes = nil },
}

// rejected aborts the transaction of a client whose command was refused, so that its EXEC is refused later. If the command is EXEC itself,
// the transaction is over.
func rejected(s *session.Session, spec *command.Spec) {
	if spec != nil && spec.ID == command.IDExec {
		endTransaction(s)
		return
	}
	if tx := of(s); tx != nil {
		tx.aborted = true
	}
}

// Handle carries out MULTI, EXEC, DISCARD, WATCH and UNWATCH. Borrows req until return. Loop-only.
func Handle(s *session.Session, spec *command.Spec, req *parser.Request) {
	switch spec.ID {
	case command.IDMulti:
		multi(s, req)
	case command.IDDiscard:
		if s.Transaction == nil {
			s.Refuse(texts.Discard)
			return
		}
		endTransaction(s)
		s.AnswerString("+OK\r\n")
	case command.IDExec:
		exec(s, req)
	case command.IDWatch:
		watch(s, spec, req)
	case command.IDUnwatch:
		forgetWatches(s)
		s.AnswerString("+OK\r\n")
	}
}

// multi begins a transaction.
func multi(s *session.Session, req *parser.Request) {
	if s.Transaction != nil {
		s.Refuse(texts.NestedMulti)
		return
	}
	tx := &transaction{buf: s.Door.Pool.Buffers.Get(), server: session.AnyServer, version: s.Door.Version, rules: s.Door.Rules}
	tx.buf.B = append(tx.buf.B, req.Raw...)
	tx.Of, s.Transaction = tx, &tx.Kept
	s.AnswerString("+OK\r\n")
}

// Queue answers a command of a client that has said MULTI, and queues or refuses it. Borrows req until return. false: the command acts
// at once, such as EXEC, and is not answered yet. Loop-only.
func Queue(s *session.Session, spec *command.Spec, req *parser.Request) bool {
	if spec.Traits.Has(command.TraitActsInMulti) {
		if (spec.ID == command.IDMulti || spec.ID == command.IDWatch) && s.Door.Valkey(9) {
			s.Reject(spec, notInMulti(s.Door.Env, spec)) // Valkey 9 aborts the transaction
			return true
		}
		return false
	}
	class, handler := s.Door.ClassOf(spec), s.Door.Rules.For(spec).Handler
	switch {
	case spec.Flags.Has(command.FlagNoMulti) && (spec.ID != command.IDClientReply || s.Door.Valkey(9)): // others than Valkey 9 queue CLIENT REPLY
		s.Reject(spec, notInMulti(s.Door.Env, spec))
	case class == command.ClassRefused && handler == nil:
		s.Reject(spec, texts.NoPermission(spec.Name))
	case handler != nil && spec.ID == command.IDSelect:
		queueSelect(s, spec, req)
	case spec.Traits.Has(command.TraitSubscribes), spec.Traits.Has(command.TraitUnsubscribes), handler != nil && !spec.Traits.Has(command.TraitStateless):
		queueLocal(s, spec, req)
	case class == command.ClassLocal && handler == nil:
		s.Reject(spec, texts.Unsupported(spec.Name))
	default:
		queueForServer(s, spec, req)
	}
	return true
}

// queueForServer queues a command that the server answers.
func queueForServer(s *session.Session, spec *command.Spec, req *parser.Request) {
	tx, env := of(s), s.Door
	if text := refuses(s, spec, req); text != "" {
		s.Reject(spec, text)
		return
	}
	if env.ClassOf(spec) == command.ClassPinned {
		tx.keepsState = true
	}
	if guard.Hides(env, spec) {
		tx.secrets = append(tx.secrets, secretReply{at: tx.n, hide: guard.Hiders[spec.Name]})
	}
	if spec.ID == command.IDClientPause {
		tx.pauses = append(tx.pauses, parser.CloneWords(req.Args))
	}
	if spec.Traits.Has(command.TraitPublishes) {
		m := message{at: tx.n, key: pubsub.PublishedTo(spec, req)}
		tx.messages, tx.size = append(tx.messages, m), tx.size+len(m.key.Name)+localOverhead
	}
	if env.Pool.LowMemory(targetServer(s)) {
		s.Begin(&shortage{spec: spec, raw: bytes.Clone(req.Raw), then: queued})
		return
	}
	queued(s, spec, req.Raw)
}

// refuses says why a command for the server can't be queued; "": it can. It finds the command's server.
func refuses(s *session.Session, spec *command.Spec, req *parser.Request) (text string) {
	tx, env := of(s), s.Door
	if !env.Single() {
		if text := relocate(s); text != "" {
			return text
		}
		if text := locateCommand(s, spec, req.Args, req.Raw, tx.n); text != "" {
			return text
		}
	}
	if text := gather.BusyText(env.Env); text != "" && env.Single() && s.Owed() == 0 && !spec.Flags.Has(command.FlagAllowBusy) {
		return text
	}
	switch class := env.ClassOf(spec); {
	case class == command.ClassPinned && spec.ID == command.IDClientTracking && tracking.RedirectArg(req.Args) > 0:
		return texts.RedirectInMulti
	case class == command.ClassPubSub && !env.Single() && !spec.Traits.Has(command.TraitPublishes):
		return texts.NotInTransaction(spec.Name)
	}
	if text := guard.LocksOut(env.Env, spec, req.Args); text != "" {
		return text
	}
	if spec.Traits.Has(command.TraitPublishes) && tx.subscribes > 0 {
		return texts.SubAndPub // the message comes over another connection
	}
	return ""
}

// queueSelect queues a SELECT, which the server runs and the proxy follows.
func queueSelect(s *session.Session, spec *command.Spec, req *parser.Request) {
	if n, ok := parser.Int(req.Args[1]); ok && n >= 0 && n == int64(int32(n)) {
		tx := of(s)
		tx.locals = append(tx.locals, local{at: tx.n, spec: spec, sent: true, db: int(n)})
	}
	queued(s, spec, req.Raw)
}

// queued appends a command that may be queued, and answers QUEUED.
func queued(s *session.Session, spec *command.Spec, raw []byte) {
	tx := of(s)
	if len(tx.buf.B)+tx.size+len(raw) > s.Door.Config.QueryBufferLimit {
		s.Close(stats.QueryBufferLimit)
		return
	}
	tx.writes = tx.writes || blocking.MayWrite(s.Door.Env, spec)
	tx.carrier |= s.Door.Rules.For(spec).Carrier
	tx.buf.B = append(tx.buf.B, raw...)
	tx.specs = append(tx.specs, spec)
	tx.n++
	s.AnswerString("+QUEUED\r\n")
}

// notInMulti is the error for a command that is not allowed inside a transaction.
func notInMulti(e *session.Env, spec *command.Spec) string {
	if e.Valkey(9) {
		return texts.NotAllowedInMulti(spec.Name)
	}
	return texts.NoMulti
}
