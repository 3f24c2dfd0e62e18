package session

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session/texts"
)

// AnyServer asks Pass and Send to choose a server for a command that any can answer.
const AnyServer = -1

// Pass sends the whole request to one server, an index of Env.Map or AnyServer, whose reply goes to the client as it is. If it can't be
// sent the client gets an error. Borrows req until return.
func (s *Session) Pass(server int, spec *command.Spec, req *parser.Request) {
	s.Send(server, s.Door.keysOf(spec, req.Args), spec, req)
}

// SendPlain is Send for a command whose rule is Plain.
func (s *Session) SendPlain(server int, keys pool.Keys, spec *command.Spec, req *parser.Request) {
	d := s.Door
	if len(req.Raw) >= pool.LargeRequest || d.Replaying || d.Pool.AnyBusy() {
		s.Send(server, keys, spec, req)
		return
	}
	conn := s.Conn(server)
	tag := s.Expect(len(req.Raw))
	if f := conn.EnqueuePlain(req.Raw, s, tag, keys); f != nil {
		s.Fail(tag, f)
	}
}

// Send is Pass for a request of whose keys the pool's part is known.
func (s *Session) Send(server int, keys pool.Keys, spec *command.Spec, req *parser.Request) {
	if server == AnyServer {
		server = s.AnyServer()
	}
	d := s.Door
	if d.Rules.reads && s.ReadsByPolicy(spec) {
		s.passRead(server, keys, spec, req)
		return
	}
	conn := s.Conn(server)
	if d.Pool.AnyBusy() && s.turnedDown(conn, spec) {
		return
	}
	large := len(req.Raw) >= pool.LargeRequest
	if large && s.waitsForRoom(conn, req) {
		return
	}
	tag := s.Expect(len(req.Raw))
	var f *pool.Failure
	if large || d.Replaying || d.Rules.For(spec).Carrier != 0 {
		f = s.passOdd(conn, keys, spec, req, tag)
	} else {
		f = conn.EnqueuePlain(req.Raw, s, tag, keys)
	}
	if f != nil {
		s.Fail(tag, f)
	}
}

// passOdd is Send for a request that is large, a carrier, or postponed.
func (s *Session) passOdd(conn *pool.Conn, keys pool.Keys, spec *command.Spec, req *parser.Request, tag uint64) (f *pool.Failure) {
	request := pool.Request{Raw: req.Raw, Recv: s, Tag: tag, Keys: keys, Carrier: s.Door.Rules.For(spec).Carrier}
	if request.Carrier == 0 {
		if request.Buf = s.Input.Whole(req); request.Buf != nil {
			if f = conn.Enqueue(&request); f == nil {
				s.Input.Disown()
			}
			return f
		}
	}
	request.Manner = s.Door.Manner(conn)
	return conn.Enqueue(&request)
}

// AnyServer is the first server that can answer now.
func (s *Session) AnyServer() int {
	for _, i := range s.Door.Map.Shards() {
		if s.Rings.Pick(i, s.ConnIndex).State() == pool.Ready {
			return i
		}
	}
	return s.Door.Home()
}

// BusyBehind is the error with which a server that a script keeps busy would turn down a command now; nil: it would not. What the
// session itself has under way comes first, as on a connection of its own; own places among the replies owed are the command's.
func (s *Session) BusyBehind(conn *pool.Conn, spec *command.Spec, own int) []byte {
	if conn == nil || !s.Door.Pool.AnyBusy() || s.Owed() > own || spec.Flags.Has(command.FlagAllowBusy) {
		return nil
	}
	return conn.Busy()
}

// turnedDown answers for a server that a script keeps busy; false: the command can be sent.
func (s *Session) turnedDown(conn *pool.Conn, spec *command.Spec) bool {
	busy := s.BusyBehind(conn, spec, 0)
	if busy == nil {
		return false
	}
	s.Answer(busy)
	return true
}

// OneShard is the server on which all keys of a request live; !ok: they live on several, and it was
// refused. Without keys it is the first, so that what such scripts keep is always in one place.
func (s *Session) OneShard(spec *command.Spec, req *parser.Request) (server int, ok bool) {
	env := s.Door
	if env.Single() {
		return env.Home(), true
	}
	if server, ok = env.ShardOf(spec, req.Args); !ok {
		s.Refuse(texts.CrossSlot)
	}
	return server, ok
}

// WaitsBehind has a command for all shards wait until what its client has sent before is answered, where that may still go from
// one server to another and would come behind the command there; false: it need not.
func (s *Session) WaitsBehind(spec *command.Spec, raw []byte) bool {
	if s.Owed() == 0 || !s.Door.Pool.Resends() || !spec.ReadOnly() && !spec.Flags.Has(command.FlagWrite) {
		return false
	}
	raw = bytes.Clone(raw)
	s.Begin(&Errand{Send: func(s *Session) { s.Door.Route(s, spec, raw) }, Done: func(*Session) {}})
	return true
}

