package gather

import (
	"github.com/valyala/bytebufferpool"

	"ringmaster/command"
	"ringmaster/merge"
	"ringmaster/pool"
	"ringmaster/session"
)

// Gather joins the replies of several servers into the one reply that a client gets. It is the pool.Receiver of its parts. A part's tag is
// its index. Gathers are used again. Loop-only.
//
// Invariants: left == parts that have not ended + Delays without a Start; len(Parts) == len(asked.Parts) until they are joined.
type Gather struct {
	Env     *session.Env
	Session *session.Session
	tag     uint64 // of the reply slot
	Spec    *command.Spec
	Merge   command.Merge // how the parts are joined: at first Spec.Merge
	Parts   []Part
	left    int
	bytes   int           // of the parts' replies; the session counts them too (CountHeld)
	asked   merge.Request // joins the parts; its Parts borrow the replies of those that have ended
	// Special appends the reply to dst, for a reply that is made of more than the servers' replies. It is called if no part is an error.
	// nil: package merge joins the parts.
	Special func(g *Gather, dst []byte) []byte
	// Patterns has for each pattern of all loops the servers at which it is subscribed, for PUBSUB NUMPAT.
	Patterns map[string]PatternServers
	Blocks   bool // the servers may keep the parts waiting, as WAIT does
	// Ended is called with Within and the reply, instead of giving the reply to the client; nil: the client gets it. The reply is nil if the
	// client has gone.
	Ended  func(within any, reply []byte)
	Within any
	keyed  bool // each part is for the server that has its keys
}

// gathers is what a loop keeps for its gathers.
type gathers struct {
	free     []*Gather
	division division // of the split command under way
}

// gathersOf returns the loop's gathers.
func gathersOf(l *session.Loop) *gathers {
	all, _ := l.Gathers.(*gathers)
	if all == nil {
		all = &gathers{}
		l.Gathers = all
	}
	return all
}

// Feature is what the core calls.
var Feature = session.Feature{Tick: tellBusy}

// Part is one server's share of the reply.
type Part struct {
	Server int
	Buf    *bytebufferpool.ByteBuffer // the reply so far; nil: nothing came
}

// New returns a gather for the request that is being dispatched, which has size bytes. It makes the reply slot.
func New(s *session.Session, spec *command.Spec, size int) *Gather {
	g := NewWithoutPlace(s, spec)
	g.tag = s.Expect(size)
	return g
}

// NewWithoutPlace returns a gather without a reply slot. The caller must set Ended.
func NewWithoutPlace(s *session.Session, spec *command.Spec) *Gather {
	all := gathersOf(s.Door.Loop)
	var g *Gather
	if n := len(all.free); n > 0 {
		g = all.free[n-1]
		all.free = all.free[:n-1]
	} else {
		g = &Gather{asked: merge.Request{Texts: mergeTexts}}
	}
	g.Env, g.Session, g.Spec, g.Merge = s.Door.Env, s, spec, spec.Merge
	return g
}

// Ask sends raw to a server and adds its part. Borrows raw until return. Call Delay before the first Ask and Start after the last.
func (g *Gather) Ask(server int, raw []byte) { g.askFor(server, raw, 0) }

// askFor is Ask for a part with keys.
func (g *Gather) askFor(server int, raw []byte, keys pool.Keys) {
	i := g.expect(server)
	reads := g.Session.ReadsByPolicy(g.Spec)
	conn := g.Session.ConnFor(server, reads)
	if busy := g.Session.BusyBehind(conn, g.Spec, 1); busy != nil {
		g.Reply(i, busy, pool.Whole)
		return
	}
	request := pool.Request{Raw: raw, Recv: g, Tag: i, Keys: keys, Carrier: g.Session.Door.Rules.For(g.Spec).Carrier}
	if reads && request.Carrier == 0 {
		request.Manner = pool.ByPolicy
	} else {
		request.Manner = g.manner(conn)
	}
	if f := g.Session.EnqueueAt(conn, server, &request); f != nil {
		g.Fail(i, f)
	}
}

// expect adds a part that server owes, and returns its index.
func (g *Gather) expect(server int) (i uint64) {
	g.Parts = append(g.Parts, Part{Server: server})
	g.asked.Parts = append(g.asked.Parts, merge.Part{})
	g.left++
	return uint64(len(g.Parts) - 1)
}

