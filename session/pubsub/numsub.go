package pubsub

import (
	"slices"

	"github.com/valyala/bytebufferpool"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/gather"
)

// inspect answers PUBSUB: CHANNELS, NUMPAT, NUMSUB and their like.
func inspect(s *session.Session, spec *command.Spec, req *parser.Request) {
	switch spec.ID {
	case command.IDPubsubNumsub, command.IDPubsubShardnumsub:
		numSub(s, spec, req)
		return
	}
	if s.Door.Single() {
		s.Pass(s.Door.Home(), spec, req)
		return
	}
	g := gather.New(s, spec, len(req.Raw))
	g.Merge = command.MergeConcat
	g.Delay()
	for _, i := range s.Door.Map.Shards() {
		g.Ask(i, req.Raw)
	}
	if spec.ID == command.IDPubsubNumpat {
		g.Merge = command.MergeSpecial
		collectPatterns(g)
	}
	g.Start()
}

// collectPatterns gives the gather all loops' patterns and their servers. The gather does not end before.
func collectPatterns(g *gather.Gather) {
	g.Delay()
	g.Env.AskLoopsFor(g.Session, func(e *session.Env) any {
		return hubOf(e).patternServers()
	}, func(answers []any) {
		g.Patterns = map[string]gather.PatternServers{}
		for _, at := range answers {
			for name, p := range at.(map[string]gather.PatternServers) {
				all := g.Patterns[name]
				g.Patterns[name] = gather.PatternServers{Servers: union(all.Servers, p.Servers), Clients: all.Clients || p.Clients}
			}
		}
		g.Start()
	})
}

// patternServers returns where this loop's patterns are subscribed, by name. The result is the caller's.
func (h *hub) patternServers() map[string]gather.PatternServers {
	at := map[string]gather.PatternServers{}
	for name, t := range h.patterns {
		if len(t.subs) > 0 && t.lostServers == 0 { // otherwise only the servers that have it count it
			at[name] = gather.PatternServers{Servers: t.servers, Clients: true}
		}
	}
	for key, list := range h.lingering {
		p := at[key.Name]
		if key.Kind != Pattern || h.topics[key] != nil && !p.Clients {
			continue
		}
		for _, l := range list {
			p.Servers = union(p.Servers, []int{l.server})
		}
		at[key.Name] = p
	}
	return at
}

// union returns a slice of its own with the numbers of a, and those of b that a lacks.
func union(a, b []int) []int {
	all := slices.Clone(a)
	for _, n := range b {
		if !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	return all
}

// numSub answers PUBSUB NUMSUB and SHARDNUMSUB with the servers' counts, corrected to the numbers of clients.
func numSub(s *session.Session, spec *command.Spec, req *parser.Request) {
	shards := s.Door.Map.Shards()
	n := &numSubs{Emission: session.Emission{Session: s, Tag: s.Expect(len(req.Raw))}, left: len(shards)}
	k := Channel
	if spec.ID == command.IDPubsubShardnumsub {
		k = ShardChannel
	}
	for _, a := range req.Args[2:] {
		n.keys = append(n.keys, TopicKey{k, string(a)})
	}
	n.sums, n.replies = make([]int64, len(n.keys)), make([]serverCounts, len(shards))
	for i, server := range shards {
		if f := s.Conn(server).Enqueue(&pool.Request{Raw: req.Raw, Recv: n, Tag: uint64(i), Manner: pool.Here}); f != nil {
			n.Fail(uint64(i), f)
		}
	}
}

// numSubs receives the servers' replies to PUBSUB NUMSUB. It is also the job that makes one reply of them.
type numSubs struct {
	pool.Unplaced
	session.Emission
	keys    []TopicKey
	sums    []int64
	tallies []Tally        // nil: the loops have not been asked
	replies []serverCounts // by server
	left    int
	next    int    // of keys
	failed  []byte // the error of a server; nil: none
}

// serverCounts is one server's reply.
type serverCounts struct {
	buf *bytebufferpool.ByteBuffer // nil: nothing has come
	off int                        // how much of it is used; bytes
}

// Reply is pool.Receiver.
func (n *numSubs) Reply(i uint64, b []byte, p pool.Piece) {
	r := &n.replies[i]
	if r.buf == nil {
		r.buf = n.Session.Door.Pool.Buffers.Get()
	}
	r.buf.B = append(r.buf.B, b...)
	n.Hold(len(b))
	if p&pool.Last == 0 {
		return
	}
	length, at, ok := parser.ArrayHeader(r.buf.B)
	if r.off = at; !ok || length != 2*len(n.sums) {
		n.failed = append([]byte(nil), r.buf.B...)
	}
	n.end()
}

// Fail is pool.Receiver.
func (n *numSubs) Fail(_ uint64, f *pool.Failure) {
	n.failed = session.AppendFailure(nil, f, n.Session.Door.Env)
	n.end()
}

// end counts a server's reply. After the last the job starts, or the client gets the error.
func (n *numSubs) end() {
	if n.left--; n.left > 0 {
		return
	}
	if n.failed == nil {
		n.Session.Door.Start(n)
		return
	}
	n.dropReplies()
	n.Give(n.failed, true)
}

// dropReplies frees the servers' replies.
func (n *numSubs) dropReplies() {
	for _, r := range n.replies {
		if r.buf != nil {
			n.Session.Door.Pool.Buffers.Put(r.buf)
		}
	}
	n.replies = nil
	n.Use(n.Held)
}

// Piece is job.
func (n *numSubs) Piece(e *session.Env) (done bool) {
	p := e.APiece()
	if n.tallies == nil {
		for ; n.next < len(n.keys); n.next++ {
			if p.Over(e) {
				return false
			}
			n.add(n.next)
			e.Spend(session.CopyWork * len(n.replies))
		}
		n.dropReplies()
		CollectTallies(e, n.Session, n.keys, false, func(sums []Tally) {
			n.tallies, n.next = sums, 0
			e.Start(n)
		})
		return true
	}
	if n.HoldsOff(n) {
		return true
	}
	var b []byte
	if !n.Begun {
		b = parser.AppendArray(b, 2*len(n.keys))
	}
	for ; n.next < len(n.keys) && n.Session.State != session.Closed; n.next++ {
		if p.Over(e) {
			n.Give(b, false)
			return false
		}
		before := len(b)
		b = parser.AppendBulkString(b, n.keys[n.next].Name)
		b = parser.AppendInt(b, n.tallies[n.next].Correct(n.sums[n.next]))
		e.Spend(session.CopyWork + len(b) - before)
	}
	n.Give(b, true)
	return true
}

// add adds up the servers' counts for the k-th channel.
func (n *numSubs) add(k int) {
	for i := range n.replies {
		r := &n.replies[i]
		_, next := parser.BulkAt(r.buf.B, r.off)
		size := parser.ElementEnd(r.buf.B[next:])
		v, _ := parser.Integer(r.buf.B[next : next+size])
		n.sums[k] += v
		r.off = next + size
	}
}
