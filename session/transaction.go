package session

import (
	"bytes"
	"strings"

	"github.com/valyala/bytebufferpool"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/stats"
)

// transaction is what a client has queued since MULTI. Nothing of it is sent before EXEC: then MULTI, the
// commands and EXEC go out as one piece, between which nobody else's commands can come, over the connection
// that clients share, or the session's own when it watches keys.
type transaction struct {
	kept
	buf        *bytebufferpool.ByteBuffer // MULTI and the commands as they will be sent
	n          int                        // commands in buf
	specs      []*command.Spec            // of these
	version    uint16                     // of the map by which server was found
	rules      *Rules                     // by which they were allowed
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
	locals     []local
	everywhere []everywhere // what is for all shards
	size       int          // bytes of the requests of locals and everywhere, and of the messages' channels
	messages   []message
	hidden     []hidden
}

// txOf is what a client has queued; nil: it has said no MULTI.
func txOf(s *Session) *transaction {
	if s.tx == nil {
		return nil
	}
	return s.tx.of.(*transaction)
}

// transactionFeature is what the core calls.
var transactionFeature = Feature{
	Rejected: abort,
	Closed:   (*Session).dropTransaction,
	Forget:   func(l *Loop) { l.outcomes = nil },
}

// abort has EXEC refused, if the client has said MULTI.
func abort(s *Session) {
	if tx := txOf(s); tx != nil {
		tx.aborted = true
	}
}

// message is a PUBLISH in a transaction.
type message struct {
	at  int // commands in buf before it
	key topicKey
}

// transact carries out MULTI, EXEC, DISCARD, WATCH and UNWATCH.
func (s *Session) transact(spec *command.Spec, req *parser.Request) {
	switch spec.ID {
	case command.IDMulti:
		if s.tx != nil {
			s.refuse(errNestedMulti)
			return
		}
		tx := &transaction{buf: s.env.Pool.Buffers.Get(), server: anyServer, version: s.env.version, rules: s.env.Rules}
		tx.buf.B = append(tx.buf.B, req.Raw...)
		tx.of, s.tx = tx, &tx.kept
		s.answerString("+OK\r\n")
	case command.IDDiscard:
		if s.tx == nil {
			s.refuse(errDiscard)
			return
		}
		s.dropTransaction()
		s.forgetWatches()
		s.answerString("+OK\r\n")
	case command.IDExec:
		s.exec(req)
	case command.IDWatch:
		s.watch(spec, req)
	case command.IDUnwatch:
		s.forgetWatches()
		s.answerString("+OK\r\n")
	}
}

func (s *Session) dropTransaction() {
	if tx := txOf(s); tx != nil {
		letGoOf(s, tx.locals)
		s.env.Pool.Buffers.Put(tx.buf)
		s.tx = nil
	}
}

// queue puts a command behind MULTI; false: it is one that acts at once.
func (s *Session) queue(spec *command.Spec, req *parser.Request) bool {
	if spec.Traits.Has(command.TraitActsInMulti) {
		if (spec.ID == command.IDMulti || spec.ID == command.IDWatch) && s.env.valkey(9) {
			s.reject(spec, s.env.notInMulti(spec)) // and the transaction is over
			return true
		}
		return false
	}
	class, handler := s.env.classOf(spec), s.env.Rules.of(spec).handler
	switch {
	case spec.Flags.Has(command.FlagNoMulti) && (spec.ID != command.IDClientReply || s.env.valkey(9)): // others than Valkey 9 queue CLIENT REPLY
		s.reject(spec, s.env.notInMulti(spec))
	case class == command.ClassRefused && handler == nil:
		s.reject(spec, noPermission(spec.Name))
	case spec.Traits.Has(command.TraitSubscribes), spec.Traits.Has(command.TraitUnsubscribes), handler != nil && !spec.Traits.Has(command.TraitStateless):
		s.queueLocal(spec, req)
	case class == command.ClassLocal && handler == nil:
		s.reject(spec, unsupported(spec.Name))
	default:
		s.queueForServer(spec, req)
	}
	return true
}

// reject refuses a command before it is looked into, which aborts the transaction that it was to be part
// of. spec may be nil.
func (s *Session) reject(spec *command.Spec, text string) {
	if spec != nil && spec.ID == command.IDExec {
		s.endTransaction()
		text = execAbort(text)
	} else {
		abort(s)
	}
	cmd := command.NoID
	if spec != nil {
		cmd = spec.ID
	}
	s.env.scratch = parser.AppendError(s.env.scratch[:0], text)
	s.answerAs(cmd, s.env.scratch)
}

