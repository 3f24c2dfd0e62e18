package transaction

import (
	"strconv"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/blocking"
	"ringmaster/session/discovery"
	"ringmaster/session/gather"
	"ringmaster/session/pubsub"
	"ringmaster/session/texts"
)

// EXEC:
//
//	exec ── may it run? ──▸ execNow ── is the connection fit? ──▸ send ──▸ outcome

// exec carries out EXEC. What must happen before the transaction is sent is a passage that calls execNow at its end.
func exec(s *session.Session, req *parser.Request) {
	tx := of(s)
	if tx == nil {
		s.Refuse(texts.Exec)
		return
	}
	if text := refusesExec(s); text != "" {
		endTransaction(s)
		s.Refuse(text)
		return
	}
	noteNewMap(s)
	if !relocateForExec(s) {
		return
	}
	if tx.key != nil {
		// The map may be newer than the one by which the command was queued. Later commands go by the newer one.
		tx.server = s.Door.Map.Lookup(tx.key)
	}
	tx.server = targetServer(s)
	otherServer := false
	if p := s.Pin; p != nil && p.Watches && p.Server != tx.server {
		if tx.n > 0 && !watchOutdated(p) && !inWatchedSlot(p, tx.key) {
			endTransaction(s)
			s.Refuse(texts.CrossSlot)
			return
		}
		tx.server, otherServer = p.Server, tx.key != nil
	}
	tx.buf.B = append(tx.buf.B, req.Raw...)
	switch {
	case tx.n > 0 && blocking.Postpones(s.Door.Env, tx.writes):
		blocking.PostponeRun(s, execNow)
	case otherServer || s.Door.Pool.Apart(tx.carrier):
		// Earlier requests for these keys went to the server that the map names, or over a shared connection. They must be answered first.
		s.Begin(&session.Errand{Send: func(*session.Session) {}, Done: func(s *session.Session) { execNow(s) }})
	default:
		execNow(s)
	}
}

// refusesExec says why EXEC is refused whatever the server would say; "": it is not.
func refusesExec(s *session.Session) (text string) {
	tx := of(s)
	if text := gather.BusyText(s.Door.Env); text != "" && s.Door.Single() && s.Owed() == 0 {
		return texts.ExecAbort(text)
	}
	switch {
	case tx.aborted:
		return texts.ExecAborted
	case tx.crossed:
		return texts.CrossSlot
	}
	if denied := deniedSinceQueued(s); denied != nil {
		return texts.ExecAbort(texts.NoPermission(denied.Name))
	}
	return ""
}

// deniedSinceQueued returns a command of the transaction that the operator has denied since it was queued; nil: there is none.
func deniedSinceQueued(s *session.Session) *command.Spec {
	tx, env := of(s), s.Door
	if tx.rules == env.Rules {
		return nil
	}
	for _, spec := range tx.specs {
		if env.ClassOf(spec) == command.ClassRefused && env.Rules.For(spec).Handler == nil || spec.ID == command.OtherID && discovery.Denies(env.Rules, spec.Name, "", spec) {
			return spec
		}
	}
	return nil
}

// execPrepared calls execNow after tx.prepare has prepared a subscription. late: it has taken as long as a request may.
func execPrepared(s *session.Session, late bool) {
	if late {
		of(s).timedOut = true
	}
	execNow(s)
}