// Scripts, functions and commands of modules can have a server write their client's text into a reply as it came, and so forge
// replies. A fence follows each of them (pool.Carrier). Where a server is known for it they go over lanes, which is a passage
// like every change of the connection.

// GoesApart has a carrier wait until what its client has sent before is answered, where it may go over a lane; false: it can be
// sent now.
func (s *Session) GoesApart(spec *command.Spec, class command.Class, carrier pool.Carrier, req *parser.Request) bool {
	env := s.Door
	if env.apart || env.Replaying || !env.Pool.Apart(carrier) {
		return false
	}
	switch class {
	case command.ClassSingle, command.ClassSameShard, command.ClassSplit, command.ClassAnyShard, command.ClassAllShards, command.ClassNamedShard:
	default: // it is a passage already, or refused
		return false
	}
	raw := bytes.Clone(req.Raw)
	s.Begin(&Errand{
		Send: func(s *Session) {
			s.Door.apart = true
			s.Door.Route(s, spec, raw)
			s.Door.apart = false
		},
		Done: func(*Session) {},
	})
	return true
}

// EnqueueAt sends a request to the shard of primary over the connection that ConnFor has given. That is nil when none of the shard's
// replicas can be read from: then a carrier fails, and what else reads waits for one.
func (s *Session) EnqueueAt(conn *pool.Conn, primary int, r *pool.Request) *pool.Failure {
	if conn == nil {
		if r.Carrier != 0 {
			return &pool.Failure{Kind: pool.NoReplica, Server: s.Door.Map.Server(primary).Name}
		}
		conn = s.Rings.Pick(primary, s.ConnIndex)
	}
	return conn.Enqueue(r)
}

// EnqueueBlocking sends a command that may wait at the server, on a connection of the session's own.
func (d *Door) EnqueueBlocking(conn *pool.Conn, raw []byte, recv pool.Receiver, tag uint64, spec *command.Spec) *pool.Failure {
	return conn.Enqueue(&pool.Request{Raw: raw, Recv: recv, Tag: tag, Carrier: d.Rules.For(spec).Carrier, Manner: pool.Here | pool.Blocks})
}

// Commands that only read go to the servers that the read policy names (pool.Rings.PickRead), but for those of a client
// with state at the server, those of a transaction, and those that ask all shards: a SCAN must go on where it began.

// ReadsByPolicy reports whether the read policy counts for a command of this client now.
func (s *Session) ReadsByPolicy(spec *command.Spec) bool {
	env := s.Door
	if !env.Rules.reads || s.Pin != nil || env.Replaying {
		return false
	}
	if spec.ID == command.OtherID {
		// What a module answers is never taken for a refusal here, and so nothing is sent elsewhere for it.
		return spec.ReadOnly() && spec.Class.OneShard() && !env.Pool.Resends()
	}
	return env.Rules.For(spec).reads
}

// ConnFor is the connection for a request to the shard of primary; nil: it reads, and no replica can be read from.
func (s *Session) ConnFor(primary int, reads bool) *pool.Conn {
	if reads {
		return s.Rings.PickRead(primary, s.ConnIndex)
	}
	return s.Conn(primary)
}

// passRead is Send for a command that the read policy counts for.
func (s *Session) passRead(primary int, keys pool.Keys, spec *command.Spec, req *parser.Request) {
	conn := s.ConnFor(primary, true)
	if s.Door.Pool.AnyBusy() && s.turnedDown(conn, spec) {
		return
	}
	tag := s.Expect(len(req.Raw))
	request := pool.Request{Raw: req.Raw, Recv: s, Tag: tag, Keys: keys, Carrier: s.Door.Rules.For(spec).Carrier, Manner: pool.ByPolicy}
	if request.Carrier != 0 {
		request.Manner = pool.Here
	}
	if f := s.EnqueueAt(conn, primary, &request); f != nil {
		s.Fail(tag, f)
	}
}

// Reject refuses a command before it is carried out or queued. If the client has said MULTI, its EXEC will be refused, too. spec is nil for
// a command that does not exist. Loop-only.
func (s *Session) Reject(spec *command.Spec, text string) {
	s.Door.Features.Rejected(s, spec)
	id := command.NoID
	if spec != nil {
		id = spec.ID
	}
	if id == command.IDExec {
		text = texts.ExecAbort(text)
	}
	s.Door.Scratch = parser.AppendError(s.Door.Scratch[:0], text)
	s.AnswerAs(id, s.Door.Scratch)
}