// queueForServer queues a command that the server answers.
func (s *Session) queueForServer(spec *command.Spec, req *parser.Request) {
	tx, env := txOf(s), s.env
	if !env.single() {
		text := s.placeAgain()
		if text == "" {
			text = s.placeInTransaction(spec, req.Args, req.Raw, tx.n)
		}
		if text != "" {
			s.reject(spec, text)
			return
		}
	}
	if len(env.busyOn) > 0 && env.single() && s.Owed() == 0 && !spec.Flags.Has(command.FlagAllowBusy) {
		s.reject(spec, strings.TrimRight(string(env.busyAnywhere()[1:]), "\r\n"))
		return
	}
	switch env.classOf(spec) {
	case command.ClassPinned:
		if spec.ID == command.IDClientTracking && redirectAt(req.Args) > 0 {
			s.reject(spec, errRedirectInMulti)
			return
		}
		tx.dirty = true
	case command.ClassPubSub:
		if !env.single() && !spec.Traits.Has(command.TraitPublishes) {
			s.reject(spec, notInTransaction(spec.Name))
			return
		}
	}
	if text := env.locksOut(spec, req.Args); text != "" {
		s.reject(spec, text)
		return
	}
	if env.hides(spec) {
		tx.hidden = append(tx.hidden, hidden{at: tx.n, hide: hiders[spec.Name]})
	}
	if spec.ID == command.IDClientPause {
		tx.pauses = append(tx.pauses, cloneWords(req.Args))
	}
	if spec.Traits.Has(command.TraitPublishes) {
		if tx.joins > 0 {
			s.reject(spec, errSubAndPub) // the message comes over another connection
			return
		}
		m := message{at: tx.n, key: publishedTo(spec, req)}
		tx.messages, tx.size = append(tx.messages, m), tx.size+len(m.key.name)+localOverhead
	}
	if env.Pool.Short(s.serverForTransaction()) {
		s.begin(&shortage{spec: spec, raw: bytes.Clone(req.Raw)})
		return
	}
	s.queued(spec, req.Raw)
}

// queued puts raw behind what is queued.
func (s *Session) queued(spec *command.Spec, raw []byte) {
	tx := txOf(s)
	if len(tx.buf.B)+tx.size+len(raw) > s.env.Config.QueryBufferLimit {
		s.close(stats.QueryBufferLimit)
		return
	}
	tx.writes = tx.writes || s.env.mayWrite(spec)
	tx.carrier |= s.env.Rules.of(spec).carrier
	tx.buf.B = append(tx.buf.B, raw...)
	tx.specs = append(tx.specs, spec)
	tx.n++
	s.answerString("+QUEUED\r\n")
}

// placeAgain finds the shard of all that is queued by the present map, if that is not the one by which it was found. A text says why it
// can't be sent.
func (s *Session) placeAgain() (text string) {
	tx, env := txOf(s), s.env
	if tx.version == env.version {
		return ""
	}
	tx.version = env.version
	if env.Map.Slotted() {
		return "" // what has keys of several slots was refused; exec looks for the slot's server
	}
	tx.server, tx.key = anyServer, nil
	for _, e := range tx.everywhere {
		tx.size -= len(e.raw) + localOverhead
	}
	tx.everywhere = nil
	if env.single() {
		return ""
	}
	var p parser.RequestParser
	var req parser.Request
	rest := tx.buf.B
	for i := range tx.n + 1 {
		if done, err := p.Next(rest, &anyLimits, &req); !done || err != nil {
			return errSyntax
		}
		rest = rest[req.Size:]
		if i == 0 {
			continue // MULTI
		}
		if text := s.placeInTransaction(tx.specs[i-1], req.Args, req.Raw, i-1); text != "" {
			return text
		}
	}
	return ""
}

// place has the transaction be for the server of its keys by the present map; false: they are at several, and EXEC was refused.
func (s *Session) place() bool {
	tx := txOf(s)
	if tx.version != s.env.version {
		if text := s.placeAgain(); text != "" {
			s.endTransaction()
			if text != errCrossSlot {
				text = execAbort(text)
			}
			s.refuse(text)
			return false
		}
		if tx.key != nil && !s.env.Map.Random() {
			tx.server = s.env.Map.Lookup(tx.key)
		}
		tx.server = s.serverForTransaction()
	}
	return true
}

