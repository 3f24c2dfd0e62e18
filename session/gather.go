package session

import (
	"slices"

	"github.com/valyala/bytebufferpool"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/shard"
)

// gather joins the replies of several servers into the one reply that a client gets. It is the
// pool.Receiver of the parts; a part's tag is its index. Gathers are reused.
//
// Invariant: left == parts without an end.
type gather struct {
	env     *Env
	s       *Session
	tag     uint64 // the place of the reply
	spec    *command.Spec
	merge   command.Merge
	at      int64
	parts   []part
	left    int
	held    int     // bytes of replies in parts, counted in s.held too
	order   []int32 // for MergeInKeyOrder: which part answers each key
	clients int     // of all loops, for INFO
	// of all loops, for PUBSUB NUMPAT: the servers at which each is subscribed
	patterns map[string][]int
	limit    int64 // of a log's entries; below 0: all
	scan     scanPlace
	blocks   bool // its parts may wait at the servers
	// The transaction of which it is the nth command for all shards, which gets the reply; nil: the client does.
	within *outcome
	nth    int
	keyed  bool // its parts go where their keys are
	// While the client gets the reply in pieces: how many elements or parts have been taken, and what is left of the latest.
	made int
	run  []byte
}

// part is one server's share of the reply.
type part struct {
	server int
	buf    *bytebufferpool.ByteBuffer // the reply so far; nil: nothing came
	failed bool                       // buf is an error of the proxy's own
	off    int                        // what merge has used of buf
}

// gather makes a gather for a reply to the request being dispatched.
func (s *Session) gather(spec *command.Spec, size int) *gather {
	g := s.newGather(spec)
	g.tag = s.expect(size)
	return g
}

// newGather makes a gather without a place among the replies.
func (s *Session) newGather(spec *command.Spec) *gather {
	env := s.env
	var g *gather
	if n := len(env.free); n > 0 {
		g = env.free[n-1]
		env.free = env.free[:n-1]
	} else {
		g = &gather{env: env}
	}
	g.s, g.spec, g.merge, g.at = s, spec, spec.Merge, env.Pool.Now
	return g
}

// ask sends a part of the command to a server. Borrows raw until return. Between hold and
// release the gather can't end.
func (g *gather) ask(server int, raw []byte) {
	i := uint64(len(g.parts))
	g.parts = append(g.parts, part{server: server})
	g.left++
	reads := g.s.reads(g.spec)
	conn := g.s.connFor(server, reads)
	if busy := g.s.busyBehind(conn, g.spec, 1); busy != nil {
		g.Reply(i, busy, pool.Whole)
		return
	}
	var f *pool.Failure
	switch {
	case reads:
		f = g.s.rings.EnqueueRead(conn, server, raw, g, i, pool.Part)
	case g.keyed && g.s.waitsAt(conn):
		f = conn.EnqueuePostponed(raw, g, i, pool.Part)
	case g.blocks || g.s.waitsAt(conn):
		f = conn.EnqueueBlocking(raw, g, i, pool.Part)
	case g.keyed:
		f = conn.Enqueue(raw, g, i, pool.Part)
	default:
		f = conn.EnqueueHere(raw, g, i, pool.Part)
	}
	if f != nil {
		g.Fail(i, f)
	}
}

// hold keeps the gather from ending while parts are still being asked; release lets it.
func (g *gather) hold()    { g.left++ }
func (g *gather) release() { g.end() }

// Reply is pool.Receiver.
func (g *gather) Reply(i uint64, b []byte, p pool.Piece) {
	if g.s.state != closed {
		pt := &g.parts[i]
		if pt.buf == nil {
			pt.buf = g.env.Pool.Buffers.Get()
		}
		pt.buf.B = append(pt.buf.B, b...)
		g.held += len(b)
		g.s.countHeld(len(b))
	} else {
		g.letGo()
	}
	if p&pool.Last != 0 {
		g.end()
	}
}

// Fail is pool.Receiver.
func (g *gather) Fail(i uint64, f *pool.Failure) {
	pt := &g.parts[i]
	if pt.buf == nil {
		pt.buf = g.env.Pool.Buffers.Get()
	}
	if g.s.state != closed {
		g.held -= len(pt.buf.B)
		g.s.countHeld(-len(pt.buf.B))
	}
	pt.buf.B = appendFailure(pt.buf.B[:0], f, g.env)
	pt.failed = true
	g.end()
}

// Hold is pool.Holder.
func (g *gather) Hold() bool { return g.s.Hold() }

// Await is pool.Awaiter.
func (g *gather) Await() { g.s.await() }

// Place is pool.Holder: its parts have one, for they go to different hash slots.
func (g *gather) Place(uint64) (client any, place uint64, last bool) { return g.s.Place(g.tag) }

// end counts a part's end; after the last the reply is made.
func (g *gather) end() {
	if g.left--; g.left > 0 {
		return
	}
	s := g.s
	if o := g.within; o != nil {
		if s.state != closed {
			s.countHeld(-g.held)
			o.everywhere[g.nth].reply = g.join(nil)
		}
		g.recycle()
		o.othersAnswered()
		return
	}
	switch {
	case s.state == closed:
		g.env.Stats.Orphans++
	case g.held >= streamFrom && g.streams():
		g.env.Stats.Call(g.spec.ID, g.env.Pool.Now-g.at)
		s.streamAtTurn(g)
		return
	default:
		s.countHeld(-g.held)
		dst := s.sink(g.tag)
		before := len(dst.B)
		dst.B = g.join(dst.B)
		reply := dst.B[before:]
		if len(reply) > 0 && reply[0] == '-' {
			g.env.Stats.Error(g.spec.ID, reply)
		}
		g.env.Stats.Call(g.spec.ID, g.env.Pool.Now-g.at)
		s.finish(g.tag, len(reply))
	}
	g.recycle()
}

