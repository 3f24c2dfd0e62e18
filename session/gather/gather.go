package gather

import (
	"github.com/valyala/bytebufferpool"

	"ringmaster/command"
	"ringmaster/merge"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/texts"
)

// Gather joins the replies of several servers into the one reply that a client gets. It is the
// pool.Receiver of the parts; a part's tag is its index. Gathers are reused.
//
// Invariants: left == parts without an end; len(parts) == len(asked.Parts) until they are joined.
type Gather struct {
	Env     *session.Env
	Session *session.Session
	tag     uint64 // the place of the reply
	Spec    *command.Spec
	Merge   command.Merge
	Parts   []Part
	left    int
	Held    int           // bytes of replies in parts, counted in s.held too
	Asked   merge.Request // joins the parts; its Parts borrow the bytes of those that have ended
	// special joins what only a session can, since for its client it is made of more than the servers' replies; nil: package merge joins them.
	Special func(g *Gather, dst []byte) []byte
	// of all loops, for PUBSUB NUMPAT: the servers at which each is subscribed
	Patterns map[string][]int
	Blocks   bool // its parts may wait at the servers
	// ended gets the reply, which is a part of within's; nil: the client gets it. The reply is nil when the client has gone.
	Ended  func(within any, reply []byte)
	Within any
	keyed  bool // its parts go where their keys are
}

// gathers is what a loop keeps for its gathers.
type gathers struct {
	free     []*Gather // to be used again
	division division  // of a split command
}

// gathersOf is that of a loop.
func gathersOf(l *session.Loop) *gathers {
	all, _ := l.Gathers.(*gathers)
	if all == nil {
		all = &gathers{}
		l.Gathers = all
	}
	return all
}

// Feature is what gathers do when the core tells them that something happens.
var Feature = session.Feature{Tick: tellBusy}

// Part is one server's share of the reply.
type Part struct {
	Server int
	Buf    *bytebufferpool.ByteBuffer // the reply so far; nil: nothing came
}

// New makes a gather for a reply to the request being dispatched.
func New(s *session.Session, spec *command.Spec, size int) *Gather {
	g := NewWithoutPlace(s, spec)
	g.tag = s.Expect(size)
	return g
}

// NewWithoutPlace makes a gather without a place among the replies.
func NewWithoutPlace(s *session.Session, spec *command.Spec) *Gather {
	all := gathersOf(s.Door.Loop)
	var g *Gather
	if n := len(all.free); n > 0 {
		g = all.free[n-1]
		all.free = all.free[:n-1]
	} else {
		g = &Gather{Asked: merge.Request{Texts: mergeTexts}}
	}
	g.Env, g.Session, g.Spec, g.Merge = s.Door.Env, s, spec, spec.Merge
	return g
}

// Ask sends the command, or what stands for it, to a server. Borrows raw until return. Between hold and release the gather can't end.
func (g *Gather) Ask(server int, raw []byte) { g.askFor(server, raw, 0) }

// askFor is ask for a part with keys.
func (g *Gather) askFor(server int, raw []byte, keys pool.Keys) {
	i := g.expect(server)
	reads := g.Session.Reads(g.Spec)
	conn := g.Session.ConnFor(server, reads)
	if busy := g.Session.BusyBehind(conn, g.Spec, 1); busy != nil {
		g.Reply(i, busy, pool.Whole)
		return
	}
	request := pool.Request{Raw: raw, Recv: g, Tag: i, Keys: keys, Carrier: g.Session.Door.Rules.Of(g.Spec).Carrier}
	if reads && request.Carrier == 0 {
		request.Manner = pool.ByPolicy
	} else {
		request.Manner = g.manner(conn)
	}
	if f := g.Session.EnqueueAt(conn, server, &request); f != nil {
		g.Fail(i, f)
	}
}

// expect adds a part, which server owes.
func (g *Gather) expect(server int) (i uint64) {
	g.Parts = append(g.Parts, Part{Server: server})
	g.Asked.Parts = append(g.Asked.Parts, merge.Part{})
	g.left++
	return uint64(len(g.Parts) - 1)
}

// manner is how its parts are sent that do not go by the read policy.
func (g *Gather) manner(conn *pool.Conn) (how pool.Manner) {
	if g.Blocks || g.Session.WaitsAt(conn) {
		how |= pool.Blocks
	}
	if !g.keyed {
		how |= pool.Here
	}
	return how
}

// AddReply adds the part of a server that has replied already. Borrows reply until return.
func (g *Gather) AddReply(server int, reply []byte) {
	g.Reply(g.expect(server), reply, pool.Whole)
}

// Delay keeps the gather from ending while parts are still being asked; release lets it.
func (g *Gather) Delay() { g.left++ }
func (g *Gather) Start() { g.end() }

