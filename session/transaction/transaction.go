package transaction

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/valyala/bytebufferpool"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/blocking"
	"ringmaster/session/discovery"
	"ringmaster/session/gather"
	"ringmaster/session/guard"
	"ringmaster/session/pubsub"
	"ringmaster/session/texts"
	"ringmaster/session/tracking"
	"ringmaster/stats"
)

// transaction is what a client has queued since MULTI. Nothing of it is sent before EXEC: then MULTI, the
// commands and EXEC go out as one piece, between which nobody else's commands can come, over the connection
// that clients share, or the session's own when it watches keys.
type transaction struct {
	session.Kept
	buf        *bytebufferpool.ByteBuffer // MULTI and the commands as they will be sent
	N          int                        // commands in buf
	specs      []*command.Spec            // of these
	version    uint16                     // of the map by which server was found
	rules      *session.Rules             // by which they were allowed
	server     int                        // whose keys they have; anyServer: no keys so far
	key        []byte                     // one of those keys
	aborted    bool                       // a command was refused: EXEC answers EXECABORT
	crossed    bool                       // the keys have several hash slots of one node: EXEC answers CROSSSLOT
	dirty      bool                       // a command leaves state on the connection
	writes     bool                       // a command may write
	carrier    pool.Carrier               // what is among the commands
	joins      int                        // SUBSCRIBEs and their like among locals that are not prepared
	late       bool                       // what it waits for before it is sent has taken the timeout: the rest is not waited for
	leaves     bool                       // an UNSUBSCRIBE or its like is among locals
	pauses     [][][]byte                 // the words of each CLIENT PAUSE
	Locals     []local
	everywhere []everywhere // what is for all shards
	size       int          // bytes of the requests of locals and everywhere, and of the messages' channels
	messages   []message
	hidden     []hidden
}

// TxOf is what a client has queued; nil: it has said no MULTI.
func TxOf(s *session.Session) *transaction {
	if s.Transaction == nil {
		return nil
	}
	return s.Transaction.Of.(*transaction)
}

// Feature is what the core calls.
var Feature = session.Feature{
	Rejected: abort,
	Closed:   Drop,
	Forget:   func(l *session.Loop) { l.Outcomes = nil },
}

// abort has EXEC refused, if the client has said MULTI.
func abort(s *session.Session) {
	if tx := TxOf(s); tx != nil {
		tx.aborted = true
	}
}

// message is a PUBLISH in a transaction.
type message struct {
	at  int // commands in buf before it
	key pubsub.TopicKey
}

