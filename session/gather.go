package session

import (
	"github.com/valyala/bytebufferpool"

	"ringmaster/command"
	"ringmaster/merge"
	"ringmaster/parser"
	"ringmaster/pool"
)

// gather joins the replies of several servers into the one reply that a client gets. It is the
// pool.Receiver of the parts; a part's tag is its index. Gathers are reused.
//
// Invariants: left == parts without an end; len(parts) == len(asked.Parts) until they are joined.
type gather struct {
	env   *Env
	s     *Session
	tag   uint64 // the place of the reply
	spec  *command.Spec
	merge command.Merge
	parts []part
	left  int
	held  int           // bytes of replies in parts, counted in s.held too
	asked merge.Request // joins the parts; its Parts borrow the bytes of those that have ended
	// special joins what only a session can, since for its client it is made of more than the servers' replies; nil: package merge joins them.
	special func(g *gather, dst []byte) []byte
	// of all loops, for PUBSUB NUMPAT: the servers at which each is subscribed
	patterns map[string][]int
	blocks   bool // its parts may wait at the servers
	// ended gets the reply, which is a part of within's; nil: the client gets it. The reply is nil when the client has gone.
	ended  func(within any, reply []byte)
	within any
	keyed  bool // its parts go where their keys are
}

// gathers is what a loop keeps for its gathers.
type gathers struct {
	free     []*gather // to be used again
	division division  // of a split command
}

// gathersOf is that of a loop.
func gathersOf(l *Loop) *gathers {
	all, _ := l.gathers.(*gathers)
	if all == nil {
		all = &gathers{}
		l.gathers = all
	}
	return all
}

// gatherFeature is what gathers do when the core tells them that something happens.
var gatherFeature = Feature{Tick: (*Env).tellBusy}

// part is one server's share of the reply.
type part struct {
	server int
	buf    *bytebufferpool.ByteBuffer // the reply so far; nil: nothing came
}

// gather makes a gather for a reply to the request being dispatched.
func (s *Session) gather(spec *command.Spec, size int) *gather {
	g := s.newGather(spec)
	g.tag = s.expect(size)
	return g
}

// newGather makes a gather without a place among the replies.
func (s *Session) newGather(spec *command.Spec) *gather {
	all := gathersOf(s.env.Loop)
	var g *gather
	if n := len(all.free); n > 0 {
		g = all.free[n-1]
		all.free = all.free[:n-1]
	} else {
		g = &gather{asked: merge.Request{Texts: mergeTexts}}
	}
	g.env, g.s, g.spec, g.merge = s.env.Env, s, spec, spec.Merge
	return g
}

// ask sends the command, or what stands for it, to a server. Borrows raw until return. Between hold and release the gather can't end.
func (g *gather) ask(server int, raw []byte) { g.askFor(server, raw, 0) }

// askFor is ask for a part with keys.
func (g *gather) askFor(server int, raw []byte, keys pool.Keys) {
	i := g.expect(server)
	reads := g.s.reads(g.spec)
	conn := g.s.connFor(server, reads)
	if busy := g.s.busyBehind(conn, g.spec, 1); busy != nil {
		g.Reply(i, busy, pool.Whole)
		return
	}
	request := pool.Request{Raw: raw, Recv: g, Tag: i, Keys: keys, Carrier: g.s.env.Rules.of(g.spec).carrier}
	if reads && request.Carrier == 0 {
		request.Manner = pool.ByPolicy
	} else {
		request.Manner = g.manner(conn)
	}
	if f := g.s.enqueueAt(conn, server, &request); f != nil {
		g.Fail(i, f)
	}
}

// expect adds a part, which server owes.
func (g *gather) expect(server int) (i uint64) {
	g.parts = append(g.parts, part{server: server})
	g.asked.Parts = append(g.asked.Parts, merge.Part{})
	g.left++
	return uint64(len(g.parts) - 1)
}

// manner is how its parts are sent that do not go by the read policy.
func (g *gather) manner(conn *pool.Conn) (how pool.Manner) {
	if g.blocks || g.s.waitsAt(conn) {
		how |= pool.Blocks
	}
	if !g.keyed {
		how |= pool.Here
	}
	return how
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
		if buf := g.parts[i].buf; buf != nil {
			g.asked.Parts[i].Reply = buf.B
		}
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
	g.asked.Parts[i].Reply, g.asked.Parts[i].Failed = pt.buf.B, true
	g.end()
}

// Client is pool.Receiver.
func (g *gather) Client() pool.Client { return g.s }

// Place is pool.Receiver: its parts have one, for they go to different hash slots.
func (g *gather) Place(uint64) uint64 { return g.tag }

// end counts a part's end; after the last the reply is made.
func (g *gather) end() {
	if g.left--; g.left > 0 {
		return
	}
	s := g.s
	if ended, within := g.ended, g.within; ended != nil {
		var reply []byte
		if s.state != closed {
			reply = g.join(nil)
			s.countHeld(len(reply) - g.held)
		}
		g.recycle()
		ended(within, reply)
		return
	}
	switch {
	case s.state == closed:
		g.answer()
	case g.joinInPieces():
	case g.spec.Traits.Has(command.TraitTakenApart):
		g.env.start(g)
	default:
		g.answer()
	}
}

// specialWork is what it costs to join a byte of what is taken apart for it, units.
const specialWork = 16

// piece is job: what takes long for its length is joined when the turn has not seen too much work.
func (g *gather) piece(e *Env) (done bool) {
	for i := range g.parts {
		e.spend(specialWork * len(g.parts[i].buf.B))
	}
	g.answer()
	return true
}

// answer joins the parts and gives the reply to the client.
func (g *gather) answer() {
	s := g.s
	if s.state == closed {
		g.env.Stats.Orphans++
	} else {
		s.countHeld(-g.held)
		dst := s.sink(g.tag)
		before := len(dst.B)
		dst.B = g.join(dst.B)
		reply := dst.B[before:]
		s.finish(g.tag, reply)
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
	for i := range g.asked.Parts {
		g.asked.Parts[i].Reply = nil
	}
}

func (g *gather) recycle() {
	g.letGo()
	g.held, g.blocks, g.keyed = 0, false, false
	all := gathersOf(g.env.Loop)
	g.env, g.s, g.spec, g.special, g.patterns, g.ended, g.within = nil, nil, nil, nil, nil, nil, nil
	g.parts = g.parts[:0]
	g.asked.Parts = g.asked.Parts[:0]
	g.asked.Order = g.asked.Order[:0]
	if len(all.free) < maxFree && cap(g.asked.Order) <= maxKept {
		all.free = append(all.free, g)
	}
}

// allShards sends the request to every shard.
func (s *Session) allShards(spec *command.Spec, req *parser.Request) {
	if s.waitsBehind(spec, req.Raw) {
		return
	}
	if s.env.single() && !spec.Traits.Has(command.TraitChangesReply) {
		s.pass(s.env.home(), spec, req)
		return
	}
	if !merge.Joins(spec) {
		s.refuse(oneServerOnly(spec.Name))
		return
	}
	if keys := keysOfDebug(spec, req.Args); keys != nil {
		s.debugKeys(spec, req, keys)
		return
	}
	g := s.gather(spec, len(req.Raw))
	g.asked.Limit = entryLimit(req.Args)
	raw := req.Raw
	if spec.ID == command.IDSlowlogLen {
		raw = wholeSlowLog
	}
	g.hold()
	for _, i := range s.env.Map.Shards() {
		g.ask(i, raw)
	}
	if spec.Traits.Has(command.TraitChangesReply) {
		g.countClients()
	}
	g.release()
}
