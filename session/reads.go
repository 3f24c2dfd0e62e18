package session

import (
	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
)

// Commands that only read go to the servers that the read policy names (pool.Rings.PickRead), but for those of a client
// with state at the server, those of a transaction, and those that ask all shards: a SCAN must go on where it began.

// hasOneShard reports whether commands of a class, or their parts, go to where their keys are.
func hasOneShard(class command.Class) bool {
	return class == command.ClassSingle || class == command.ClassSameShard || class == command.ClassSplit
}

// Reads reports whether the read policy counts for a command of this client now.
func (s *Session) Reads(spec *command.Spec) bool {
	env := s.Door
	if !env.Rules.reads || s.Pin != nil || env.Replaying {
		return false
	}
	if spec.ID == OtherID {
		// What a module answers is never taken for a refusal here, and so nothing is sent elsewhere for it.
		return spec.ReadOnly() && hasOneShard(spec.Class) && !env.Pool.Resends()
	}
	return env.Rules.Of(spec).reads
}

// ConnFor is the connection for a request to the shard of primary; nil: it reads, and no replica can be read from.
func (s *Session) ConnFor(primary int, reads bool) *pool.Conn {
	if reads {
		return s.Rings.PickRead(primary, s.ConnIndex)
	}
	return s.Conn(primary)
}

// passRead is pass for a command that the read policy counts for.
func (s *Session) passRead(primary int, keys pool.Keys, spec *command.Spec, req *parser.Request) {
	conn := s.ConnFor(primary, true)
	if s.Door.Pool.AnyBusy() && s.turnedDown(conn, spec) {
		return
	}
	tag := s.Expect(len(req.Raw))
	request := pool.Request{Raw: req.Raw, Recv: s, Tag: tag, Keys: keys, Carrier: s.Door.Rules.Of(spec).Carrier, Manner: pool.ByPolicy}
	if request.Carrier != 0 {
		request.Manner = pool.Here
	}
	if f := s.EnqueueAt(conn, primary, &request); f != nil {
		s.Fail(tag, f)
	}
}