// Handle carries out MULTI, EXEC, DISCARD, WATCH and UNWATCH.
func Handle(s *session.Session, spec *command.Spec, req *parser.Request) {
	switch spec.ID {
	case command.IDMulti:
		if s.Transaction != nil {
			s.Refuse(texts.NestedMulti)
			return
		}
		tx := &transaction{buf: s.Door.Pool.Buffers.Get(), server: session.AnyServer, version: s.Door.Version, rules: s.Door.Rules}
		tx.buf.B = append(tx.buf.B, req.Raw...)
		tx.Of, s.Transaction = tx, &tx.Kept
		s.AnswerString("+OK\r\n")
	case command.IDDiscard:
		if s.Transaction == nil {
			s.Refuse(texts.Discard)
			return
		}
		Drop(s)
		forgetWatches(s)
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

func Drop(s *session.Session) {
	if tx := TxOf(s); tx != nil {
		letGoOf(s, tx.Locals)
		s.Door.Pool.Buffers.Put(tx.buf)
		s.Transaction = nil
	}
}

// Queue puts a command behind MULTI; false: it is one that acts at once.
func Queue(s *session.Session, spec *command.Spec, req *parser.Request) bool {
	if spec.Traits.Has(command.TraitActsInMulti) {
		if (spec.ID == command.IDMulti || spec.ID == command.IDWatch) && s.Door.Valkey(9) {
			Reject(s, spec, notInMulti(s.Door.Env, spec)) // and the transaction is over
			return true
		}
		return false
	}
	class, handler := s.Door.ClassOf(spec), s.Door.Rules.For(spec).Handler
	switch {
	case spec.Flags.Has(command.FlagNoMulti) && (spec.ID != command.IDClientReply || s.Door.Valkey(9)): // others than Valkey 9 queue CLIENT REPLY
		Reject(s, spec, notInMulti(s.Door.Env, spec))
	case class == command.ClassRefused && handler == nil:
		Reject(s, spec, texts.NoPermission(spec.Name))
	case spec.Traits.Has(command.TraitSubscribes), spec.Traits.Has(command.TraitUnsubscribes), handler != nil && !spec.Traits.Has(command.TraitStateless):
		queueLocal(s, spec, req)
	case class == command.ClassLocal && handler == nil:
		Reject(s, spec, texts.Unsupported(spec.Name))
	default:
		queueForServer(s, spec, req)
	}
	return true
}

// Reject refuses a command before it is looked into, which aborts the transaction that it was to be part
// of. spec may be nil.
func Reject(s *session.Session, spec *command.Spec, text string) {
	if spec != nil && spec.ID == command.IDExec {
		endTransaction(s)
		text = texts.ExecAbort(text)
	} else {
		abort(s)
	}
	cmd := command.NoID
	if spec != nil {
		cmd = spec.ID
	}
	s.Door.Scratch = parser.AppendError(s.Door.Scratch[:0], text)
	s.AnswerAs(cmd, s.Door.Scratch)
}

// queueForServer queues a command that the server answers.
func queueForServer(s *session.Session, spec *command.Spec, req *parser.Request) {
	tx, env := TxOf(s), s.Door
	if !env.Single() {
		text := placeAgain(s)
		if text == "" {
			text = placeInTransaction(s, spec, req.Args, req.Raw, tx.N)
		}
		if text != "" {
			Reject(s, spec, text)
			return
		}
	}
	if len(env.BusyOn) > 0 && env.Single() && s.Owed() == 0 && !spec.Flags.Has(command.FlagAllowBusy) {
		Reject(s, spec, strings.TrimRight(string(gather.BusyAnywhere(env.Env)[1:]), "\r\n"))
		return
	}
	switch env.ClassOf(spec) {
	case command.ClassPinned:
		if spec.ID == command.IDClientTracking && tracking.RedirectArg(req.Args) > 0 {
			Reject(s, spec, texts.RedirectInMulti)
			return
		}
		tx.dirty = true
	case command.ClassPubSub:
		if !env.Single() && !spec.Traits.Has(command.TraitPublishes) {
			Reject(s, spec, texts.NotInTransaction(spec.Name))
			return
		}
	}
	if text := guard.LocksOut(env.Env, spec, req.Args); text != "" {
		Reject(s, spec, text)
		return
	}
	if guard.Hides(env, spec) {
		tx.hidden = append(tx.hidden, hidden{at: tx.N, hide: guard.Hiders[spec.Name]})
	}
	if spec.ID == command.IDClientPause {
		tx.pauses = append(tx.pauses, parser.CloneWords(req.Args))
	}
	if spec.Traits.Has(command.TraitPublishes) {
		if tx.joins > 0 {
			Reject(s, spec, texts.SubAndPub) // the message comes over another connection
			return
		}
		m := message{at: tx.N, key: pubsub.PublishedTo(spec, req)}
		tx.messages, tx.size = append(tx.messages, m), tx.size+len(m.key.Name)+localOverhead
	}
	if env.Pool.LowMemory(serverForTransaction(s)) {
		s.Begin(&shortage{spec: spec, raw: bytes.Clone(req.Raw)})
		return
	}
	queued(s, spec, req.Raw)
}

// queued puts raw behind what is queued.
func queued(s *session.Session, spec *command.Spec, raw []byte) {
	tx := TxOf(s)
	if len(tx.buf.B)+tx.size+len(raw) > s.Door.Config.QueryBufferLimit {
		s.Close(stats.QueryBufferLimit)
		return
	}
	tx.writes = tx.writes || blocking.MayWrite(s.Door.Env, spec)
	tx.carrier |= s.Door.Rules.For(spec).Carrier
	tx.buf.B = append(tx.buf.B, raw...)
	tx.specs = append(tx.specs, spec)
	tx.N++
	s.AnswerString("+QUEUED\r\n")
}

// placeAgain finds the shard of all that is queued by the present map, if that is not the one by which it was found. A text says why it
// can't be sent.
func placeAgain(s *session.Session) (text string) {
	tx, env := TxOf(s), s.Door
	if tx.version == env.Version {
		return ""
	}
	tx.version = env.Version
	if env.Map.Slotted() {
		return "" // what has keys of several slots was refused; exec looks for the slot's server
	}
	tx.server, tx.key = session.AnyServer, nil
	for _, e := range tx.everywhere {
		tx.size -= len(e.raw) + localOverhead
	}
	tx.everywhere = nil
	if env.Single() {
		return ""
	}
	var p parser.RequestParser
	var req parser.Request
	limits, rest := parser.AnyLimits(), tx.buf.B
	for i := range tx.N + 1 {
		if done, err := p.Next(rest, &limits, &req); !done || err != nil {
			return texts.Syntax
		}
		rest = rest[req.Size:]
		if i == 0 {
			continue // MULTI
		}
		if text := placeInTransaction(s, tx.specs[i-1], req.Args, req.Raw, i-1); text != "" {
			return text
		}
	}
	return ""
}

// place has the transaction be for the server of its keys by the present map; false: they are at several, and EXEC was refused.
func place(s *session.Session) bool {
	tx := TxOf(s)
	if tx.version != s.Door.Version {
		if text := placeAgain(s); text != "" {
			endTransaction(s)
			if text != texts.CrossSlot {
				text = texts.ExecAbort(text)
			}
			s.Refuse(text)
			return false
		}
		if tx.key != nil && !s.Door.Map.Random() {
			tx.server = s.Door.Map.Lookup(tx.key)
		}
		tx.server = serverForTransaction(s)
	}
	return true
}

// placeInTransaction finds the shard of the keys of a queued command, before which there are at others. A text says why it can't be
// queued.
func placeInTransaction(s *session.Session, spec *command.Spec, args [][]byte, raw []byte, at int) (text string) {
	env := s.Door
	switch env.ClassOf(spec) {
	case command.ClassAllShards:
		if goesEverywhere(s, spec, args, raw, at) {
			return ""
		}
		return texts.NotInTransaction(spec.Name)
	case command.ClassScan, command.ClassPinned:
		return texts.NotInTransaction(spec.Name)
	}
	if env.HidesKeys(spec) {
		return texts.KeysUnknown(spec.Name)
	}
	if text := env.RefusesPatterns(spec, args); text != "" {
		return text
	}
	if spec.Traits.Has(command.TraitPublishes) {
		switch {
		case !env.Map.Slotted():
			return placeAt(s, pubsub.ChannelServer(env.Env, pubsub.Channel, args[1]), nil)
		case spec.ID == command.IDSpublish:
			return placeKey(s, args[1])
		}
		return ""
	}
	keys, err := spec.AppendKeys(env.Keys[:0], args)
	env.Keys = keys
	if err != nil {
		return "" // Redis says what is wrong with it
	}
	for i, k := range keys {
		key := args[k]
		if i > 0 && !env.Map.Together(key, args[keys[0]]) {
			return texts.CrossSlot
		}
		if text := placeKey(s, key); text != "" {
			return text
		}
	}
	return ""
}

// placeKey notes that the transaction is for the shard of key, too. A text says why it can't be. A node of a Redis Cluster queues
// what is for another of its own slots and refuses EXEC; what is for another node it refuses at once.
func placeKey(s *session.Session, key []byte) (text string) {
	tx, m := TxOf(s), s.Door.Map
	if m.Slotted() && tx.key != nil && !m.Together(key, tx.key) && m.Lookup(key) == m.Lookup(tx.key) {
		tx.crossed = true
		return ""
	}
	return placeAt(s, m.Lookup(key), key)
}

// placeAt notes that the transaction is for server, where key is (nil: it is a channel's). A text says why it can't be: it is for
// another one already, or the session watches keys there.
func placeAt(s *session.Session, server int, key []byte) (text string) {
	tx, m := TxOf(s), s.Door.Map
	if p := s.Pin; p != nil && p.Watches && p.Server != server && !m.Random() && !movedAway(p) && !hasSlotOf(p, key) {
		return texts.CrossSlot
	}
	at := tx.server
	if tx.key != nil {
		at = m.Lookup(tx.key) // it may have moved
	}
	switch {
	case tx.server == session.AnyServer:
		tx.server = server
	case at != server && !m.Random():
		return texts.CrossSlot
	}
	if tx.key == nil {
		tx.key = bytes.Clone(key)
	}
	return ""
}

// exec runs what is queued.
func exec(s *session.Session, req *parser.Request) {
	tx := TxOf(s)
	switch {
	case tx == nil:
		s.Refuse(texts.Exec)
		return
	case len(s.Door.BusyOn) > 0 && s.Door.Single() && s.Owed() == 0:
		endTransaction(s)
		s.Refuse(texts.ExecAbort(strings.TrimRight(string(gather.BusyAnywhere(s.Door.Env)[1:]), "\r\n")))
		return
	case tx.aborted:
		endTransaction(s)
		s.Refuse(texts.ExecAborted)
		return
	case tx.crossed:
		endTransaction(s)
		s.Refuse(texts.CrossSlot)
		return
	}
	if denied := deniedMeanwhile(s); denied != nil {
		endTransaction(s)
		s.Refuse(texts.ExecAbort(texts.NoPermission(denied.Name)))
		return
	}
	watchesMoved(s)
	if !place(s) {
		return
	}
	if tx.key != nil {
		// By the map of now: it may be newer than when the command was queued, and what comes after it goes by it.
		tx.server = s.Door.Map.Lookup(tx.key)
	}
	tx.server = serverForTransaction(s)
	astray := false
	if p := s.Pin; p != nil && p.Watches && p.Server != tx.server {
		if tx.N > 0 && !movedAway(p) && !hasSlotOf(p, tx.key) {
			endTransaction(s)
			s.Refuse(texts.CrossSlot)
			return
		}
		tx.server, astray = p.Server, tx.key != nil
	}
	tx.buf.B = append(tx.buf.B, req.Raw...)
	switch {
	case tx.N > 0 && blocking.Postpones(s.Door.Env, tx.writes):
		blocking.PostponeRun(s, execNow)
	case astray || s.Door.Pool.Apart(tx.carrier):
		// What was sent before for these keys has gone to where the map says that they are, or over a shared connection.
		s.Begin(&session.Errand{Send: func(*session.Session) {}, Done: func(s *session.Session) { execNow(s) }})
	default:
		execNow(s)
	}
}

// deniedMeanwhile is a command of the transaction that the operator has denied since it was queued; nil: there is none.
func deniedMeanwhile(s *session.Session) *command.Spec {
	tx, env := TxOf(s), s.Door
	if tx.rules == env.Rules {
		return nil
	}
	for _, spec := range tx.specs {
		if env.ClassOf(spec) == command.ClassRefused && env.Rules.For(spec).Handler == nil || spec.ID == session.OtherID && discovery.Denies(env.Rules, spec.Name, "", spec) {
			return spec
		}
	}
	return nil
}

// serverForTransaction is the server to which the transaction would go now.
func serverForTransaction(s *session.Session) int {
	switch p, tx := s.Pin, TxOf(s); {
	case tx.server != session.AnyServer:
		return tx.server
	case s.Door.Single():
		return s.Door.Home()
	case p != nil && p.Conn != nil && (p.Watches || p.Dirty):
		return p.Server
	}
	return s.AnyServer()
}

// execPrepared is execNow when what a transaction waits for is prepared; late: that has taken the timeout.
func execPrepared(s *session.Session, late bool) {
	if late {
		TxOf(s).late = true
	}
	execNow(s)
}

// execNow sends the transaction, over a connection that is known to be fit for it.
func execNow(s *session.Session) {
	tx := TxOf(s)
	if (tx.leaves || tx.joins > 0) && tx.prepare(s, execPrepared) {
		return
	}
	watchesMoved(s)
	switch {
	case s.Pin.WatchLost():
		// Nobody watches the keys any more: they may have changed.
		endTransaction(s)
		s.Door.Scratch = parser.AppendNullArray(s.Door.Scratch[:0], s.Protocol)
		s.Answer(s.Door.Scratch)
		return
	case !place(s):
		return
	case tx.N == 0 && (s.Pin == nil || !s.Pin.Watches):
		s.Transaction = nil
		execLocals(s, tx)
		return
	case tx.dirty && (s.Pin == nil || !s.Pin.Dirty):
		execApart(s)
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
		s.Begin(&proving{})
		return
	}
	// What comes behind may have to go over another connection or to another database, or ask the proxy for what
	// it was told in the transaction.
	moves := s.Door.Pool.Apart(tx.carrier) || len(tx.Locals) > 0 || len(tx.everywhere) > 0 || s.Pin != nil && (s.Pin.Watches || s.Pin.Blocks)
	sendTransaction(s)
	if moves {
		s.Begin(session.Standstill(blocking.Unblocked))
	}
}

func selects(tx *transaction) bool {
	for _, l := range tx.Locals {
		if l.sent {
			return true
		}
	}
	return false
}

// execApart gives the session a connection of its own for a transaction that leaves state on it.
func execApart(s *session.Session) {
	s.Begin(&session.Errand{
		Send: func(s *session.Session) {
			if s.Pin.WatchLost() {
				return // execNow says so
			}
			if !place(s) {
				return
			}
			p, f := s.PinTo(TxOf(s).server)
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

// endTransaction forgets the transaction and what is watched for it.
func endTransaction(s *session.Session) {
	Drop(s)
	forgetWatches(s)
}

// sendTransaction sends the transaction as one piece.
func sendTransaction(s *session.Session) {
	tx, env := TxOf(s), s.Door
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
	last := tx.N + 1
	needs := len(tx.buf.B)
	requests := tx.N + 2
	if selects(tx) {
		// The connection goes on in the database it was in, whatever EXEC has made of that.
		tx.buf.B = parser.AppendRequest(tx.buf.B, "SELECT", strconv.Itoa(s.Database()))
		requests++
	}
	o := newOutcome(env.Env.Loop)
	o.s, o.last, o.left, o.locals, o.n = s, uint64(last), requests, tx.Locals, tx.N
	o.conn, o.everywhere, o.hidden = conn, tx.everywhere, tx.hidden
	if o.messages = tx.messages; !pubsub.AnyTopics(env.Env) {
		o.messages = nil
	}
	o.tag = s.Expect(len(tx.buf.B))
	request := pool.Request{Raw: tx.buf.B, Recv: o, Batch: pool.Batch{Requests: requests, Needs: needs, Exec: last}, Carrier: tx.carrier}
	if env.Pool.Resends() {
		o.piece = &piece{buf: tx.buf, watched: watched, Resend: pool.Resend{
			Request: request, Rings: s.Rings, Seat: s.ConnIndex,
			Server: tx.server, Slot: session.SlotOf(tx.key, env.Map), Reads: !tx.writes && len(tx.everywhere) == 0, Since: env.Pool.Now, From: conn,
		}}
	}
	if conn.Own() && s.Pin != nil && s.Pin.Blocks {
		request.Manner = pool.Blocks
	}
	if f := conn.Enqueue(&request); f != nil {
		if o.piece != nil && o.unsent(f) {
			o.resend() // its keys may be elsewhere by now
			return
		}
		tag := o.tag
		if o.piece != nil {
			o.piece = nil
			env.Pool.Buffers.Put(tx.buf)
		}
		recycleOutcome(env.Env.Loop, o)
		s.Fail(tag, f)
		if watched {
			s.Pin.Soiled = true // no EXEC was sent: the server still watches
		}
	}
	if !env.Pool.Resends() {
		env.Pool.Buffers.Put(tx.buf)
	}
}