// manner says how a part is sent that does not go by the read policy.
func (g *Gather) manner(conn *pool.Conn) (how pool.Manner) {
	if g.Blocks || g.Session.Door.WaitsAt(conn) {
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

// Delay keeps the gather from ending until Start is called once more.
func (g *Gather) Delay() { g.left++ }

// Start lets the gather end when all parts have ended, which may be at once.
func (g *Gather) Start() { g.countEnd() }

// Reply is pool.Receiver.
func (g *Gather) Reply(i uint64, b []byte, p pool.Piece) {
	if g.Session.State != session.Closed {
		pt := &g.Parts[i]
		if pt.Buf == nil {
			pt.Buf = g.Env.Pool.Buffers.Get()
		}
		pt.Buf.B = append(pt.Buf.B, b...)
		g.bytes += len(b)
		g.Session.CountHeld(len(b))
	} else {
		g.dropReplies()
	}
	if p&pool.Last != 0 {
		if buf := g.Parts[i].Buf; buf != nil {
			g.asked.Parts[i].Reply = buf.B
		}
		g.countEnd()
	}
}

// Fail is pool.Receiver.
func (g *Gather) Fail(i uint64, f *pool.Failure) {
	pt := &g.Parts[i]
	if pt.Buf == nil {
		pt.Buf = g.Env.Pool.Buffers.Get()
	}
	if g.Session.State != session.Closed {
		g.bytes -= len(pt.Buf.B)
		g.Session.CountHeld(-len(pt.Buf.B))
	}
	pt.Buf.B = session.AppendFailure(pt.Buf.B[:0], f, g.Env)
	g.asked.Parts[i].Reply, g.asked.Parts[i].Failed = pt.Buf.B, true
	g.countEnd()
}

// Client is pool.Receiver.
func (g *Gather) Client() pool.Client { return g.Session }

// Place is pool.Receiver. All parts have one place, because they go to different hash slots.
func (g *Gather) Place(uint64) uint64 { return g.tag }

// countEnd counts a part's end, or a Start. After the last one it makes the reply.
func (g *Gather) countEnd() {
	if g.left--; g.left > 0 {
		return
	}
	s := g.Session
	if ended, within := g.Ended, g.Within; ended != nil {
		var reply []byte
		if s.State != session.Closed {
			reply = g.join(nil)
			s.CountHeld(len(reply) - g.bytes)
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

// specialWork is what it costs to join a byte of a reply that must be taken apart, units.
const specialWork = 16

// Piece is job. It joins replies that must be taken apart, in a turn that has time for it.
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
		s.CountHeld(-g.bytes)
		dst := s.Sink(g.tag)
		before := len(dst.B)
		dst.B = g.join(dst.B)
		reply := dst.B[before:]
		s.Finish(g.tag, reply)
	}
	g.recycle()
}

const (
	// MaxFree is how many gathers a loop keeps to use them again.
	MaxFree = 256
	// maxKept is for how many keys a free gather may keep memory.
	maxKept = 4096
)

// dropReplies drops the replies that have come.
func (g *Gather) dropReplies() {
	for i := range g.Parts {
		if b := g.Parts[i].Buf; b != nil {
			g.Env.Pool.Buffers.Put(b)
		}
		g.Parts[i] = Part{}
	}
	for i := range g.asked.Parts {
		g.asked.Parts[i].Reply = nil
	}
}

// recycle frees the gather and what it holds.
func (g *Gather) recycle() {
	g.dropReplies()
	g.bytes, g.Blocks, g.keyed = 0, false, false
	all := gathersOf(g.Env.Loop)
	g.Env, g.Session, g.Spec, g.Special, g.Patterns, g.Ended, g.Within = nil, nil, nil, nil, nil, nil, nil
	g.Parts = g.Parts[:0]
	g.asked.Parts = g.asked.Parts[:0]
	g.asked.Order = g.asked.Order[:0]
	if len(all.free) < MaxFree && cap(g.asked.Order) <= maxKept {
		all.free = append(all.free, g)
	}
}

// GiveUp is job: the client's end is the gather's.
func (g *Gather) GiveUp() {}
