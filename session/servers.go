package session

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
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
var wholeSlowLog = appendRequest(nil, "SLOWLOG", "GET", "-1")

// countClients counts the clients of all loops, before which the gather does not end.
func (g *gather) countClients() {
	g.hold()
	g.env.askLoopsFor(g.s, func(e *Env) any {
		n := 0
		e.roster.each(func(s *Session) {
			if !s.eof {
				n++
			}
		})
		return n
	}, func(answers []any) {
		g.asked.Clients = 0
		for _, n := range answers {
			g.asked.Clients += n.(int)
		}
		g.release()
	})
}

// keysOfDebug are the keys of a DEBUG command, if it has any.
func keysOfDebug(spec *command.Spec, args [][]byte) [][]byte {
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
func (s *Session) debugKeys(spec *command.Spec, req *parser.Request, keys [][]byte) {
	server := s.env.Map.Lookup(keys[0])
	for _, k := range keys[1:] {
		if !s.env.Map.Together(keys[0], k) {
			s.refuse(errCrossSlot)
			return
		}
	}
	s.pass(server, spec, req)
}

// namedShard is INFO.SHARD: INFO of the shard that the second word names, by number from 0 or by its server's name.
func (s *Session) namedShard(spec *command.Spec, req *parser.Request) {
	env := s.env
	server, ok := env.shardNamed(req.Args[1])
	if !ok {
		s.refuse(noSuchShard(req.Args[1], len(env.Map.Shards())))
		return
	}
	env.build = parser.AppendArray(env.build[:0], len(req.Args)-1)
	env.build = parser.AppendBulkString(env.build, "INFO")
	for _, a := range req.Args[2:] {
		env.build = parser.AppendBulk(env.build, a)
	}
	conn := s.conn(server)
	tag := s.expect(len(req.Raw))
	if f := conn.Enqueue(&pool.Request{Raw: env.build, Recv: s, Tag: tag, Manner: pool.Here}); f != nil {
		s.Fail(tag, f)
	}
}

func (e *Env) shardNamed(name []byte) (server int, ok bool) {
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
