package session

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
)

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

// EnqueueAt sends a request to the shard of primary over the connection that connFor has given. That is nil when none of the shard's
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
	return conn.Enqueue(&pool.Request{Raw: raw, Recv: recv, Tag: tag, Carrier: d.Rules.Of(spec).Carrier, Manner: pool.Here | pool.Blocks})
}

// Witness is pool.Config.Witness: EXISTS of the same keys, or what a server without that role refuses.
func Witness(dst, raw, reply []byte) []byte {
	if bytes.HasPrefix(reply, []byte("-READONLY ")) {
		return append(dst, parser.AppendRequest(nil, "ROLE")...)
	}
	keys := keysOfRaw(raw)
	if len(keys) == 0 {
		return append(dst, parser.AppendRequest(nil, "DBSIZE")...)
	}
	dst = parser.AppendArray(dst, 1+len(keys))
	dst = parser.AppendBulkString(dst, "EXISTS")
	for _, key := range keys {
		dst = parser.AppendBulk(dst, key)
	}
	return dst
}

// keysOfRaw are the keys of a request. A command that the table lacks is taken to begin with its key.
func keysOfRaw(raw []byte) (keys [][]byte) {
	req, ok := parser.Reparse(raw)
	if !ok {
		return nil
	}
	spec := command.Lookup(req.Args[0])
	if spec == nil {
		return req.Args[1:min(2, len(req.Args))]
	}
	if spec.HasSubs() && len(req.Args) > 1 && spec.Sub(req.Args[1]) != nil {
		spec = spec.Sub(req.Args[1])
	}
	at, err := spec.AppendKeys(nil, req.Args)
	if err != nil {
		return nil
	}
	for _, i := range at {
		keys = append(keys, req.Args[i])
	}
	return keys
}
