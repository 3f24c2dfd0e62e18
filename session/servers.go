package session

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
)

// Commands that describe a server, asked of several.

// texts puts the shards' texts one behind the other, each under its server's name. A shard that failed has its error
// there; when all did, it is the reply. Parts are in the order of the shards.
func (g *gather) texts(dst []byte) []byte {
	var text []byte
	like := byte(0)
	for i := range g.parts {
		b := g.parts[i].buf.B
		word, ok := stringOf(b)
		switch {
		case ok:
			like = max(like, b[0])
		case b[0] == '-':
			word = b[1 : len(b)-2]
		default:
			return parser.AppendError(dst, errOddReply)
		}
		if i > 0 {
			text = append(text, '\n')
		}
		text = append(text, "# "...)
		text = append(text, g.env.Map.Server(g.parts[i].server).Name...)
		text = append(text, '\n')
		text = append(text, word...)
		if !bytes.HasSuffix(word, []byte("\n")) {
			text = append(text, '\n')
		}
	}
	if like == 0 {
		return append(dst, g.firstError()...)
	}
	return appendText(dst, like, text)
}

// joinDebug is one answer where all say the same, else their texts.
func (g *gather) joinDebug(dst []byte) []byte {
	for i := range g.parts {
		if b := g.parts[i].buf.B; !bytes.Equal(b, g.parts[0].buf.B) {
			if _, ok := stringOf(b); ok {
				return g.texts(dst)
			}
		}
	}
	return g.first(dst)
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
			s.refuse(spec, errCrossSlot)
			return
		}
	}
	s.pass(server, spec, req)
}

// joinRole is a primary with the replicas of all shards, each as far behind as it is behind its own. A shard that is
// no primary is the answer: a client must not take it for one.
func (g *gather) joinRole(dst []byte) []byte {
	var furthest int64
	replicas := 0
	for i := range g.parts {
		role, offset, list, ok := readRole(g.parts[i].buf.B)
		if ok && string(role) != "master" {
			return append(dst, g.parts[i].buf.B...)
		}
		if !ok {
			return parser.AppendError(dst, errOddReply)
		}
		furthest = max(furthest, offset)
		replicas += list.left
	}
	start := len(dst)
	dst = parser.AppendArray(dst, 3)
	dst = parser.AppendBulkString(dst, "master")
	dst = parser.AppendInt(dst, furthest)
	dst = parser.AppendArray(dst, replicas)
	for i := range g.parts {
		_, offset, list, _ := readRole(g.parts[i].buf.B)
		for list.left > 0 {
			e, _ := elementsOf(list.next())
			host, ok1 := e.text()
			port, ok2 := e.text()
			at, ok3 := e.text()
			n, ok4 := parser.Int(at)
			if !ok1 || !ok2 || !ok3 || !ok4 {
				return parser.AppendError(dst[:start], errOddReply)
			}
			dst = parser.AppendArray(dst, 3)
			dst = parser.AppendBulk(dst, host)
			dst = parser.AppendBulk(dst, port)
			dst = parser.AppendBulkString(dst, itoa(int(furthest-(offset-n))))
		}
	}
	return dst
}

// readRole reads ["master", offset, [replica...]]; of another role it gives the name.
func readRole(b []byte) (role []byte, offset int64, replicas elements, ok bool) {
	e, _ := elementsOf(b)
	if role, ok = e.text(); !ok || string(role) != "master" {
		return role, 0, replicas, ok
	}
	if offset, ok = e.integer(); !ok {
		return role, 0, replicas, false
	}
	replicas, ok = elementsOf(e.next())
	return role, offset, replicas, ok
}

// joinFunctionStats is the script that runs on some shard, and the most functions that a shard has: all have the same.
func (g *gather) joinFunctionStats(dst []byte) []byte {
	var running, engines []byte
	var t figures
	for i := range g.parts {
		e, ok := elementsOf(g.parts[i].buf.B)
		for e.left > 0 && ok {
			var name []byte
			if name, ok = e.text(); !ok {
				break
			}
			value := e.next()
			switch {
			case value == nil:
				ok = false
			case string(name) == "running_script" && (running == nil || isNull(running)):
				running = value
			case string(name) == "engines":
				engines = value
				ok = t.add(value, 1, most)
			}
		}
		if !ok || running == nil || engines == nil {
			return parser.AppendError(dst, errOddReply)
		}
	}
	like := g.parts[0].buf.B[0]
	dst = appendPairs(dst, like, 2)
	dst = parser.AppendBulkString(dst, "running_script")
	dst = append(dst, running...)
	dst = parser.AppendBulkString(dst, "engines")
	return t.append(dst, like, nil)
}

// namedShard is INFO.SHARD: INFO of the shard that the second word names, by number from 0 or by its server's name.
func (s *Session) namedShard(spec *command.Spec, req *parser.Request) {
	env := s.env
	server, ok := env.shardNamed(req.Args[1])
	if !ok {
		s.refuse(spec, noSuchShard(req.Args[1], len(env.Map.Shards())))
		return
	}
	env.build = parser.AppendArray(env.build[:0], len(req.Args)-1)
	env.build = parser.AppendBulkString(env.build, "INFO")
	for _, a := range req.Args[2:] {
		env.build = parser.AppendBulk(env.build, a)
	}
	conn := s.conn(server)
	tag := s.expect(len(req.Raw))
	if f := conn.EnqueueHere(env.build, s, tag, spec.ID); f != nil {
		s.countFailure(spec)
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
