package gather

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/texts"
)

// Commands that describe a server, asked of several. What they say is joined by package merge.

// defaultEntries is how many entries SLOWLOG GET and ACL LOG give when no number is asked for.
const defaultEntries = 10

// entryLimit is the number of entries that a request for a log asks for; below 0: all.
func entryLimit(args [][]byte) int64 {
	if len(args) < 3 {
		return defaultEntries
	}
	if n, ok := parser.Int(args[2]); ok {
		return n
	}
	return -1
}

// wholeSlowLog is what the servers are asked for SLOWLOG LEN.
var wholeSlowLog = parser.AppendRequest(nil, "SLOWLOG", "GET", "-1")

// CountClients counts the clients of all loops, before which the gather does not end.
func (g *Gather) CountClients() {
	g.Delay()
	g.Env.AskLoopsFor(g.Session, func(e *session.Env) any {
		n := 0
		e.Roster.Each(func(s *session.Session) {
			if !s.EOF {
				n++
			}
		})
		return n
	}, func(answers []any) {
		g.Asked.Clients = 0
		for _, n := range answers {
			g.Asked.Clients += n.(int)
		}
		g.Start()
	})
}

// KeysOfDebug are the keys of a DEBUG command, if it has any.
func KeysOfDebug(spec *command.Spec, args [][]byte) [][]byte {
	if spec.ID != command.IDDebug || len(args) < 3 {
		return nil
	}
	if bytes.EqualFold(args[1], []byte("digest-value")) {
		return args[2:]
	}
	for _, name := range []string{"object", "sdslen", "ziplist", "listpack", "quicklist", "htstats-key"} {
		if bytes.EqualFold(args[1], []byte(name)) {
			return args[2:3]
		}
	}
	return nil
}

// debugKeys sends a DEBUG command to the shard of its keys.
func debugKeys(s *session.Session, spec *command.Spec, req *parser.Request, keys [][]byte) {
	server := s.Door.Map.Lookup(keys[0])
	for _, k := range keys[1:] {
		if !s.Door.Map.Together(keys[0], k) {
			s.Refuse(texts.CrossSlot)
			return
		}
	}
	s.Pass(server, spec, req)
}

// NamedShard is INFO.SHARD: INFO of the shard that the second word names, by number from 0 or by its server's name.
func NamedShard(s *session.Session, spec *command.Spec, req *parser.Request) {
	env := s.Door
	server, ok := shardNamed(env.Env, req.Args[1])
	if !ok {
		s.Refuse(texts.NoSuchShard(req.Args[1], len(env.Map.Shards())))
		return
	}
	env.Build = parser.AppendArray(env.Build[:0], len(req.Args)-1)
	env.Build = parser.AppendBulkString(env.Build, "INFO")
	for _, a := range req.Args[2:] {
		env.Build = parser.AppendBulk(env.Build, a)
	}
	conn := s.Conn(server)
	tag := s.Expect(len(req.Raw))
	if f := conn.Enqueue(&pool.Request{Raw: env.Build, Recv: s, Tag: tag, Manner: pool.Here}); f != nil {
		s.Fail(tag, f)
	}
}

func shardNamed(e *session.Env, name []byte) (server int, ok bool) {
	if n, ok := parser.Int(name); ok && n >= 0 && n < int64(len(e.Map.Shards())) {
		return e.Map.Shards()[n], true
	}
	for _, i := range e.Map.Shards() {
		if e.Map.Server(i).Name == string(name) {
			return i, true
		}
	}
	return 0, false
}