// placeInTransaction finds the shard of the keys of a queued command, before which there are at others. A text says why it can't be
// queued.
func (s *Session) placeInTransaction(spec *command.Spec, args [][]byte, raw []byte, at int) (text string) {
	env := s.env
	switch env.classOf(spec) {
	case command.ClassAllShards:
		if s.goesEverywhere(spec, args, raw, at) {
			return ""
		}
		return notInTransaction(spec.Name)
	case command.ClassScan, command.ClassPinned:
		return notInTransaction(spec.Name)
	}
	if env.hidesKeys(spec) {
		return keysUnknown(spec.Name)
	}
	if text := env.refusesPatterns(spec, args); text != "" {
		return text
	}
	if spec.Traits.Has(command.TraitPublishes) {
		switch {
		case !env.Map.Slotted():
			return s.placeAt(env.channelServer(channel, args[1]), nil)
		case spec.ID == command.IDSpublish:
			return s.placeKey(args[1])
		}
		return ""
	}
	keys, err := spec.AppendKeys(env.keys[:0], args)
	env.keys = keys
	if err != nil {
		return "" // Redis says what is wrong with it
	}
	for i, k := range keys {
		key := args[k]
		if i > 0 && !env.Map.Together(key, args[keys[0]]) {
			return errCrossSlot
		}
		if text := s.placeKey(key); text != "" {
			return text
		}
	}
	return ""
}

// placeKey notes that the transaction is for the shard of key, too. A text says why it can't be. A node of a Redis Cluster queues
// what is for another of its own slots and refuses EXEC; what is for another node it refuses at once.
func (s *Session) placeKey(key []byte) (text string) {
	tx, m := txOf(s), s.env.Map
	if m.Slotted() && tx.key != nil && !m.Together(key, tx.key) && m.Lookup(key) == m.Lookup(tx.key) {
		tx.crossed = true
		return ""
	}
	return s.placeAt(m.Lookup(key), key)
}

// placeAt notes that the transaction is for server, where key is (nil: it is a channel's). A text says why it can't be: it is for
// another one already, or the session watches keys there.
func (s *Session) placeAt(server int, key []byte) (text string) {
	tx, m := txOf(s), s.env.Map
	if p := s.pin; p != nil && p.watches && p.server != server && !m.Random() && !p.movedAway() && !p.hasSlotOf(key) {
		return errCrossSlot
	}
	at := tx.server
	if tx.key != nil {
		at = m.Lookup(tx.key) // it may have moved
	}
	switch {
	case tx.server == anyServer:
		tx.server = server
	case at != server && !m.Random():
		return errCrossSlot
	}
	if tx.key == nil {
		tx.key = bytes.Clone(key)
	}
	return ""
}

// exec runs what is queued.
func (s *Session) exec(req *parser.Request) {
	tx := txOf(s)
	switch {
	case tx == nil:
		s.refuse(errExec)
		return
	case len(s.env.busyOn) > 0 && s.env.single() && s.Owed() == 0:
		s.endTransaction()
		s.refuse(execAbort(strings.TrimRight(string(s.env.busyAnywhere()[1:]), "\r\n")))
		return
	case tx.aborted:
		s.endTransaction()
		s.refuse(errExecAbort)
		return
	case tx.crossed:
		s.endTransaction()
		s.refuse(errCrossSlot)
		return
	}
	if denied := s.deniedMeanwhile(); denied != nil {
		s.endTransaction()
		s.refuse(execAbort(noPermission(denied.Name)))
		return
	}
	s.watchesMoved()
	if !s.place() {
		return
	}
	if tx.key != nil {
		// By the map of now: it may be newer than when the command was queued, and what comes after it goes by it.
		tx.server = s.env.Map.Lookup(tx.key)
	}
	tx.server = s.serverForTransaction()
	astray := false
	if p := s.pin; p != nil && p.watches && p.server != tx.server {
		if tx.n > 0 && !p.movedAway() && !p.hasSlotOf(tx.key) {
			s.endTransaction()
			s.refuse(errCrossSlot)
			return
		}
		tx.server, astray = p.server, tx.key != nil
	}
	tx.buf.B = append(tx.buf.B, req.Raw...)
	switch {
	case tx.n > 0 && s.env.postpones(tx.writes):
		s.begin(&postponed{run: (*Session).execNow})
	case astray || s.env.Pool.Apart(tx.carrier):
		// What was sent before for these keys has gone to where the map says that they are, or over a shared connection.
		s.begin(&errand{send: func(*Session) {}, done: func(s *Session) { s.execNow() }})
	default:
		s.execNow()
	}
}

// deniedMeanwhile is a command of the transaction that the operator has denied since it was queued; nil: there is none.
func (s *Session) deniedMeanwhile() *command.Spec {
	tx, env := txOf(s), s.env
	if tx.rules == env.Rules {
		return nil
	}
	for _, spec := range tx.specs {
		if env.classOf(spec) == command.ClassRefused && env.Rules.of(spec).handler == nil || spec.ID == otherID && env.Rules.denies(spec.Name, "", spec) {
			return spec
		}
	}
	return nil
}

// serverForTransaction is the server to which the transaction would go now.
func (s *Session) serverForTransaction() int {
	switch p, tx := s.pin, txOf(s); {
	case tx.server != anyServer:
		return tx.server
	case s.env.single():
		return s.env.home()
	case p != nil && p.conn != nil && (p.watches || p.dirty):
		return p.server
	}
	return s.anyServer()
}