// maxFree bounds the gathers kept for reuse, and maxKept the memory each may keep.
const (
	maxFree = 256
	maxKept = 4096
)

// letGo drops what has come; nobody will read it.
func (g *gather) letGo() {
	for i := range g.parts {
		if b := g.parts[i].buf; b != nil {
			g.env.Pool.Buffers.Put(b)
		}
		g.parts[i] = part{}
	}
}

func (g *gather) recycle() {
	g.letGo()
	g.held, g.blocks, g.keyed = 0, false, false
	g.made, g.run = 0, nil
	g.s, g.spec, g.patterns, g.within = nil, nil, nil, nil
	g.parts = g.parts[:0]
	g.order = g.order[:0]
	if len(g.env.free) < maxFree && cap(g.order) <= maxKept {
		g.env.free = append(g.env.free, g)
	}
}

// allShards sends the request to every shard.
func (s *Session) allShards(spec *command.Spec, req *parser.Request) {
	if s.waitsBehind(spec, req.Raw) {
		return
	}
	if s.env.single() && !s.env.rewrites[spec.ID] {
		s.pass(s.env.home(), spec, req)
		return
	}
	if _, known := specialMerges[spec.Name]; spec.Merge == command.MergeSpecial && !known {
		s.refuse(spec, oneServerOnly(spec.Name))
		return
	}
	if keys := keysOfDebug(spec, req.Args); keys != nil {
		s.debugKeys(spec, req, keys)
		return
	}
	g := s.gather(spec, len(req.Raw))
	g.limit = entryLimit(req.Args)
	raw := req.Raw
	if spec == s.env.slowLogLen {
		raw = wholeSlowLog
	}
	g.hold()
	for _, i := range s.env.Map.Shards() {
		g.ask(i, raw)
	}
	if s.env.rewrites[spec.ID] {
		g.countClients()
	}
	g.release()
}

// split groups the keys of MGET, MSET, DEL and their like by shard, and asks each shard once.
func (s *Session) split(spec *command.Spec, req *parser.Request) {
	env, words := s.env, spec.WordsPerKey
	if env.single() || (len(req.Args)-1)%words != 0 {
		s.pass(s.env.home(), spec, req)
		return
	}
	s.assign(req, words)
	if len(env.groups) == 1 {
		s.pass(int(env.groups[0].server), spec, req)
		return
	}
	g := s.gather(spec, len(req.Raw))
	g.keyed = true
	g.hold()
	env.share(req, words)
	if spec.Merge == command.MergeInKeyOrder {
		g.order = append(g.order, env.order...)
	}
	for _, part := range env.groups {
		g.ask(int(part.server), env.build[part.start:part.end])
	}
	g.release()
}

// group is the keys of a split command that go to one server together: those of one server, or in front of a cluster, whose
// nodes refuse others, those of one hash slot.
type group struct {
	server, bucket int32
	keys           int32
	// Where its part stands in Env.build. At first end is the size of its keys; while they are written, where the next goes.
	start, end int
}

func (e *Env) sizeGroups() {
	n := e.Map.Len()
	if e.Map.Slotted() {
		n = shard.Slots
	}
	if n > len(e.groupAt) {
		e.groupAt = make([]int32, n)
	}
}

// assign notes the group of each key.
func (s *Session) assign(req *parser.Request, words int) {
	env := s.env
	env.order, env.groups = env.order[:0], env.groups[:0]
	slotted := env.Map.Slotted()
	for i := 1; i < len(req.Args); i += words {
		var server, bucket int
		if slotted {
			slot := shard.Slot(req.Args[i])
			server, bucket = env.Map.SlotServer(slot), int(slot)
		} else {
			server = env.Map.Lookup(req.Args[i])
			bucket = server
		}
		n := env.groupAt[bucket]
		if n == 0 {
			env.groups = append(env.groups, group{server: int32(server), bucket: int32(bucket)})
			n = int32(len(env.groups))
			env.groupAt[bucket] = n
		}
		g := &env.groups[n-1]
		g.keys++
		g.end += len(req.Bulks(i, i+words))
		env.order = append(env.order, n-1)
	}
	for i := range env.groups {
		env.groupAt[env.groups[i].bucket] = 0
	}
}

// share writes each group's part of the request to env.build: one behind the other, each a command with
// the name and the keys as the client sent them.
func (env *Env) share(req *parser.Request, words int) {
	b, name := env.build[:0], req.Args[0]
	for i := range env.groups {
		g := &env.groups[i]
		keys := g.end
		g.start = len(b)
		b = parser.AppendArray(b, 1+int(g.keys)*words)
		b = parser.AppendBulk(b, name)
		g.end = len(b)
		b = slices.Grow(b, keys)[:len(b)+keys]
	}
	for i, n := range env.order {
		at := &env.groups[n]
		at.end += copy(b[at.end:], req.Bulks(1+i*words, 1+(i+1)*words))
	}
	env.build = b
}