// execNow sends the transaction, or begins a passage that makes the connection fit for it and calls execNow again.
func execNow(s *session.Session) {
	tx := of(s)
	if (tx.unsubscribes || tx.subscribes > 0) && tx.prepare(s, execPrepared) {
		return
	}
	noteNewMap(s)
	switch {
	case s.Pin.WatchLost():
		// The server has ceased to watch the keys: they may have changed.
		endTransaction(s)
		s.Door.Scratch = parser.AppendNullArray(s.Door.Scratch[:0], s.Protocol)
		s.Answer(s.Door.Scratch)
		return
	case !relocateForExec(s):
		return
	case tx.n == 0 && (s.Pin == nil || !s.Pin.Watches):
		s.Transaction = nil
		s.Door.Pool.Buffers.Put(tx.buf)
		answerLocals(s, tx.locals)
		return
	case tx.keepsState && (s.Pin == nil || !s.Pin.Dirty):
		execPinned(s)
		return
	case !s.Conn(tx.server).TakesMulti() && s.Pin != nil && s.Pin.Watches:
		refusal := s.Pin.Refusal
		endTransaction(s)
		if refusal == nil {
			s.Refuse(texts.MultiRefused)
			return
		}
		s.Answer(refusal)
		return
	case !s.Conn(tx.server).TakesMulti():
		s.Begin(&proving{then: execNow})
		return
	}
	// Later commands may have to go over another connection or to another database, or they may ask the proxy for state that the
	// transaction has set.
	moves := s.Door.Pool.Apart(tx.carrier) || len(tx.locals) > 0 || len(tx.allShards) > 0 || s.Pin != nil && (s.Pin.Watches || s.Pin.Blocks)
	send(s)
	if moves {
		s.Begin(session.Standstill(blocking.Unblocked))
	}
}

// execPinned gives the session its own connection for a transaction that leaves state on it, and then calls execNow.
func execPinned(s *session.Session) {
	s.Begin(&session.Errand{
		Send: func(s *session.Session) {
			if s.Pin.WatchLost() || !relocateForExec(s) {
				return // execNow answers a lost watch
			}
			p, f := s.PinTo(of(s).server)
			if f == nil {
				p.Dirty = true
				return
			}
			Drop(s)
			s.Door.Scratch = session.AppendFailure(s.Door.Scratch[:0], f, s.Door.Env)
			s.Answer(s.Door.Scratch)
		},
		Done: func(s *session.Session) {
			if s.Transaction != nil {
				execNow(s)
			}
		},
	})
}

// send sends the transaction as one batch. Its outcome has the replies.
func send(s *session.Session) {
	tx, env := of(s), s.Door
	conn := s.Conn(tx.server)
	env.Pool.ExpectScript(tx.server)
	s.Transaction = nil
	for _, args := range tx.pauses {
		blocking.NotePause(s, args)
	}
	watched := s.Pin != nil && s.Pin.Watches
	if watched {
		s.Pin.Watches, s.Pin.Lost = false, false // EXEC ends them
	}
	last := tx.n + 1
	needs := len(tx.buf.B)
	requests := tx.n + 2
	if tx.selects() {
		// The connection goes on in the database it was in, whatever EXEC has made of that.
		tx.buf.B = parser.AppendRequest(tx.buf.B, "SELECT", strconv.Itoa(s.Database()))
		requests++
	}
	o := newOutcome(env.Env.Loop)
	o.s, o.execAt, o.left, o.locals, o.n = s, uint64(last), requests, tx.locals, tx.n
	o.conn, o.allShards, o.secrets = conn, tx.allShards, tx.secrets
	if o.messages = tx.messages; !pubsub.AnyTopics(env.Env) {
		o.messages = nil
	}
	o.tag = s.Expect(len(tx.buf.B))
	request := pool.Request{Raw: tx.buf.B, Recv: o, Batch: pool.Batch{Requests: requests, Needs: needs, Exec: last}, Carrier: tx.carrier}
	if env.Pool.Resends() {
		o.resend = &resend{buf: tx.buf, watched: watched, Resend: pool.Resend{
			Request: request, Rings: s.Rings, Seat: s.ConnIndex,
			Server: tx.server, Slot: session.SlotOf(tx.key, env.Map), Reads: !tx.writes && len(tx.allShards) == 0, Since: env.Pool.Now, From: conn,
		}}
	}
	if conn.Own() && s.Pin != nil && s.Pin.Blocks {
		request.Manner = pool.Blocks
	}
	f := conn.Enqueue(&request)
	if f != nil && o.resend != nil && o.resend.unsent(s, f) {
		o.sendAgain() // the keys may be elsewhere by now
		return
	}
	if f != nil {
		tag := o.tag
		o.resend = nil
		recycleOutcome(env.Env.Loop, o)
		s.Fail(tag, f)
		if watched {
			s.Pin.Soiled = true // no EXEC was sent: the server still watches
		}
	}
	if f != nil || !env.Pool.Resends() {
		env.Pool.Buffers.Put(tx.buf)
	}
}