// execPrepared is execNow when what a transaction waits for is prepared; late: that has taken the timeout.
func (s *Session) execPrepared(late bool) {
	if late {
		txOf(s).late = true
	}
	s.execNow()
}

// execNow sends the transaction, over a connection that is known to be fit for it.
func (s *Session) execNow() {
	tx := txOf(s)
	if (tx.leaves || tx.joins > 0) && tx.prepare(s, (*Session).execPrepared) {
		return
	}
	s.watchesMoved()
	switch {
	case s.watchLost():
		// Nobody watches the keys any more: they may have changed.
		s.endTransaction()
		s.env.scratch = appendNullArray(s.env.scratch[:0], s.proto)
		s.answer(s.env.scratch)
		return
	case !s.place():
		return
	case tx.n == 0 && (s.pin == nil || !s.pin.watches):
		s.tx = nil
		s.execLocals(tx)
		return
	case tx.dirty && (s.pin == nil || !s.pin.dirty):
		s.execApart()
		return
	case !s.conn(tx.server).TakesMulti() && s.pin != nil && s.pin.watches:
		refusal := s.pin.refusal
		s.endTransaction()
		if refusal == nil {
			s.refuse(errMultiRefused)
			return
		}
		s.answer(refusal)
		return
	case !s.conn(tx.server).TakesMulti():
		s.begin(&proving{})
		return
	}
	// What comes behind may have to go over another connection or to another database, or ask the proxy for what
	// it was told in the transaction.
	moves := s.env.Pool.Apart(tx.carrier) || len(tx.locals) > 0 || len(tx.everywhere) > 0 || s.pin != nil && (s.pin.watches || s.pin.blocks)
	s.sendTransaction()
	if moves {
		s.begin(standstill((*Session).unblocked))
	}
}

func selects(tx *transaction) bool {
	for _, l := range tx.locals {
		if l.sent {
			return true
		}
	}
	return false
}

// execApart gives the session a connection of its own for a transaction that leaves state on it.
func (s *Session) execApart() {
	s.begin(&errand{
		send: func(s *Session) {
			if s.watchLost() {
				return // execNow says so
			}
			if !s.place() {
				return
			}
			p, f := s.pinTo(txOf(s).server)
			if f == nil {
				p.dirty = true
				return
			}
			s.dropTransaction()
			s.env.scratch = appendFailure(s.env.scratch[:0], f, s.env.Env)
			s.answer(s.env.scratch)
		},
		done: func(s *Session) {
			if s.tx != nil {
				s.execNow()
			}
		},
	})
}

// endTransaction forgets the transaction and what is watched for it.
func (s *Session) endTransaction() {
	s.dropTransaction()
	s.forgetWatches()
}

// sendTransaction sends the transaction as one piece.
func (s *Session) sendTransaction() {
	tx, env := txOf(s), s.env
	conn := s.conn(tx.server)
	env.Pool.ExpectScript(tx.server)
	s.tx = nil
	for _, args := range tx.pauses {
		s.notePause(args)
	}
	watched := s.pin != nil && s.pin.watches
	if watched {
		s.pin.watches, s.pin.lost = false, false // EXEC ends them
	}
	last := tx.n + 1
	needs := len(tx.buf.B)
	requests := tx.n + 2
	if selects(tx) {
		// The connection goes on in the database it was in, whatever EXEC has made of that.
		tx.buf.B = appendRequest(tx.buf.B, "SELECT", itoa(s.db()))
		requests++
	}
	o := env.outcome()
	o.s, o.last, o.left, o.locals, o.n = s, uint64(last), requests, tx.locals, tx.n
	o.conn, o.everywhere, o.hidden = conn, tx.everywhere, tx.hidden
	if o.messages = tx.messages; !env.anyTopics() {
		o.messages = nil
	}
	o.tag = s.expect(len(tx.buf.B))
	request := pool.Request{Raw: tx.buf.B, Recv: o, Batch: pool.Batch{Requests: requests, Needs: needs, Exec: last}, Carrier: tx.carrier}
	if env.Pool.Resends() {
		o.piece = &piece{buf: tx.buf, watched: watched, Resend: pool.Resend{
			Request: request, Rings: s.rings, Seat: s.seat,
			Server: tx.server, Slot: slotOf(tx.key, env.Map), Reads: !tx.writes && len(tx.everywhere) == 0, Since: env.Pool.Now, From: conn,
		}}
	}
	if conn.Own() && s.pin != nil && s.pin.blocks {
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
		env.recycleOutcome(o)
		s.Fail(tag, f)
		if watched {
			s.pin.soiled = true // no EXEC was sent: the server still watches
		}
	}
	if !env.Pool.Resends() {
		env.Pool.Buffers.Put(tx.buf)
	}
}