// Reply is pool.Receiver.
func (g *Gather) Reply(i uint64, b []byte, p pool.Piece) {
	if g.Session.State != session.Closed {
		pt := &g.Parts[i]
		if pt.Buf == nil {
			pt.Buf = g.Env.Pool.Buffers.Get()
		}
		pt.Buf.B = append(pt.Buf.B, b...)
		g.Held += len(b)
		g.Session.CountHeld(len(b))
	} else {
		g.letGo()
	}
	if p&pool.Last != 0 {
		if buf := g.Parts[i].Buf; buf != nil {
			g.Asked.Parts[i].Reply = buf.B
		}
		g.end()
	}
}

// Fail is pool.Receiver.
func (g *Gather) Fail(i uint64, f *pool.Failure) {
	pt := &g.Parts[i]
	if pt.Buf == nil {
		pt.Buf = g.Env.Pool.Buffers.Get()
	}
	if g.Session.State != session.Closed {
		g.Held -= len(pt.Buf.B)
		g.Session.CountHeld(-len(pt.Buf.B))
	}
	pt.Buf.B = session.AppendFailure(pt.Buf.B[:0], f, g.Env)
	g.Asked.Parts[i].Reply, g.Asked.Parts[i].Failed = pt.Buf.B, true
	g.end()
}

// Client is pool.Receiver.
func (g *Gather) Client() pool.Client { return g.Session }

// Place is pool.Receiver: its parts have one, for they go to different hash slots.
func (g *Gather) Place(uint64) uint64 { return g.tag }

// end counts a part's end; after the last the reply is made.
func (g *Gather) end() {
	if g.left--; g.left > 0 {
		return
	}
	s := g.Session
	if ended, within := g.Ended, g.Within; ended != nil {
		var reply []byte
		if s.State != session.Closed {
			reply = g.join(nil)
			s.CountHeld(len(reply) - g.Held)
		}
		g.recycle()
		ended(within, reply)
		return
	}
	switch {
	case s.State == session.Closed:
		g.answer()
	case g.joinInPieces():
	case g.Spec.Traits.Has(command.TraitTakenApart):
		g.Env.Start(g)
	default:
		g.answer()
	}
}

// specialWork is what it costs to join a byte of what is taken apart for it, units.
const specialWork = 16

// Piece is job: what takes long for its length is joined when the turn has not seen too much work.
func (g *Gather) Piece(e *session.Env) (done bool) {
	for i := range g.Parts {
		e.Spend(specialWork * len(g.Parts[i].Buf.B))
	}
	g.answer()
	return true
}

// answer joins the parts and gives the reply to the client.
func (g *Gather) answer() {
	s := g.Session
	if s.State == session.Closed {
		g.Env.Stats.Orphans++
	} else {
		s.CountHeld(-g.Held)
		dst := s.Sink(g.tag)
		before := len(dst.B)
		dst.B = g.join(dst.B)
		reply := dst.B[before:]
		s.Finish(g.tag, reply)
	}
	g.recycle()
}

// MaxFree bounds the gathers kept for reuse, and maxKept the memory each may keep.
const (
	MaxFree = 256
	maxKept = 4096
)

// letGo drops what has come; nobody will read it.
func (g *Gather) letGo() {
	for i := range g.Parts {
		if b := g.Parts[i].Buf; b != nil {
			g.Env.Pool.Buffers.Put(b)
		}
		g.Parts[i] = Part{}
	}
	for i := range g.Asked.Parts {
		g.Asked.Parts[i].Reply = nil
	}
}

func (g *Gather) recycle() {
	g.letGo()
	g.Held, g.Blocks, g.keyed = 0, false, false
	all := gathersOf(g.Env.Loop)
	g.Env, g.Session, g.Spec, g.Special, g.Patterns, g.Ended, g.Within = nil, nil, nil, nil, nil, nil, nil
	g.Parts = g.Parts[:0]
	g.Asked.Parts = g.Asked.Parts[:0]
	g.Asked.Order = g.Asked.Order[:0]
	if len(all.free) < MaxFree && cap(g.Asked.Order) <= maxKept {
		all.free = append(all.free, g)
	}
}

// AllShards sends the request to every shard.
func AllShards(s *session.Session, spec *command.Spec, req *parser.Request) {
	if s.WaitsBehind(spec, req.Raw) {
		return
	}
	if s.Door.Single() && !spec.Traits.Has(command.TraitChangesReply) {
		s.Pass(s.Door.Home(), spec, req)
		return
	}
	if !merge.Joins(spec) {
		s.Refuse(texts.OneServerOnly(spec.Name))
		return
	}
	if keys := KeysOfDebug(spec, req.Args); keys != nil {
		debugKeys(s, spec, req, keys)
		return
	}
	g := New(s, spec, len(req.Raw))
	g.Asked.Limit = entryLimit(req.Args)
	raw := req.Raw
	if spec.ID == command.IDSlowlogLen {
		raw = wholeSlowLog
	}
	g.Delay()
	for _, i := range s.Door.Map.Shards() {
		g.Ask(i, raw)
	}
	if spec.Traits.Has(command.TraitChangesReply) {
		g.CountClients()
	}
	g.Start()
}
